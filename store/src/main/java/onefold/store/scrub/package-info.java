/**
 * Scrub: reading back all that is stored, at a bounded rate beside everything else, and making good
 * what is found damaged.
 *
 * <p>{@link onefold.store.scrub.Scrubber} runs the passes of one domain. A pass reads every
 * container that exists when it begins, from the lowest number on: header, frames, blocks by their
 * checksums, every chunk by its fingerprint, tables, roots and footer. Where it stands is a small
 * record in the catalog ({@code docs/formats/scrub-record.md}), so that the next start goes on
 * there.
 *
 * <p>A container that is not right is made whole from its parity at once, if it has one that can;
 * while that is tried its chunks still count as present, because they are about to be readable.
 * Otherwise the chunks of each damaged block that are found nowhere else are put into quarantine,
 * and the damage is listed until the container is right or gone. {@link
 * onefold.store.scrub.DamageMap} finds out which items need what is in quarantine; then every
 * {@link onefold.store.scrub.RepairSource} is tried, one damage after the other, in the order that
 * {@link onefold.store.Scrubbing#damages} shows. A chunk that is uploaded again heals without any
 * of this.
 *
 * <p>May import {@code onefold.chunker} and, of the store, the face, {@code .catalog} (its {@code
 * QuarantinedChunk}), {@code .container}, {@code .device} (its exceptions) and {@code .scheduler}.
 * One task, {@code scrub}, for each domain in which something is to be done. It takes 16 bytes of
 * memory a container, and 4 MiB while it reads.
 *
 * <table>
 * <caption>What runs beside what, and what makes it safe</caption>
 * <tr><th>this starts while</th><th>that runs</th><th>safe because</th></tr>
 * <tr><td>storing</td><td>a pass</td><td>what is younger than the pass is the next one's business;
 *     an open container is read up to where it ended</td></tr>
 * <tr><td>housekeeping drops a container</td><td>its reading, its repair</td><td>the reader finishes
 *     on the open file; a repaired file takes the name only under the lock under which the container
 *     exists. What was live in it was read and checked when it was copied</td></tr>
 * <tr><td>housekeeping recompresses a container</td><td>its reading, its repair</td><td>what counts
 *     then was proven when it was written: the container leaves the list. A repair that comes too late
 *     takes no name, and the parity goes with its generation. Only the domain's task {@code
 *     housekeeping} deletes and recompresses; the lock of {@code Containers} orders it and the
 *     repair</td></tr>
 * <tr><td>housekeeping</td><td>chunks of a container are in quarantine</td><td>as long as one of them is
 *     live the container stays, for the repair</td></tr>
 * <tr><td>a reader finds damage</td><td>the repair of the container has just ended</td><td>the chunk goes
 *     into quarantine; the container is looked into again, found whole, and the chunk comes
 *     back</td></tr>
 * <tr><td>reading a container</td><td>its repair</td><td>the reader finishes on the old file; who
 *     opens it later gets the new one</td></tr>
 * <tr><td>an upload of a damaged chunk</td><td>its repair</td><td>the chunk leaves the quarantine
 *     once, under the domain's lock; a second copy is housekeeping's business</td></tr>
 * <tr><td>a repaired node is stored again</td><td>a sweep has dropped what is below it</td><td>until
 *     the next cycle of housekeeping a node that is found does not stand for what is below it, as
 *     after the index was built anew</td></tr>
 * <tr><td>damage is found or healed</td><td>the mapping</td><td>a map is of one version of the
 *     quarantine; with another one it is not used, and made again</td></tr>
 * <tr><td>close</td><td>anything here</td><td>the task stops between two blocks, and keeps where it
 *     was</td></tr>
 * </table>
 */
@NullMarked
package onefold.store.scrub;

import org.jspecify.annotations.NullMarked;
