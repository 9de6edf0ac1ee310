package onefold.appliance.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import onefold.appliance.RunningAppliance;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.FileDevice;
import onefold.store.engine.EngineSettings;
import onefold.store.engine.Rebuild;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.PassingDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A rebuild that ends anywhere loses nothing: the next one does it. */
final class RebuildInterruptedTest {
  @TempDir Path folder;

  /** Does as it is told, until a number of changes. */
  private static final class Ending extends PassingDevice {
    private int left;

    Ending(Device device, int changes) {
      super(device);
      left = changes;
    }

    private void change() throws IOException {
      if (--left < 0) {
        throw new IOException("the machine is off");
      }
    }

    @Override
    protected void force(DeviceFile file) throws IOException {
      change();
      super.force(file);
    }

    @Override
    public DeviceFile create(String path) throws IOException {
      change();
      return super.create(path);
    }

    @Override
    public void rename(String from, String to) throws IOException {
      change();
      super.rename(from, to);
    }

    @Override
    public void delete(String path) throws IOException {
      change();
      super.delete(path);
    }

    @Override
    public void forceDirectory(String directory) throws IOException {
      change();
      super.forceDirectory(directory);
    }
  }

  @Test
  void theNextRebuildPutsBackAndDoesIt() throws IOException, Failure {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    Path data;
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      for (int i = 0; i < 3; i++) {
        byte[] bytes = new byte[50_000];
        random.nextBytes(bytes);
        Path file = Files.write(folder.resolve("item-" + i), bytes);
        onefold.ok("put", file.toString(), "default/item-" + i);
      }
      onefold.ok("rm", "default/item-2", "--yes");
      onefold.ok("housekeeping");
      data = onefold.data();
    }
    Files.delete(data.resolve("superblock.0"));
    Files.delete(data.resolve("superblock.1"));
    int changes = 0;
    int rebuilds = 0;
    boolean ended = false;
    while (!ended) {
      changes += 1 + random.nextInt(6);
      rebuilds++;
      Path copy = folder.resolve("copy");
      copy(data, copy);
      ended = rebuild(copy, changes);
      String what = changes + " changes, onefold.seed=" + seed;
      Rebuild.Report report = OfflineStore.rebuild(copy, false, (step, done, total) -> {});
      assertEquals(2, report.itemCount(), what);
      Outcome verified =
          RunningAppliance.run(
              folder.resolve("nobody"), new byte[0], "verify", "--data", copy.toString());
      assertTrue(verified.out().contains("2 items read, 0 damaged"), what + verified);
      assertEquals("", verified.err(), what);
      delete(copy);
    }
    assertTrue(rebuilds > 5, rebuilds + " rebuilds, onefold.seed=" + seed);
  }

  /** Rebuilds until so many changes; whether that was enough. */
  private static boolean rebuild(Path data, int changes) throws IOException {
    EngineSettings settings = EngineSettings.DEFAULT.withReserveBytes(0);
    try (ThreadScheduler scheduler = new ThreadScheduler();
        OverlayDevice layer = OverlayDevice.over(data)) {
      Device target = new Ending(new FileDevice(data), changes);
      Rebuild.run(layer, target, scheduler, settings, false, (step, done, total) -> {});
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path each : files.toList()) {
        Path copy = to.resolve(from.relativize(each));
        if (Files.isDirectory(each)) {
          Files.createDirectories(copy);
        } else {
          Files.copy(each, copy, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
  }

  private static void delete(Path path) throws IOException {
    try (Stream<Path> files = Files.walk(path)) {
      for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}
