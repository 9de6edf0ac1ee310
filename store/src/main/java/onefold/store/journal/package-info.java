/**
 * The journal: what has been acknowledged and is not yet part of a checkpoint, in the order in
 * which it happened.
 *
 * <p>It is a row of segment files in one directory; the bytes stand in {@code
 * docs/formats/journal.md}. {@link onefold.store.journal.Journal#append} hands out a promise that
 * is kept when the record is durable; one task writes all records that wait at that moment as one
 * group, with one force. Who will wait for its record anyway may write it himself, {@link
 * onefold.store.journal.Journal#appendHere}, and the others' that wait with it, if nobody writes.
 *
 * <p>May import {@code onefold.store} (its exceptions and ids), {@code .device} and {@code
 * .scheduler}. Two tasks are started when there is something to do and end when there is not:
 * {@code journal-writer} writes groups, {@code journal-prepare} allocates the next segment when the
 * current one is half full. A journal that nobody appends to has no task.
 *
 * <p>Promises, and why a crash at any moment keeps them:
 *
 * <ol>
 *   <li><b>A kept promise is durable.</b> A segment gets its name after its header and its space
 *       have been forced, and the directory is forced before the first group is written to it; a
 *       group is forced before its promises are kept.
 *   <li><b>At most two barriers a group.</b> First the {@link onefold.store.journal.GroupBarrier}
 *       forces, at once, everything that any record of the group asks for; then the payloads are
 *       taken, so that they can name what has been forced; then one write and one force. Segments
 *       are made beside that.
 *   <li><b>A torn tail is cut, damage is not.</b> Every record says up to which position everything
 *       had been forced when it was written. Where reading ends at position p, a later record that
 *       was written after p had been forced proves that p is damaged; if there is none, p was never
 *       acknowledged. After a group a <i>witness</i> record is written, unforced, so that the last
 *       group of a process that was killed has such a proof too. The witness file says the same
 *       where the loss of a segment, or of its end, does not take it along.
 *   <li><b>What was read once is read again.</b> Opening never appends to a segment it found. The
 *       last group, which may be in the page cache only, is written again to a new segment whose
 *       header cuts all earlier segments at that position; the new segment appears by a rename
 *       after a force.
 *   <li><b>Old records are never read as new.</b> Each segment has a salt of its own in the
 *       checksum of record headers, so that nothing that a recycled file held, or that a client put
 *       into a record's payload, looks like a record of this segment; position and epoch stand in
 *       each record besides.
 * </ol>
 *
 * <table>
 * <caption>What runs beside what, and what makes it safe</caption>
 * <tr><th>this starts while</th><th>that runs</th><th>safe because</th></tr>
 * <tr><td>append</td><td>append, the writer</td><td>the row of waiting records is guarded by the lock;
 *     only the writer takes from it, and there is one writer at a time</td></tr>
 * <tr><td>somebody writes his own record</td><td>append, the writer</td><td>he is the one writer
 *     then, and hands over to a task what came while he wrote</td></tr>
 * <tr><td>the writer needs a segment</td><td>journal-prepare makes it</td><td>it waits for the end of
 *     the preparation</td></tr>
 * <tr><td>trim</td><td>the writer</td><td>the current and the prepared segment are never trimmed; the
 *     list of segments is guarded by the lock</td></tr>
 * <tr><td>trim</td><td>replay, trim</td><td>they wait for each other</td></tr>
 * <tr><td>replay</td><td>the writer</td><td>it reads up to the last position that was durable when it
 *     began</td></tr>
 * <tr><td>close</td><td>append, the writer</td><td>close refuses new records, then waits for both
 *     tasks</td></tr>
 * </table>
 */
@NullMarked
package onefold.store.journal;

import org.jspecify.annotations.NullMarked;
