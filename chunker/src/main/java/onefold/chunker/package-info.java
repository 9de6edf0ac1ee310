/**
 * Cutting a stream into chunks, naming chunks by fingerprint, and the recipe: the Merkle tree over
 * an object.
 *
 * <p>May import the JDK only, the incubating vector module in one class that other JVMs never load.
 * Does no I/O and starts no thread. Cutters, fingerprinters, builders, readers and batches belong
 * to one thread at a time and share nothing, so any number of them run beside each other; records
 * and the constants are safe everywhere.
 *
 * <p>Promises: client, server, store and replication share this package, so equal bytes give equal
 * borders, fingerprints and roots on both ends of a wire, on every machine and in every release
 * (docs/formats/chunking.md, docs/formats/recipe-node.md). Cutting, fingerprinting and walking a
 * node make no garbage per chunk. Bytes from outside that are no node are a {@link
 * onefold.chunker.NodeFormatException} and nothing else.
 */
@NullMarked
package onefold.chunker;

import org.jspecify.annotations.NullMarked;
