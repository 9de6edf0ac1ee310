/**
 * Where mappings are kept: one private file each in the data directory.
 *
 * <p>May import {@code onefold.replication}, {@code onefold.store} (the face) and the appliance's
 * context and JSON. No threads of its own.
 */
@NullMarked
package onefold.appliance.mapping;

import org.jspecify.annotations.NullMarked;
