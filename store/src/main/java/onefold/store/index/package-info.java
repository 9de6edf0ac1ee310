/**
 * The index: fingerprint to place, exact, larger than memory, derived from the containers'
 * directories.
 *
 * <p>An index is a set of facts "slot s of container c holds the chunk with this fingerprint and
 * kind, so many bytes long". New facts stand in a table in memory; those of sealed containers are
 * written to sorted runs, one file a partition of the fingerprints, and runs are merged. A look-up
 * asks the table and, through a filter in memory, the runs; the answer is the fact with the highest
 * container number among the containers that are known. Nothing here depends on the order in which
 * facts arrive.
 *
 * <p>May import {@code onefold.chunker}, {@code onefold.store}, {@code onefold.store.device} and
 * {@code onefold.store.scheduler}.
 *
 * <p>Promises: a look-up finds every chunk that was published before it began, in a container that
 * is known and not retracted, or says that it cannot know; no run on disk names a place of a
 * container that is not sealed; damage is found by checksums, reported once, and never answered as
 * "absent" to a reader.
 *
 * <table>
 * <caption>What runs beside what, and what makes it safe</caption>
 * <tr><th>this starts while</th><th>that runs</th><th>safe because</th></tr>
 * <tr><td>look-up</td><td>publish</td><td>records are written before the reference to them is
 *     stored with release; they never change afterwards</td></tr>
 * <tr><td>publish</td><td>publish, sealed, retract</td><td>one lock, held in memory only</td></tr>
 * <tr><td>look-up</td><td>retract</td><td>the set of known containers is bits; a look-up sees the
 *     container in or out, and both were true while it ran</td></tr>
 * </table>
 */
@NullMarked
package onefold.store.index;

import org.jspecify.annotations.NullMarked;
