package onefold.nas;

import java.io.IOException;
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
      store.updateShare(commandId, old.id(), ShareSettingsFormat.write(settings));
      ShareFileSystem files = (ShareFileSystem) old.files();
      files.setSettings(settings);
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
      ShareFileSystem files = (ShareFileSystem) share.files();
      if (!withFiles && !files.isEmpty()) {
        throw new RefusedException(
            Reason.NOT_EMPTY, "share '" + name + "' holds files; say that they may go too");
      }
      byName.remove(name);
      byId.remove(share.id());
      try {
        files.close();
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
        : OptionalLong.of(((ShareFileSystem) share.files()).usedBytes());
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
    ShareSettings settings = ShareSettingsFormat.read(record.name(), record.settings());
    Share share =
        new Share(
            record.id(),
            record.name(),
            settings,
            new ShareFileSystem(
                store,
                record,
                settings,
                clock,
                ids,
                space,
                domains.parameterSet(record.domainId())));
    byId.put(share.id(), share);
    byName.put(share.name(), share);
    return share;
  }

  private void run() {
    while (!closed) {
      LockSupport.parkNanos(this, TICK_NANOS);
      for (Share share : byId.values()) {
        try {
          ((ShareFileSystem) share.files()).tick();
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
        ((ShareFileSystem) share.files()).close();
      } catch (IOException e) {
        failed = e;
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}
