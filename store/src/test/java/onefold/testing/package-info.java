/**
 * What tests of several modules share: which real clients a machine has, and a line that breaks.
 * May import JUnit.
 */
@NullMarked
package onefold.testing;

import org.jspecify.annotations.NullMarked;
