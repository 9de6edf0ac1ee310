/**
 * The write-back: files that are changed in place, over recipes that never change.
 *
 * <p>{@link onefold.store.writeback.Writeback} is the face, one of each domain; {@code
 * WritebackObject} is a file: the recipe below ({@code Base}), the extents over it ({@code
 * ExtentMap}), and how changes move on, into the log ({@code Delta}, {@code WritebackLog}) or into
 * recipes. What it needs of the engine is {@link onefold.store.writeback.Ground} and {@link
 * onefold.store.writeback.ObjectBuilder}. The log's bytes stand in {@code
 * docs/formats/writeback-log.md}, the reasons in {@code docs/decisions/0066-writeback.md}.
 *
 * <p>May import {@code onefold.store}, {@code .device}, {@code .scheduler}, {@code .journal},
 * {@code .recipe} and {@code onefold.chunker}. One task, {@code writeback}, folds what has been
 * left alone for a while, what is large and what holds the log; it ends when nothing is left.
 *
 * <p><b>Locks.</b> Of an object, in this order: {@code work} while a recipe is made or named,
 * {@code logging} while records are appended and waited for, {@code state} for a moment. Before
 * them {@code roomLock} of whoever makes room in memory or in the log, and {@code trimLock}. The
 * registry's {@code lock} comes before {@code state} and is never held while something is waited
 * for but a look at the state.
 *
 * <p>Promises:
 *
 * <ol>
 *   <li><b>Forced is durable</b>, whatever is cut, folded, streamed or named meanwhile.
 *   <li><b>What is not forced may vanish</b>, in part too, but never takes away what was forced.
 *   <li><b>A force costs a group commit</b>: one barrier of the log, shared by all that wait; for a
 *       stream that of the catalog beside it.
 *   <li><b>Bounded</b>: memory, log, recipes in the making, readers; see {@link
 *       onefold.store.writeback.WritebackSettings}.
 * </ol>
 *
 * <table>
 * <caption>What runs beside what, and what makes it safe</caption>
 * <tr><th>this starts while</th><th>that runs</th><th>safe because</th></tr>
 * <tr><td>read</td><td>write</td><td>it takes extents and recipe as one moment under the state
 *     lock; extents are immutable, arrays are not written again</td></tr>
 * <tr><td>read</td><td>fold, trim of the log</td><td>the recipe it has taken stays pinned until it
 *     leaves it; a part of the log that has gone meanwhile makes it look again, because every fold
 *     counts the generation up</td></tr>
 * <tr><td>force</td><td>fold</td><td>a record leads from any state between its numbers to its own,
 *     so it does not matter which of them is durable first; the least lengths since the last
 *     record, since the append and since the fold that run are kept apart</td></tr>
 * <tr><td>force</td><td>force of the same object</td><td>one after the other, by the logging lock;
 *     the second finds less to do, or nothing</td></tr>
 * <tr><td>force</td><td>force of another object</td><td>the journal makes one barrier of all that
 *     wait</td></tr>
 * <tr><td>write</td><td>fold</td><td>the fold takes extents up to a number; those with a higher one
 *     stay over the new recipe</td></tr>
 * <tr><td>write into what is being fed</td><td>a stream</td><td>it marks the stream broken, under
 *     the lock under which the recipe's beginning would replace the extents; then they stay</td></tr>
 * <tr><td>a name for a stream's beginning</td><td>records of before</td><td>what lies over the
 *     beginning is logged again under higher numbers; first, if some of it had been forced</td></tr>
 * <tr><td>fold</td><td>fold, stream, name</td><td>the work lock</td></tr>
 * <tr><td>fold</td><td>splice, and the source is deleted</td><td>every source is pinned as long as
 *     an extent refers to it; one that was overwritten meanwhile and swept makes the fold begin
 *     again</td></tr>
 * <tr><td>open</td><td>the last close, the end of an object</td><td>objects are ended under the
 *     registry's lock and counted; an open that has looked into the tree before looks again</td></tr>
 * <tr><td>trim</td><td>an append whose place is not known yet</td><td>the position that the next
 *     record gets is read before the objects are asked; an object says before it appends from where
 *     on it may need the log</td></tr>
 * <tr><td>delete of the entry</td><td>anything</td><td>{@code SetObject} does nothing then, and the
 *     tree is looked at after it; the object lives on over its pinned recipe until it is
 *     closed</td></tr>
 * <tr><td>housekeeping</td><td>fold, stream</td><td>what a recipe in the making refers to stands in
 *     the have-list of its upload until the tree has its root durably</td></tr>
 * <tr><td>a snapshot or copy of the share</td><td>writes</td><td>all its objects are folded before;
 *     what is written meanwhile is in it or not</td></tr>
 * <tr><td>close</td><td>anything</td><td>everything is forced, the task is waited for, then the log
 *     is closed; who comes later is refused</td></tr>
 * </table>
 */
@NullMarked
package onefold.store.writeback;

import org.jspecify.annotations.NullMarked;
