/**
 * Waiting, as the store sees it: tasks, locks, conditions, queues, promises, timers, time and
 * randomness.
 *
 * <p>Everything below the store's face waits through a {@link onefold.store.scheduler.Scheduler}
 * and nowhere else, so that a simulation can run one task at a time and choose by a seed which one
 * is next. {@link onefold.store.scheduler.ThreadScheduler} is the real one; the test-jar holds the
 * simulated one.
 *
 * <p>May import the JDK only. Tasks are virtual threads and may block; {@code parallelFor} and
 * {@code compute} run on a fixed pool of platform threads, as wide as the cores, and must not
 * block.
 *
 * <p>Promises: no wait of this package can be interrupted; an interrupt is kept and shown to the
 * caller afterwards. What a task did before it completed a promise, put into a queue, unlocked or
 * ended is seen by whoever waited for that.
 *
 * <table>
 * <caption>What runs beside what, and what makes it safe</caption>
 * <tr><th>this starts while</th><th>that runs</th><th>safe because</th></tr>
 * <tr><td>put, take, close of a queue</td><td>each other</td><td>one lock per queue</td></tr>
 * <tr><td>complete of a promise</td><td>another complete or fail, await</td><td>the first one counts; it is one
 *     compare-and-set</td></tr>
 * <tr><td>parallelFor</td><td>parallelFor of others</td><td>each has its own counter of indices; a pool thread goes to
 *     the end of the queue after each index, so they share the pool evenly</td></tr>
 * <tr><td>parallelFor inside parallelFor or compute</td><td>a pool with no thread free</td><td>the caller works through
 *     all indices itself and waits only for those that somebody is already running</td></tr>
 * <tr><td>close of the scheduler</td><td>tasks</td><td>it waits for them: who starts a task ends it first</td></tr>
 * </table>
 */
@NullMarked
package onefold.store.scheduler;

import org.jspecify.annotations.NullMarked;
