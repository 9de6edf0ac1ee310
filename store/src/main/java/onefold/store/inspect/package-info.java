/**
 * A look inside a data directory: containers, index, the tree of an item, where a chunk lives, what
 * a damaged container affects. Reads only, finds everything by the containers' own directories and
 * never by the index, and goes on behind damage.
 *
 * <p>Read {@link onefold.store.inspect.Inspection} first; what it answers are the other types.
 *
 * <p>May import {@code onefold.store}, {@code onefold.chunker}, {@code .container}, {@code .index},
 * {@code .device} and {@code .scheduler}. Nobody else of the store imports it. One thread at a
 * time; starts none.
 *
 * <p>Promises: what is said of a chunk's bytes was checked against its fingerprint; what cannot be
 * read is named and never taken for absent. It finishes containers that a crash has left open, so a
 * directory that must not change is handed in under a layer that keeps writes away from it. Memory:
 * about 100 bytes for each recipe node of the domain and for each distinct chunk of what is asked
 * about, and for each entry of one container.
 */
@NullMarked
package onefold.store.inspect;

import org.jspecify.annotations.NullMarked;
