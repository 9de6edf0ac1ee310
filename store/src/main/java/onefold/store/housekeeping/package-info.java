/**
 * Housekeeping: giving back the space of chunks that nothing refers to any more, while everything
 * else goes on.
 *
 * <p>A {@link onefold.store.housekeeping.Cycle} goes through these steps; {@link
 * onefold.store.housekeeping.Housekeeper} runs it.
 *
 * <ol>
 *   <li><b>Begin.</b> The open node containers are ended and sealed, so that every node stored so
 *       far lies in a sealed container. The sealed containers of now are the candidates; nothing
 *       that is opened later is this cycle's business. A table of the candidates' chunks is made.
 *   <li><b>Attach.</b> From now on every have-answer and every duplicate found marks its chunk in
 *       the table. Only then are the roots read: the have-lists of uploads, objects that are being
 *       read, the nodes stored since the beginning, and the catalog's objects, in this order,
 *       because what leaves one of these lists stands in the next before it does.
 *   <li><b>Mark.</b> The candidate node containers are read from the youngest to the oldest, again
 *       until nothing new is found; a node is stored after its children, so once is nearly always
 *       enough. A marked node marks its children. Data is not read.
 *   <li><b>Switch.</b> When a pass has found nothing and no answer has marked a node meanwhile,
 *       dead nodes are dead: from this moment no answer names one.
 *   <li><b>Sweep nodes, then data.</b> Dead nodes are taken out of the index, durably, before the
 *       first of their chunks is. A container with few live chunks, or a small one, is condemned
 *       and copied forward: live chunks are stored again and published, then the container is taken
 *       out of the index. What was answered present is in the index at every moment.
 *   <li><b>Drop.</b> A durable record says that the containers are gone, after what was copied is
 *       durable; then their files are deleted.
 * </ol>
 *
 * <p>While it marks, it also learns which chunks one root alone reaches ({@link
 * onefold.store.housekeeping.Owners}), and while it sweeps, where these lie: what an item alone
 * keeps. Between blocks it rests as {@link onefold.store.housekeeping.Pace} says, and waits while
 * an operator has paused it; a cycle that waits keeps its marks, and answers go on to mark.
 *
 * <p>When no cycle is due and nothing moves in the foreground, the same task has cold containers
 * written anew, one after the other ({@link onefold.store.housekeeping.RecompressionSettings}).
 *
 * <p>A node that cannot be read, or is missing, stops the cycle before anything is swept: what lies
 * below it is not known.
 *
 * <p>May import {@code onefold.chunker}, {@code onefold.block} and, of the store, the face, {@code
 * .container}, {@code .index} and {@code .scheduler}. One task, {@code housekeeping}, for each
 * domain in which it runs; {@code Cycle.protect} is called by uploads.
 *
 * <table>
 * <caption>What runs beside what, and what makes it safe</caption>
 * <tr><th>this starts while</th><th>that runs</th><th>safe because</th></tr>
 * <tr><td>a have-answer</td><td>the attach</td><td>the asker notes its answers in its list before it
 *     looks whether a cycle is attached; the cycle reads the lists after it is</td></tr>
 * <tr><td>a have-answer for a node</td><td>the mark</td><td>it marks the node under the lock under
 *     which the phase is switched, and the mark goes on until there is none left</td></tr>
 * <tr><td>a have-answer for a node</td><td>the sweep</td><td>a candidate that is not marked is
 *     answered absent</td></tr>
 * <tr><td>a have-answer for data</td><td>the sweep</td><td>a container is condemned before its marks
 *     are read for the last time; from then on what is not marked in it is answered absent, and what
 *     is marked is published elsewhere before it is taken out here</td></tr>
 * <tr><td>storing</td><td>the sweep</td><td>open containers are no candidates; sealed ones with data
 *     that an upload stored itself are left out</td></tr>
 * <tr><td>a pause, a rest</td><td>the sweep</td><td>it stops between blocks; chunks that are copied
 *     already are found at their new places, the others at their old ones</td></tr>
 * <tr><td>a start</td><td>a cycle that a crash has cut off</td><td>nothing of a cycle is kept but what
 *     is durable by itself: copies, and records of containers that are gone</td></tr>
 * <tr><td>a cycle</td><td>recompression</td><td>never: one task does both, one after the other</td></tr>
 * <tr><td>reading</td><td>the drop</td><td>a reader finishes on the open file, or looks up again and
 *     finds the copy</td></tr>
 * </table>
 */
@NullMarked
package onefold.store.housekeeping;

import org.jspecify.annotations.NullMarked;
