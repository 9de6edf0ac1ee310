/**
 * A simulated disk and a simulated scheduler, published to the other modules' tests.
 *
 * <p>One seed is one run. {@link onefold.store.simulation.SimulatedScheduler} runs one task at a
 * time and lets the seed choose the next; {@link onefold.store.simulation.SimulatedDevice} keeps
 * what was not forced apart from what was and makes from it, by seed, any state that a power loss
 * may leave; {@link onefold.store.simulation.SeamTrace} hashes every call of both, so that two runs
 * of a seed can be compared. {@link onefold.store.simulation.Simulation} puts the three together.
 *
 * <p>May import the store's face, {@code onefold.store.device} and {@code onefold.store.scheduler}.
 * A device without a scheduler may be used by many threads; with one, by that scheduler's tasks
 * only.
 */
@NullMarked
package onefold.store.simulation;

import org.jspecify.annotations.NullMarked;
