package onefold.store.engine;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import onefold.store.DiskRecord;
import onefold.store.DiskRole;
import onefold.store.Disks;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.device.Device;
import onefold.store.device.DiskSpread;
import onefold.store.housekeeping.Housekeeper;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;

/**
 * The disks of an engine: changes the list, one change at a time, and has each domain's
 * housekeeping move what lies on one that is drained. Any thread may call it.
 */
final class EngineDisks implements Disks {
  private final Optional<DiskSpread> spread;
  private final Id directoryId;
  private final Scheduler scheduler;
  private final Supplier<List<Housekeeper>> housekeepers;
  private final SchedulerLock lock;

  EngineDisks(
      Device device,
      Id directoryId,
      Scheduler scheduler,
      Supplier<List<Housekeeper>> housekeepers) {
    this.spread = device.spread();
    this.directoryId = directoryId;
    this.scheduler = scheduler;
    this.housekeepers = housekeepers;
    this.lock = scheduler.lock("disks");
  }

  /** Goes on with what a stop or a crash has cut off. */
  void begin() {
    if (spread.isPresent() && spread.get().isUnsettled()) {
      housekeepers.get().forEach(Housekeeper::settle);
    }
  }

  @Override
  public List<DiskRecord> list() throws IOException {
    return spread.isEmpty() ? List.of() : spread.get().list();
  }

  @Override
  public DiskRecord add(String path, DiskRole role) throws IOException {
    lock.lock();
    try {
      DiskRecord added = known().add(directoryId, Id.random(scheduler.random()), path, role);
      begin(); // What had no room finds some.
      return added;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void drain(Id diskId, boolean draining) throws IOException {
    lock.lock();
    try {
      known().drain(directoryId, diskId, draining);
      begin();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String problem() {
    for (Housekeeper each : housekeepers.get()) {
      String problem = each.settleProblem();
      if (!problem.isEmpty()) {
        return problem;
      }
    }
    return "";
  }

  /** Says that a domain has nothing left on a disk that is drained. */
  void settled() throws IOException {
    lock.lock();
    try {
      known().finish();
    } finally {
      lock.unlock();
    }
  }

  private DiskSpread known() throws RefusedException {
    return spread.orElseThrow(
        () -> new RefusedException(Reason.INVALID_REQUEST, "this store has one disk for ever"));
  }
}
