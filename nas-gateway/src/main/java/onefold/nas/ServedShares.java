package onefold.nas;

import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import onefold.chunker.ParameterSet;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.ShareRecord;
import onefold.store.ShareStore;

/**
 * The shares of an appliance: opens all at its start, and is what makes, changes and deletes them
 * from then on. Front-ends ask it for each request, so it answers from memory.
 */
public final class ServedShares implements Shares, AutoCloseable {
  /** Knows the domains. */
  public interface Domains {
    /** The parameter set of a domain. */
    ParameterSet parameterSet(Id domainId) throws IOException;
  }

  private static final long TICK_NANOS = 2_000_000_000L;

  private final ShareStore store;
  private final Domains domains;
  private final InstantSource clock;
  private final Supplier<Id> ids;
  private final SpaceSource space;
  private final ReentrantLock changing = new ReentrantLock();
  private final Map<Id, Share> byId = new ConcurrentHashMap<>(); // changed under changing
  private final Map<String, Share> byName = new ConcurrentHashMap<>(); // changed under changing
  private final Thread ticker;
  private volatile boolean closed;

  /**
   * Opens all shares.
   *
   * @param ids gives a new random id at each call, from any thread
   */
  public ServedShares(
      ShareStore store, Domains domains, InstantSource clock, Supplier<Id> ids, SpaceSource space)
      throws IOException {
    this.store = store;
    this.domains = domains;
    this.clock = clock;
    this.ids = ids;
    this.space = space;
    for (ShareRecord record : store.shares()) {
      serve(record);
    }
    this.ticker = Thread.ofVirtual().name("shares").start(this::run);
  }

  @Override
  public List<Share> list() {
    List<Share> all = new ArrayList<>(byName.values());
    all.sort(Comparator.comparing(Share::name));
    return all;
  }

  @Override
  public Optional<Share> find(Id shareId) {
    return Optional.ofNullable(byId.get(shareId));
  }

  @Override
  public Optional<Share> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /**
   * Makes a share.
   *
   * @throws RefusedException {@code EXISTS}, {@code INVALID_NAME}, {@code NOT_FOUND} for the domain
   */
  public Share create(Id commandId, String name, Id domainId, ShareSettings settings)
      throws IOException {
    changing.lock();
    try {
      return serve(
          store.createShare(commandId, name, domainId, ShareSettingsFormat.write(settings)));
    } finally {
      changing.unlock();
    }
  }

  /** Sets a share's settings, which count for requests from now on; {@code NOT_FOUND}. */
  public Share set(Id commandId, String name, ShareSettings settings) throws IOException {
    changing.lock();
    try {
      Share old = require(name);
      if (settings.worm().on() != old.settings().worm().on()) {
        throw new RefusedException(
            Reason.INVALID_REQUEST,
            "whether a share keeps its files is said when it is made; share '"
                + name
                + (old.settings().worm().on() ? "' does" : "' does not"));
      }
      store.updateShare(commandId, old.id(), ShareSettingsFormat.write(settings));
      ShareWithSnapshots files = files(old);
      files.share().setSettings(settings);
      Share changed = new Share(old.id(), name, settings, files);
      byId.put(changed.id(), changed);
      byName.put(name, changed);
      return changed;
    } finally {
      changing.unlock();
    }
  }

  /**
   * Deletes a share.
   *
   * @throws RefusedException {@code NOT_FOUND}; {@code NOT_EMPTY} unless {@code withFiles}
   */
  public void delete(Id commandId, String name, boolean withFiles) throws IOException {
    changing.lock();
    try {
      Share share = require(name);
      ShareWithSnapshots files = files(share);
      if (!files.snapshots().all().isEmpty()) {
        throw new RefusedException(
            Reason.NOT_EMPTY,
            "share '"
                + name
                + "' has "
                + files.snapshots().all().size()
                + " snapshots; delete them first: ./onefold share rm "
                + name
                + "@"
                + files.snapshots().all().firstEntry().getValue().name());
      }
      if (!withFiles && !files.share().isEmpty()) {
        throw new RefusedException(
            Reason.NOT_EMPTY, "share '" + name + "' holds files; say that they may go too");
      }
      byName.remove(name);
      byId.remove(share.id());
      try {
        files.close();
        Optional<Instant> retained = files.share().retainedUntil();
        if (retained.isPresent()) {
          throw new RefusedException(
              Reason.LOCKED,
              "share '" + name + "' has files that are kept until " + retained.get());
        }
        // What the file layer keeps of an empty share is entries too.
        store.deleteShare(commandId, share.id(), true);
      } catch (IOException e) {
        byName.put(name, share);
        byId.put(share.id(), share);
        throw e;
      }
    } finally {
      changing.unlock();
    }
  }

  /** Bytes of all files of a share; empty if it has no quota, as then nobody counts them. */
  public OptionalLong usedBytes(Share share) throws IOException {
    return share.settings().quotaBytes() == 0
        ? OptionalLong.empty()
        : OptionalLong.of(files(share).share().usedBytes());
  }

