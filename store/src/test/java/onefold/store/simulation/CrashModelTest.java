package onefold.store.simulation;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.zip.CRC32C;
import onefold.store.device.DeviceFile;
import org.junit.jupiter.api.Test;

/**
 * The judge is judged: a small log that does everything right survives every crash state of every
 * step, and each version of it that leaves one thing out is caught.
 */
final class CrashModelTest {
  private static final int RECORD_COUNT = 12;
  private static final int SEEDS_PER_STATE = 6;

  /** What a log may leave out. */
  private enum Fault {
    NO_FORCE,
    NO_FORCE_OF_THE_DIRECTORY,
    NO_CHECKSUM,
    NO_FORCE_BEFORE_THE_RENAME,
    NO_FORCE_OF_THE_DIRECTORY_AFTER_THE_RENAME
  }

  /**
   * Runs a log to its end and answers what was wrong in some crash state; empty if nothing ever
   * was.
   */
  private static Set<String> wrongStates(Set<Fault> faults, long seed) throws IOException {
    var device = new SimulatedDevice();
    var log = new Log(device, faults, seed);
    var wrong = new TreeSet<String>();
    // Seeds of their own for every state: the same few ones would make the same choices at each
    // step.
    var seeds = new SplittableRandom(seed);
    device.afterEachChange(() -> {
      for (CrashModel model : CrashModel.values()) {
        for (int n = 0; n < SEEDS_PER_STATE; n++) {
          String problem = log.problemAfter(device.crash(model, seeds.nextLong()));
          if (!problem.isEmpty()) {
            wrong.add(model + ": " + problem);
          }
        }
      }
    });
    log.run();
    return wrong;
  }

  /**
   * Records of a random length and content that follow from their number, each with length and
   * checksum.
   */
  private static final class Log {
    private final SimulatedDevice device;
    private final Set<Fault> faults;
    private final long seed;
    private int writtenCount;
    private int acknowledgedCount;

    Log(SimulatedDevice device, Set<Fault> faults, long seed) {
      this.device = device;
      this.faults = faults;
      this.seed = seed;
    }

    byte[] record(int number) {
      var random = new SplittableRandom(seed * 100 + number);
      byte[] payload = new byte[random.nextInt(1, 1500)];
      random.nextBytes(payload);
      var checksum = new CRC32C();
      checksum.update(payload);
      return ByteBuffer.allocate(8 + payload.length)
          .putInt(payload.length)
          .putInt((int) checksum.getValue())
          .put(payload)
          .array();
    }

    void run() throws IOException {
      DeviceFile file = device.create("log");
      forceDirectory(Fault.NO_FORCE_OF_THE_DIRECTORY);
      for (int number = 0; number < RECORD_COUNT; number++) {
        if (number == RECORD_COUNT / 2) {
          file.close();
          file = copied();
        }
        writtenCount++;
        file.write(file.sizeBytes(), ByteBuffer.wrap(record(number)));
        force(file, Fault.NO_FORCE);
        acknowledgedCount++;
      }
      file.close();
    }

    /** The log written anew beside the old one and put in its place. */
    private DeviceFile copied() throws IOException {
      DeviceFile copy = device.create("log.new");
      for (int number = 0; number < writtenCount; number++) {
        copy.write(copy.sizeBytes(), ByteBuffer.wrap(record(number)));
      }
      force(copy, Fault.NO_FORCE_BEFORE_THE_RENAME);
      device.rename("log.new", "log");
      forceDirectory(Fault.NO_FORCE_OF_THE_DIRECTORY_AFTER_THE_RENAME);
      return copy;
    }

    private void force(DeviceFile file, Fault unless) throws IOException {
      if (!faults.contains(unless)) {
        file.force();
      }
    }

    private void forceDirectory(Fault unless) throws IOException {
      if (!faults.contains(unless)) {
        device.forceDirectory("");
      }
    }

    /**
     * Reads the log as a start would and compares it with what was acknowledged and what was
     * written.
     */
    String problemAfter(SimulatedDevice state) {
      ByteBuffer log;
      try {
        log = ByteBuffer.wrap(state.peek("log"));
      } catch (IOException e) {
        return acknowledgedCount == 0 ? "" : "the log is gone";
      }
      int number = 0;
      while (log.remaining() >= 8) {
        int length = log.getInt();
        int checksum = log.getInt();
        if (length < 1 || length > log.remaining()) {
          break;
        }
        var found = new CRC32C();
        found.update(log.slice(log.position(), length));
        if (!faults.contains(Fault.NO_CHECKSUM) && checksum != (int) found.getValue()) {
          break;
        }
        byte[] expected = record(number);
        if (number >= writtenCount
            || expected.length != length + 8
            || !ByteBuffer.wrap(expected, 8, length).equals(log.slice(log.position(), length))) {
          return "a record that nobody wrote";
        }
        log.position(log.position() + length);
        number++;
      }
      return number < acknowledgedCount ? "an acknowledged record is gone" : "";
    }
  }

  @Test
  void aRightLogSurvivesEveryStateOfEveryStep() throws IOException {
    long first = Simulation.seed();
    for (long seed = first; seed < first + 5; seed++) {
      Set<String> wrong = wrongStates(EnumSet.noneOf(Fault.class), seed);
      assertTrue(wrong.isEmpty(), "onefold.seed=" + seed + " " + wrong);
    }
  }

  @Test
  void everyPlantedFaultIsCaught() throws IOException {
    long seed = Simulation.seed();
    for (Fault fault : Fault.values()) {
      assertFalse(wrongStates(EnumSet.of(fault), seed).isEmpty(), fault + ", onefold.seed=" + seed);
    }
  }

  @Test
  void aForceThatLiesIsCaught() throws IOException {
    long seed = Simulation.seed();
    var device = new SimulatedDevice();
    device.setFaults(Faults.allFrom(0, DeviceCall.Kind.FORCE, Faults.Outcome.LOST_FORCE));
    var log = new Log(device, EnumSet.noneOf(Fault.class), seed);
    log.run();
    assertFalse(log.problemAfter(device.crash(CrashModel.LOSE_ALL, seed)).isEmpty());
  }
}
