/** The command line. */
@NullMarked
package onefold.appliance.cli;

import org.jspecify.annotations.NullMarked;