  /**
   * Keeps a share as it is now under a name, however many files it has.
   *
   * @throws RefusedException {@code NOT_FOUND}, {@code EXISTS}, {@code INVALID_NAME}; {@code
   *     INVALID_REQUEST} at the bound of snapshots
   */
  public ShareSnapshot snapshot(Id commandId, String name, String snapshotName) throws IOException {
    changing.lock();
    try {
      Share share = require(name);
      ShareWithSnapshots files = files(share);
      files.share().force();
      ShareRecord made = store.copyShare(commandId, share.id(), snapshotName, true);
      // A command that came again is answered as before.
      Optional<Snapshots.Snapshot> known = files.snapshots().find(snapshotName);
      if (known.isEmpty()) {
        files.snapshots().add(made);
      }
      return new ShareSnapshot(made.id(), name, snapshotName, made.createdAtMillis());
    } finally {
      changing.unlock();
    }
  }

  /** Snapshots of a share, the oldest first; {@code NOT_FOUND}. */
  public List<ShareSnapshot> snapshots(String name) throws IOException {
    return files(require(name)).snapshots().all().values().stream()
        .map(found ->
            new ShareSnapshot(
                found.record().id(), name, found.name(), found.record().createdAtMillis()))
        .toList();
  }

  /** Deletes a snapshot; {@code NOT_FOUND}. Who has a file of it open gets errors. */
  public void deleteSnapshot(Id commandId, String name, String snapshotName) throws IOException {
    changing.lock();
    try {
      Snapshots snapshots = files(require(name)).snapshots();
      Snapshots.Snapshot gone = requireSnapshot(snapshots, name, snapshotName);
      store.deleteShare(commandId, gone.record().id(), true);
      snapshots.remove(gone);
    } finally {
      changing.unlock();
    }
  }

  /**
   * Makes another share of a share as it is now, or of a snapshot of it; with the settings that the
   * share has now, however many files it has.
   *
   * @param snapshotName empty for the share as it is
   * @throws RefusedException {@code NOT_FOUND}, {@code EXISTS}, {@code INVALID_NAME}
   */
  public Share copy(Id commandId, String name, Optional<String> snapshotName, String newName)
      throws IOException {
    changing.lock();
    try {
      Share share = require(name);
      ShareWithSnapshots files = files(share);
      Id sourceId = share.id();
      if (snapshotName.isPresent()) {
        sourceId = requireSnapshot(files.snapshots(), name, snapshotName.get()).record().id();
      } else {
        files.share().force();
      }
      ShareRecord made = store.copyShare(commandId, sourceId, newName, false);
      ShareRecord set =
          store.updateShare(ids.get(), made.id(), ShareSettingsFormat.write(share.settings()));
      return serve(set);
    } finally {
      changing.unlock();
    }
  }

  private static Snapshots.Snapshot requireSnapshot(
      Snapshots snapshots, String name, String snapshotName) throws RefusedException {
    return snapshots
        .find(snapshotName)
        .orElseThrow(() ->
            new RefusedException(
                Reason.NOT_FOUND,
                "share '"
                    + name
                    + "' has no snapshot '"
                    + snapshotName
                    + "'; 'onefold share snapshots "
                    + name
                    + "' lists those it has"));
  }

  private static ShareWithSnapshots files(Share share) {
    return (ShareWithSnapshots) share.files();
  }

  private Share require(String name) throws RefusedException {
    Share share = byName.get(name);
    if (share == null) {
      throw new RefusedException(
          Reason.NOT_FOUND,
          "share '" + name + "' does not exist; 'onefold share ls' lists those that do");
    }
    return share;
  }

  private Share serve(ShareRecord record) throws IOException {
    Share known = byId.get(record.id());
    if (known != null) {
      return known; // The command came a second time.
    }
    ShareSettings settings = ShareSettingsFormat.read(record.name(), record.settings());
    ShareFileSystem files = open(record, settings);
    Snapshots snapshots =
        new Snapshots(
            files.entries(),
            store.shareSnapshots(record.id()),
            clock,
            snapshot -> open(snapshot, settings));
    Share share =
        new Share(record.id(), record.name(), settings, new ShareWithSnapshots(files, snapshots));
    byId.put(share.id(), share);
    byName.put(share.name(), share);
    return share;
  }

  private ShareFileSystem open(ShareRecord record, ShareSettings settings) throws IOException {
    return new ShareFileSystem(
        store, record, settings, clock, ids, space, domains.parameterSet(record.domainId()));
  }

  private void run() {
    while (!closed) {
      LockSupport.parkNanos(this, TICK_NANOS);
      for (Share share : byId.values()) {
        try {
          files(share).tick();
        } catch (IOException e) {
          System.getLogger(ServedShares.class.getName())
              .log(
                  System.Logger.Level.WARNING,
                  "share " + share.name() + ": files that nobody uses: " + e);
        }
      }
    }
  }

  /** Makes everything durable and closes it. Front-ends have ended before. */
  @Override
  public void close() throws IOException {
    closed = true;
    LockSupport.unpark(ticker);
    try {
      // Never interrupted: that would close files under the store.
      ticker.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    IOException failed = null;
    for (Share share : byId.values()) {
      try {
        files(share).close();
      } catch (IOException e) {
        failed = e;
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}
