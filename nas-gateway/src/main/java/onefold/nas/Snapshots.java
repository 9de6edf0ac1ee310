package onefold.nas;

import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import onefold.store.Id;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareRecord;
import onefold.store.SnapshotRecord;

/**
 * The snapshots of one share by numbers, which are part of the ids of files in them: kept in the
 * share's tree and never used again, so that what a client holds of a snapshot that is gone never
 * means a file of another.
 *
 * <p>A snapshot is opened when somebody first looks into it, and stays so.
 */
final class Snapshots implements AutoCloseable {
  private static final int PAGE = 500;

  /** Opens the files of a snapshot. */
  interface Opener {
    ShareFileSystem open(ShareRecord snapshot) throws IOException;
  }

  /** A snapshot that is there. */
  record Snapshot(long number, ShareRecord record) {
    /** Its name without the share's. */
    String name() {
      return record.name().substring(record.name().indexOf(SnapshotRecord.MARK) + 1);
    }
  }

  private final Entries entries;
  private final InstantSource clock;
  private final Opener opener;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Long, ShareFileSystem> opened = new HashMap<>(); // guarded by lock
  private long lastNumber; // guarded by lock
  private volatile NavigableMap<Long, Snapshot> all = new TreeMap<>(); // replaced under lock
  private volatile Instant changed;

  /** Numbers what has none yet, and forgets numbers of what is gone. */
  Snapshots(Entries entries, List<ShareRecord> there, InstantSource clock, Opener opener)
      throws IOException {
    this.entries = entries;
    this.clock = clock;
    this.opener = opener;
    this.changed = clock.instant();
    Map<Id, ShareRecord> unnumbered = new HashMap<>();
    there.forEach(record -> unnumbered.put(record.id(), record));
    Set<Long> gone = new HashSet<>();
    NavigableMap<Long, Snapshot> found = new TreeMap<>();
    byte[] after = new byte[0];
    List<ShareEntry> page;
    do {
      page = entries.scan(new byte[] {ShareTreeFormat.SNAPSHOT}, after, PAGE);
      for (ShareEntry entry : page) {
        after = entry.key();
        lastNumber = ShareTreeFormat.keyId(after);
        ShareRecord record = unnumbered.remove(ShareTreeFormat.readSnapshot(after, entry.value()));
        if (record == null) {
          gone.add(lastNumber);
        } else {
          found.put(lastNumber, new Snapshot(lastNumber, record));
        }
      }
    } while (page.size() == PAGE);
    all = found;
    // The highest stays, so that it is not given again.
    gone.remove(lastNumber);
    for (long number : gone) {
      forget(number);
    }
    List<ShareRecord> fresh = new ArrayList<>(unnumbered.values());
    fresh.sort(
        Comparator.comparingLong(ShareRecord::createdAtMillis).thenComparing(ShareRecord::name));
    for (ShareRecord record : fresh) {
      add(record);
    }
  }

  /** Snapshots in order of number, which is that of their making. */
  NavigableMap<Long, Snapshot> all() {
    return all;
  }

  /** When the last came or went, as far as this start knows. */
  Instant changed() {
    return changed;
  }

  Optional<Snapshot> find(String name) {
    return all.values().stream().filter(snapshot -> snapshot.name().equals(name)).findFirst();
  }

  /** Takes in a snapshot that was made. */
  void add(ShareRecord record) throws IOException {
    lock.lock();
    try {
      long number = lastNumber + 1;
      if (number > SnapshotIds.MAX_NUMBER) {
        throw new FileException(
            FileError.NO_SPACE, "share has had " + SnapshotIds.MAX_NUMBER + " snapshots");
      }
      Entries.await(
          entries.change(
              List.of(
                  new ShareChange.SetValue(
                      ShareTreeFormat.snapshotKey(number),
                      ShareTreeFormat.snapshot(record.id())))));
      lastNumber = number;
      NavigableMap<Long, Snapshot> more = new TreeMap<>(all);
      more.put(number, new Snapshot(number, record));
      all = more;
      changed = clock.instant();
    } finally {
      lock.unlock();
    }
  }

  /** Lets go of a snapshot that was deleted. */
  void remove(Snapshot snapshot) throws IOException {
    ShareFileSystem files;
    lock.lock();
    try {
      NavigableMap<Long, Snapshot> fewer = new TreeMap<>(all);
      fewer.remove(snapshot.number());
      all = fewer;
      changed = clock.instant();
      files = opened.remove(snapshot.number());
      if (snapshot.number() != lastNumber) {
        forget(snapshot.number());
      }
    } finally {
      lock.unlock();
    }
    if (files != null) {
      files.close();
    }
  }

  private void forget(long number) throws IOException {
    // Nobody waits: a start finds it again.
    var _ = entries.change(List.of(new ShareChange.Remove(ShareTreeFormat.snapshotKey(number))));
  }

  /** Throws {@code STALE} if there is no snapshot of this number. */
  Snapshot require(long number) throws FileException {
    Snapshot snapshot = all.get(number);
    if (snapshot == null) {
      throw new FileException(FileError.STALE, "the share has no snapshot number " + number);
    }
    return snapshot;
  }

  /** Files of a snapshot. */
  ShareFileSystem files(long number) throws IOException {
    lock.lock();
    try {
      Snapshot snapshot = require(number);
      ShareFileSystem files = opened.get(number);
      if (files == null) {
        try {
          files = opener.open(snapshot.record());
        } catch (IOException e) {
          throw Entries.translated(e);
        }
        opened.put(number, files);
      }
      return files;
    } finally {
      lock.unlock();
    }
  }

  /** Closes contents that nobody has used for a while. */
  void tick() throws IOException {
    List<ShareFileSystem> files;
    lock.lock();
    try {
      files = List.copyOf(opened.values());
    } finally {
      lock.unlock();
    }
    for (ShareFileSystem one : files) {
      one.tick();
    }
  }

  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      for (ShareFileSystem files : opened.values()) {
        files.close();
      }
      opened.clear();
    } finally {
      lock.unlock();
    }
  }
}
