package onefold.store.simulator;

import java.io.IOException;
import java.util.List;
import java.util.random.RandomGenerator;
import onefold.store.ChunkStore;
import onefold.store.DiskRecord;
import onefold.store.DiskRole;
import onefold.store.Disks;
import onefold.store.RefusedException;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.SpreadDevice;
import onefold.store.engine.Engine;
import onefold.store.engine.EngineSettings;
import onefold.store.scheduler.Scheduler;
import onefold.store.simulation.SubDevice;

/**
 * Opens the engine on several disks, which are directories of one simulated device, and changes
 * them at every opening: adds one, drains one, stops draining one.
 */
final class SpreadOpener implements SimulatedProgram.Opener {
  private static final String MAIN = "main";
  private static final int DISKS = 4;
  private static final List<DiskRole> ROLES = List.of(DiskRole.values());

  private int moveCount;

  /** Files that were copied to another disk. */
  int moveCount() {
    return moveCount;
  }

  /** Counts what is moved. */
  private final class Disk extends SubDevice {
    Disk(Device device, String directory) {
      super(device, directory);
    }

    @Override
    public DeviceFile create(String path) throws IOException {
      moveCount += path.endsWith(".moving") ? 1 : 0;
      return super.create(path);
    }
  }

  @Override
  public ChunkStore open(Device device, Scheduler scheduler, EngineSettings settings)
      throws IOException {
    device.createDirectories(MAIN);
    for (int i = 0; i < DISKS; i++) {
      device.createDirectories("disk" + i);
    }
    device.forceDirectory("");
    ChunkStore store =
        Engine.open(
            new SpreadDevice(
                new Disk(device, MAIN),
                (path, probed) -> new Disk(device, path.substring(1)),
                settings.reserveBytes()),
            scheduler,
            settings);
    boolean changed = false;
    try {
      change(store.disks(), scheduler.random());
      changed = true;
      return store;
    } finally {
      if (!changed) {
        store.close();
      }
    }
  }

  private static void change(Disks disks, RandomGenerator random) throws IOException {
    List<DiskRecord> now = disks.list();
    int which = random.nextInt(DISKS);
    String path = "/disk" + which;
    boolean known = now.stream().anyMatch(each -> each.path().equals(path));
    int what = random.nextInt(4);
    DiskRole role = what > 0 ? DiskRole.DATA : ROLES.get(random.nextInt(ROLES.size()));
    if (!known && (role == DiskRole.DATA || now.stream().noneMatch(each -> each.role() == role))) {
      disks.add(path, role);
    }
    List<DiskRecord> then = disks.list();
    DiskRecord chosen = then.get(random.nextInt(then.size()));
    boolean last =
        then.stream().filter(each -> each.role() == DiskRole.DATA && each.takes()).count() == 1;
    if (what > 0 && !(last && chosen.takes() && chosen.role() == DiskRole.DATA)) {
      try {
        disks.drain(chosen.id(), chosen.takes());
      } catch (RefusedException e) {
        if (chosen.takes() || e.reason() != RefusedException.Reason.NOT_FOUND) {
          throw e;
        } // It was empty and has left the list meanwhile.
      }
    }
  }
}
