/**
 * The Catalyst SDK: what a backup program uses to write, read and manage items on a Onefold
 * appliance.
 *
 * <p>Begin with {@link onefold.catalyst.client.CatalystClient#connect}. Records of stores and items
 * are those of {@code onefold.catalyst.wire}.
 *
 * <p>May import {@code onefold.catalyst.wire}, {@code onefold.chunker}, {@code onefold.block} and
 * Netty; never the store. Works without the vector module.
 *
 * <p>Threads: a client may be used by many threads at once; a writer or reader by one at a time. A
 * client has one event loop, and a pool as wide as the cores for cutting, hashing, compressing and
 * decompressing; a low-bandwidth writer has a virtual thread that negotiates. What this starts
 * while that runs, and what makes it safe:
 *
 * <table>
 * <caption>Concurrency</caption>
 * <tr><th>this</th><th>while</th><th>safe because</th></tr>
 * <tr><td>the caller fills a segment</td><td>workers hash, the negotiation sends</td><td>a segment
 * is handed over once, and comes back only when every node over it is settled:
 * {@code SegmentRing}'s lock</td></tr>
 * <tr><td>workers finish segments and blocks</td><td>the negotiation runs</td><td>they only put
 * events into its queue; all its state belongs to its thread</td></tr>
 * <tr><td>a connection breaks</td><td>requests wait</td><td>their streams fail; each repeats by the
 * retry policy with the same command id</td></tr>
 * <tr><td>a client is closed</td><td>writers and readers are open</td><td>their streams fail and
 * nothing reconnects; an upload stays unfinished</td></tr>
 * </table>
 */
@NullMarked
package onefold.catalyst.client;

import org.jspecify.annotations.NullMarked;
