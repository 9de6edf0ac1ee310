/**
 * The block: a run of neighbouring chunks compressed together, and the codecs that do it.
 *
 * <p>May import the JDK, {@code onefold.chunker} and the codec libraries. Does no I/O and starts no
 * thread; a builder or reader belongs to one thread at a time, and whoever makes one closes it,
 * because Zstandard holds memory outside the heap.
 *
 * <p>Promises: a block of any release is read by every later one (docs/formats/block.md), whether
 * native or plain Java codecs wrote it. Nothing is allocated by a length that was not compared with
 * its limit: at most 1 MiB of plain bytes a reader. Bytes from outside that are no whole block are
 * a {@link onefold.block.BlockFormatException} and nothing else.
 */
@NullMarked
package onefold.block;

import org.jspecify.annotations.NullMarked;
