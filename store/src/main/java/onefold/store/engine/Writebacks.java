package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import onefold.store.Id;
import onefold.store.MemoryUse;
import onefold.store.ShareStore;
import onefold.store.device.Device;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.writeback.Writeback;
import onefold.store.writeback.WritebackSettings;

/** The write-back of each domain whose files have been asked for, or have changes in its log. */
final class Writebacks {
  private final Engine engine;
  private final Device device;
  private final WritebackSettings settings;
  private final long epoch;
  private final WritebackGround.Trees trees;
  private final SchedulerLock lock;
  private final Map<Id, Writeback> open = new HashMap<>(); // guarded by lock

  Writebacks(
      Engine engine,
      Device device,
      WritebackSettings settings,
      long epoch,
      WritebackGround.Trees trees) {
    this.engine = engine;
    this.device = device;
    this.settings = settings;
    this.epoch = epoch;
    this.trees = trees;
    this.lock = engine.scheduler().lock("writebacks");
  }

  /** Takes from the logs what is not folded, before anything is swept. */
  void recover(List<Domain> domains) throws IOException {
    for (Domain domain : domains) {
      if (device.exists(WritebackGround.directory(domain.id()))
          || new WritebackGround(engine, domain, trees).keptFrom() > 1) {
        Writeback _ = of(domain);
      }
    }
  }

  /** The write-back of a domain. */
  Writeback of(Domain domain) throws IOException {
    lock.lock();
    try {
      Writeback known = open.get(domain.id());
      if (known != null) {
        return known;
      }
      Writeback made =
          Writeback.open(
              device,
              engine.scheduler(),
              WritebackGround.directory(domain.id()),
              domain.id(),
              epoch,
              settings,
              new WritebackGround(engine, domain, trees));
      open.put(domain.id(), made);
      return made;
    } finally {
      lock.unlock();
    }
  }

  private List<Writeback> all() {
    lock.lock();
    try {
      return new ArrayList<>(open.values());
    } finally {
      lock.unlock();
    }
  }

  /** The write-back of a domain, if there has been need of it. */
  Optional<Writeback> find(Id domainId) {
    lock.lock();
    try {
      return Optional.ofNullable(open.get(domainId));
    } finally {
      lock.unlock();
    }
  }

  /** What changes of files take, of all domains; empty if none has any. */
  Optional<MemoryUse> memory() {
    long bytes = 0;
    List<Writeback> all = all();
    for (Writeback each : all) {
      bytes += each.memoryBytes();
    }
    long bound = settings.memoryBytes() * all.size();
    return all.isEmpty()
        ? Optional.empty()
        : Optional.of(new MemoryUse("changes of files", bytes, bound));
  }

  /** As {@link ShareStore#unfolded}. */
  Optional<ShareStore.Unfolded> unfolded(Id shareId, Id objectId) {
    for (Writeback each : all()) {
      Optional<ShareStore.Unfolded> found = each.unfolded(shareId, objectId);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  /**
   * Ends all of them.
   *
   * @param orderly whether changes are forced before
   */
  void close(boolean orderly) throws IOException {
    IOException failure = null;
    for (Writeback each : all()) {
      try {
        if (orderly) {
          each.close();
        } else {
          each.abandon();
        }
      } catch (IOException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
