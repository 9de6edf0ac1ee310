/**
 * Directory trees as one stream: the walk, the pax archive with its index, and the way back to a
 * file system.
 *
 * <p>File names are bytes here, from the kernel to the archive and back: they go through the
 * foreign-function API and never through {@code Path}, so that a name that is not valid in the
 * locale comes back byte-equal. May import the JDK only. One thread uses a {@link
 * onefold.appliance.tree.TreeWriter} or {@link onefold.appliance.tree.TreeRestorer}; nothing here
 * starts a thread.
 *
 * <p>Promises: a tree is always written as a whole archive that ordinary tar programs read; what
 * could not be read or changed while it was read is a {@link onefold.appliance.tree.Gap} with its
 * name. A restore writes below its target directory only, whatever names and links the archive
 * holds: every component is opened relative to its parent's descriptor, without following links.
 */
@NullMarked
package onefold.appliance.tree;

import org.jspecify.annotations.NullMarked;
