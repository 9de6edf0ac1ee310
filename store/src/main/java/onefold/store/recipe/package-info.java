/**
 * Walking recipes: from an object's root and a position in it to the entries that hold its bytes.
 *
 * <p>May import {@code onefold.chunker} and {@code onefold.store}. Starts no task and waits only in
 * the {@link onefold.chunker.NodeSource} it is given; one thread at a time uses a cursor.
 *
 * <p>Promise: whatever bytes a node source answers, a walk ends with entries whose lengths add up
 * to the object's, or with an error that names the node.
 */
@NullMarked
package onefold.store.recipe;

import org.jspecify.annotations.NullMarked;
