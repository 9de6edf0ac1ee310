/** What tests of several modules share: which real clients a machine has. May import JUnit. */
@NullMarked
package onefold.testing;

import org.jspecify.annotations.NullMarked;
