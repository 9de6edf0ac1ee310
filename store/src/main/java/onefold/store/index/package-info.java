/**
 * The index: fingerprint to place, exact, larger than memory, derived from the containers'
 * directories.
 *
 * <p>An index is a set of facts "slot s of container c holds the chunk with this fingerprint and
 * kind, so many bytes long". New facts stand in a table in memory; those of sealed containers are
 * written to sorted runs, one file a partition of the fingerprints, and runs are merged. A look-up
 * asks the table and, through a filter in memory, the runs, telling the device of many pages before
 * it reads the first; the answer is the fact with the highest container number among the containers
 * that are known. Nothing here depends on the order in which facts arrive.
 *
 * <p>{@link onefold.store.index.ChunkIndex} is the face, and takes and flushes what is published;
 * {@code IndexSearch} answers look-ups, {@code IndexMerging} merges runs and splits partitions,
 * {@code IndexDamage} notes what is lost, {@code RunChanges} replaces the manifest and the version,
 * {@code IndexTasks} has the tasks and who waits for them. {@code RunFormat} and {@code
 * ManifestFormat} are the files, docs/formats/index.md their bytes.
 *
 * <p>May import {@code onefold.chunker}, {@code onefold.store}, {@code onefold.store.device} and
 * {@code onefold.store.scheduler}.
 *
 * <p>Threads: callers look up and publish on their own. Tasks are started when there is something
 * to do and end when it is done, at most one of each: {@code index-flush} writes a frozen table,
 * {@code index-merge} merges runs and splits partitions; {@code index-damage}, one for each piece
 * of damage, notes it in the manifest and tells the listener.
 *
 * <p>Three locks, always taken in this order: {@code index-change} by whoever replaces the
 * manifest, {@code index-load} by whoever opens a run, {@code index} for state in memory. Only the
 * first two are held over I/O.
 *
 * <p>Promises: a look-up finds every chunk that was published before it began, in a container that
 * is known and not retracted, or says that it cannot know; no run on disk names a place of a
 * container that is not sealed; damage is found by checksums, reported once, and never answered as
 * "absent" to a reader. Memory and disk: at most 1.6 bytes of filters and 44 bytes of disk an
 * entry, twice that while merging, and two tables of {@code tableBytes}.
 *
 * <table>
 * <caption>What runs beside what, and what makes it safe</caption>
 * <tr><th>this starts while</th><th>that runs</th><th>safe because</th></tr>
 * <tr><td>look-up</td><td>publish</td><td>records are written before the reference to them is
 *     stored with release; they never change afterwards</td></tr>
 * <tr><td>publish</td><td>publish, sealed, retract</td><td>one lock, held in memory only</td></tr>
 * <tr><td>look-up</td><td>retract</td><td>the set of known containers is bits; a look-up sees the
 *     container in or out, and both were true while it ran</td></tr>
 * <tr><td>look-up</td><td>flush, merge, quiesce</td><td>it holds the version it began with; tables,
 *     filters and files of a version are freed and deleted when its last look-up has ended</td></tr>
 * <tr><td>publish</td><td>flush</td><td>it goes to the active table; the frozen one is only read,
 *     and what may not be written moves to the active one, under the lock, before it goes</td></tr>
 * <tr><td>publish that finds the table full</td><td>flush, merge that is behind</td><td>it waits for
 *     their end, or throws their failure</td></tr>
 * <tr><td>flush</td><td>merge</td><td>merging reads and writes without a lock; both put their runs
 *     into the manifest under the change lock, by the runs' numbers</td></tr>
 * <tr><td>flush into a partition</td><td>its split</td><td>the split takes runs that came meanwhile
 *     along, under the change lock</td></tr>
 * <tr><td>retract</td><td>flush, merge</td><td>they work on a copy of the set of known containers;
 *     an entry that is written all the same is not known, and goes with the next merge</td></tr>
 * <tr><td>damage found by a look-up</td><td>flush, merge, another look-up's damage</td><td>the
 *     partition is marked under the lock; a run that has been merged away meanwhile was read whole,
 *     and the look-up begins again</td></tr>
 * <tr><td>damage</td><td>a rebuild</td><td>each loss has a number; a rebuild makes whole only what
 *     was lost before it began</td></tr>
 * <tr><td>close</td><td>flush, merge</td><td>they end at their next write, remove what they made, and
 *     are waited for</td></tr>
 * <tr><td>power loss</td><td>any of it</td><td>a manifest names only runs that were forced before it,
 *     and is replaced by a rename; runs that no manifest names are removed</td></tr>
 * </table>
 */
@NullMarked
package onefold.store.index;

import org.jspecify.annotations.NullMarked;
