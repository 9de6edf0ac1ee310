/**
 * Figures of the engine and the process for Prometheus, by Micrometer. The registry is made when it
 * is first asked for, so that it costs a start nothing.
 *
 * <p>Imports the store's face and Micrometer. {@link onefold.appliance.metrics.Metrics} is safe for
 * many threads.
 */
@NullMarked
package onefold.appliance.metrics;

import org.jspecify.annotations.NullMarked;
