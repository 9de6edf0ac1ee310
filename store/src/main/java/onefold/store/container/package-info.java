/**
 * Containers: the files that hold a domain's chunks, and the truth about them. An index can be made
 * from them, never the other way round.
 *
 * <p>{@link onefold.store.container.Containers} is the face. Blocks are appended to a few open
 * containers a kind; a full one is sealed in the background and then never changes. A chunk's place
 * is (container, slot); the container's directory turns the slot into a block. A cold container is
 * written anew as its next generation, which has the same slots in other blocks ({@link
 * onefold.store.container.Recompression}); so a block is named by container, generation and number.
 * Bytes: {@code docs/formats/container.md}.
 *
 * <p>May import {@code onefold.chunker}, {@code onefold.block}, {@code onefold.store} (its
 * exceptions and ids), {@code .device} and {@code .scheduler}. Tasks: {@code seal-container}, at
 * most {@link onefold.store.container.Containers#MAX_SEALING} at a time and one more for each that
 * could not be sealed before; {@code force-container}, one for each container of a force but the
 * first; {@code recompress}, computations of {@link onefold.store.container.Recompression}. None
 * remains when nothing is done.
 *
 * <p>Promises, and why a crash at any moment keeps them:
 *
 * <ol>
 *   <li><b>A file's name says what it is.</b> A container grows as {@code .open}; it is renamed to
 *       {@code .container} after blocks, directory and footer have been forced, and the listener
 *       hears of it after the directory has been forced. So a {@code .container} was whole once:
 *       whatever is missing in it is damage. An {@code .open} file is never trusted beyond the end
 *       that the journal names, not even if a footer stands there: a crash may have written the
 *       footer and not the blocks before it.
 *   <li><b>What is acknowledged was forced.</b> {@link onefold.store.container.Containers#force}
 *       forces file and name; the journal names the end afterwards (or carries the bytes, which
 *       recovery writes again before it opens the containers).
 *   <li><b>A torn tail is cut, never appended to.</b> Recovery reads an {@code .open} file up to
 *       its durable end, decompressing and fingerprinting every block, cuts it there, writes the
 *       directory of what it found and seals it. All of that can be interrupted and done again: the
 *       bytes before the durable end are not touched, and new blocks go to new files.
 *   <li><b>Damage before the durable end is damage.</b> It costs the block it is in: its slots stay
 *       and are marked as lost, since frames carry their first slot and no later slot moves.
 *   <li><b>Every read is checked</b> against the checksum in the directory, which finds a stale or
 *       misplaced block too; a chunk handed out by {@code readChunk} against its fingerprint.
 *   <li><b>A directory that is damaged is made again</b> from the blocks, in memory; along the
 *       block table if that is whole.
 *   <li><b>One whole generation at every moment.</b> The next one is forced, read back and proven
 *       before it is renamed, and its name is forced before the old file is deleted. An {@code
 *       .open} file beside a {@code .container} of its number was never finished and is deleted; of
 *       two {@code .container} files the younger counts.
 *   <li><b>A repair never writes to the damaged file.</b> The repaired one is forced, read back and
 *       proven by its own checksums under another name, and then takes the name by a rename; a
 *       crash leaves the one or the other. A parity is made of a sealed container only, and takes
 *       its name when it is whole; one whose container is not there means nothing.
 *   <li><b>Full is not broken.</b> A block for which there is no space leaves the container as it
 *       was; a container whose directory has no space stays open and readable and is sealed later.
 * </ol>
 *
 * <table>
 * <caption>What runs beside what, and what makes it safe</caption>
 * <tr><th>this starts while</th><th>that runs</th><th>safe because</th></tr>
 * <tr><td>append</td><td>append of the same kind</td><td>each holds a lane; at the bound it waits</td>
 *     </tr>
 * <tr><td>read of an open container</td><td>append</td><td>a location is handed out after the block
 *     has been written; the growing directory is guarded by the container's lock</td></tr>
 * <tr><td>force</td><td>append</td><td>it counts up to the end seen before the file was forced</td></tr>
 * <tr><td>force, read</td><td>seal</td><td>the file stays open; the rename does not touch it; seal
 *     writes behind all blocks</td></tr>
 * <tr><td>delete</td><td>read, scan</td><td>the reader has the file open and finishes; one that comes
 *     later hears that the container has gone and looks up again</td></tr>
 * <tr><td>recompress</td><td>read, scan, verify</td><td>a reader asks one generation, directory and
 *     file together, and finishes on the open file; whoever finds its file deleted, or comes with the
 *     number of a block of a generation that is gone, asks the one that counts now</td></tr>
 * <tr><td>recompress</td><td>delete of the same container</td><td>never: both are done by the domain's
 *     task {@code housekeeping}</td></tr>
 * <tr><td>repair</td><td>read, scan, verify</td><td>the repaired file has another key among the open
 *     files and in the caches, so that nothing of the damaged one is taken for it; readers finish on
 *     the damaged one, and whoever opens it too late looks again. A block number of a directory that
 *     was made again from the blocks may be another block's now: the fingerprint tells</td></tr>
 * <tr><td>repair</td><td>delete, recompress</td><td>it reads and writes beside them, and takes the name
 *     only under the lock under which they change what counts, and only if it is still the generation
 *     that it began with; else its file is deleted</td></tr>
 * <tr><td>delete, recompress</td><td>repair</td><td>they do not need the file that was there when they
 *     began: recompress has proven each chunk that it took, and what counts then is its
 *     generation</td></tr>
 * <tr><td>writeParity</td><td>delete, recompress</td><td>as repair. Recompress and seal write the
 *     parity themselves, before anybody else knows the name</td></tr>
 * <tr><td>settle</td><td>repair, writeParity</td><td>the draft lies on the container's disk; the move of
 *     a file and the rename of a draft exclude each other. A draft whose container has left its disk
 *     by then takes no name: a repair is tried again, a parity of the disk before is deleted
 *     first</td></tr>
 * <tr><td>dropParity</td><td>recompress</td><td>the new generation keeps its parity only if the old one
 *     still had one when they changed places</td></tr>
 * <tr><td>repair, writeParity, dropParity, checkParity</td><td>each other</td><td>never: all are done by
 *     the domain's task {@code scrub}</td></tr>
 * <tr><td>recompress</td><td>damage found in the old file</td><td>every chunk is proven before it is
 *     written anew; one that is not ends the attempt</td></tr>
 * <tr><td>decodedBlock</td><td>the same block</td><td>the second waits for the first one's promise
 *     </td></tr>
 * <tr><td>close</td><td>seal</td><td>it waits until none is being sealed</td></tr>
 * <tr><td>close</td><td>append</td><td>no new container is made; the caller stops its writers
 *     first</td></tr>
 * </table>
 */
@NullMarked
package onefold.store.container;

import org.jspecify.annotations.NullMarked;
