/**
 * The file layer: names, files, links, attributes and locks of shares, for whatever protocol serves
 * them.
 *
 * <p>A {@link onefold.nas.FileSystem} is one share. What stands behind a name is a file id, which
 * is never used again; a front-end's handles are made of share id and file id, and so outlive a
 * restart. Who asks is told by {@link onefold.nas.Credentials}, which {@link onefold.nas.Exports}
 * makes of what a client claims; every refusal is a {@link onefold.nas.FileException} with an error
 * that each protocol has a number for.
 *
 * <p>May import the face {@code onefold.store} and {@code onefold.chunker}; never a front-end below
 * it, which do not know each other.
 */
@NullMarked
package onefold.nas;

import org.jspecify.annotations.NullMarked;
