/**
 * Gates that hold for all classes of the store: rules that are checked, and breaches that show the
 * checks work.
 */
@NullMarked
package onefold.store.gate;

import org.jspecify.annotations.NullMarked;
