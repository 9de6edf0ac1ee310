/**
 * Benches, load generators and the bare pipeline of a machine, through the public doors of the
 * other modules. Nobody imports this package.
 */
@NullMarked
package onefold.perf;

import org.jspecify.annotations.NullMarked;
