/**
 * Measuring the dedup ratio of one's own data before buying disks: cuts, hashes and compresses as a
 * store would, and keeps nothing. May import {@code onefold.chunker}, {@code onefold.block} and
 * {@code onefold.appliance.tree}.
 *
 * <p>Chunks are told apart by a 64-bit XXH3 here, which is enough to count and would never be
 * enough to store. The thread that reads fills one buffer while a fixed pool works on the other;
 * each size's figures are touched by one task at a time, and the reader waits for all tasks before
 * it swaps the buffers.
 */
@NullMarked
package onefold.appliance.analyze;

import org.jspecify.annotations.NullMarked;
