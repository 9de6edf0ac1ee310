package onefold.store.container;

import java.io.IOException;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import onefold.store.device.Device;
import onefold.store.simulation.CrashModel;
import onefold.store.simulation.SimulatedDevice;

/**
 * The power goes, and sometimes goes again at each step of the recovery. One test's, one thread.
 */
final class PowerCuts {
  /** What must hold of a device after a power cut. */
  @FunctionalInterface
  interface Check {
    /**
     * Recovers the device and looks.
     *
     * @param when what to say with a failure
     */
    void of(Device device, String when) throws IOException;
  }

  private final SplittableRandom seeds;
  private final int again;
  private final Check check;
  private final AtomicInteger states = new AtomicInteger();

  /**
   * Makes one.
   *
   * @param again one state of so many has its recovery cut too
   */
  PowerCuts(SplittableRandom seeds, int again, Check check) {
    this.seeds = seeds;
    this.again = again;
    this.check = check;
  }

  /** States that were judged, those of recoveries not counted. */
  int states() {
    return states.get();
  }

  /** Judges from now on what each change of a device would leave, by every model. */
  void watch(SimulatedDevice device) {
    device.afterEachChange(() -> {
      for (CrashModel model : CrashModel.values()) {
        judge(device, model);
      }
    });
  }

  private void judge(SimulatedDevice device, CrashModel model) {
    try {
      SimulatedDevice after = device.crash(model, seeds.nextLong());
      String when = model + " in state " + states.incrementAndGet();
      if (seeds.nextInt(again) == 0) {
        after.afterEachChange(() -> {
          try {
            check.of(after.crash(seeds.nextLong()), when + ", again");
          } catch (IOException e) {
            throw new IllegalStateException(when + ", again: " + e.getMessage(), e);
          }
        });
      }
      check.of(after, when);
    } catch (IOException e) {
      throw new IllegalStateException(model + ": " + e.getMessage(), e);
    }
  }
}
