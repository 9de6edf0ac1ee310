/**
 * What a client needs to find, trust and enter an appliance: {@link
 * onefold.appliance.context.Context}, the files it lies in and the order in which they are looked
 * for.
 *
 * <p>Imports {@code json} and the JDK. Files are replaced whole by a rename, so that a reader sees
 * the old or the new one while they are written; everything else is immutable.
 */
@NullMarked
package onefold.appliance.context;

import org.jspecify.annotations.NullMarked;
