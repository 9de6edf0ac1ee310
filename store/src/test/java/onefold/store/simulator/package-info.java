/**
 * The everyday simulator: random programs against the whole store on a simulated disk, judged by a
 * model that is too simple to be wrong.
 *
 * <p>A {@code Program} is a list of {@code Step}s that a seed has chosen: uploads of both roads,
 * splices, clones, deletes, undeletes, locks, snapshots, quotas, listings, reads, housekeeping,
 * tasks side by side, clean ends, killed processes and lost power in the middle of any of them.
 * {@link onefold.store.simulator.SimulatedProgram} runs one; after every step the store must be
 * what the {@code Model} says: what was acknowledged is there unchanged, a step that was cut off is
 * wholly there or wholly absent, and nothing else has changed. A program that fails is shrunk to a
 * small one that still does. {@link onefold.store.simulator.SimulatorCampaign} runs programs by the
 * clock.
 *
 * <p>The judge itself is judged: {@code JudgeTest} plants faults below and above the engine, each
 * of which must be caught, and {@link onefold.store.simulator.JudgeCampaign} runs the programs
 * against engines that are broken by small patches.
 *
 * <p>May import the store's face, {@code onefold.store.simulation}, the seams and, to open it, the
 * engine. Everything below {@code SimulatedProgram} runs as tasks of one simulated scheduler, one
 * at a time.
 */
@NullMarked
package onefold.store.simulator;

import org.jspecify.annotations.NullMarked;
