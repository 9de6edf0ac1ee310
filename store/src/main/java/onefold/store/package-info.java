/**
 * The face of the store: what front-ends see, and nothing below it.
 *
 * <p>A {@link onefold.store.ChunkStore} is one appliance's data directory. Names (stores, items)
 * live in its catalog; bytes enter through an {@link onefold.store.IngestSession}, source side, or
 * an {@link onefold.store.ObjectWriter}, server side, which is built on the same session, and leave
 * through an {@link onefold.store.ObjectReader}.
 *
 * <p>May import {@code onefold.chunker} and {@code onefold.block}. All interfaces here may be
 * called by many threads at once unless they say otherwise.
 */
@NullMarked
package onefold.store;

import org.jspecify.annotations.NullMarked;
