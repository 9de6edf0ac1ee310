/**
 * The block: a run of neighbouring chunks compressed together, and the codecs that do it.
 *
 * <p>May import the JDK, {@code onefold.chunker} and the codec libraries. Does no I/O and starts no
 * thread.
 */
@NullMarked
package onefold.block;

import org.jspecify.annotations.NullMarked;
