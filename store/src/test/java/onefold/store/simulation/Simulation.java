package onefold.store.simulation;

import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One run of one seed: a scheduler, a device and the trace of both.
 *
 * <pre>{@code
 * var simulation = new Simulation(seed);
 * simulation.run(() -> { … simulation.device() … simulation.scheduler() … });
 * var after = simulation.afterPowerLoss(seed + 1); // another run, on what the power loss left
 * }</pre>
 */
public final class Simulation {
  private final SeamTrace trace;
  private final SimulatedScheduler scheduler;
  private final SimulatedDevice device;

  /**
   * Keeps the random numbers of one life apart from those of all before on the same disk, whatever
   * their seeds: a process never draws again what one before it drew, a salt least of all.
   */
  private static final long LIFE = 0xD1B54A32D192ED03L;

  private final int life;

  /** A run on an empty device. */
  public Simulation(long seed) {
    this(seed, 0, SimulatedDevice::new);
  }

  private Simulation(long seed, int life, Function<SimulatedScheduler, SimulatedDevice> disk) {
    this.life = life;
    trace = new SeamTrace(Integer.getInteger("onefold.trace", 0));
    scheduler =
        new SimulatedScheduler(seed ^ life * LIFE, trace, SimulatedScheduler.DEFAULT_MAX_CALLS);
    device = disk.apply(scheduler);
  }

  /** A new run on a state that a power loss now may leave of this device. */
  public Simulation afterPowerLoss(long seed) {
    return new Simulation(seed, life + 1, next -> device.crash(seed, next));
  }

  /** A new run on a state that a power loss now may leave by one model. */
  public Simulation afterPowerLoss(CrashModel model, long seed) {
    return new Simulation(seed, life + 1, next -> device.crash(model, seed, next));
  }

  /**
   * A new run on everything that was written, forced or not: what an orderly end or a killed
   * process leaves. What was not forced may still be lost by a power loss in that run.
   */
  public Simulation afterProcessEnd(long seed) {
    return new Simulation(seed, life + 1, device::fork);
  }

  /** The device. */
  public SimulatedDevice device() {
    return device;
  }

  /** The scheduler. */
  public SimulatedScheduler scheduler() {
    return scheduler;
  }

  /** The trace of both. */
  public SeamTrace trace() {
    return trace;
  }

  /** The seed from {@code -Donefold.seed}, or a new one; print it when a test fails. */
  public static long seed() {
    String given = System.getProperty("onefold.seed", "");
    return given.isEmpty() ? System.nanoTime() : Long.parseLong(given);
  }

  /** As {@link SimulatedScheduler#run}. */
  public <T extends @Nullable Object> T run(Callable<T> body) throws Exception {
    return scheduler.run(body);
  }
}
