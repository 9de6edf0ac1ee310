/**
 * Cutting a stream into chunks, naming chunks by fingerprint, and the recipe: the Merkle tree over
 * an object.
 *
 * <p>May import the JDK only. Does no I/O and starts no thread; classes are not safe for use by
 * several threads at once unless they say so. Client, server, store and replication share this
 * package, so whatever it computes is the same on both ends of a wire.
 */
@NullMarked
package onefold.chunker;

import org.jspecify.annotations.NullMarked;
