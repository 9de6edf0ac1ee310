package onefold.nas;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Contents that are open. One that nobody holds any more is kept for a while, because clients
 * without open come back for each request; at most {@link #MAX_IDLE} of them, the one _ for longest
 * goes first.
 */
final class OpenFiles {
  /** Contents that are kept although nobody holds them. */
  static final int MAX_IDLE = 1024;

  /** Contents that are held; beyond that opening is refused for the moment. */
  static final int MAX_HELD = 100_000;

  /** After so long without a holder what is not durable is made so. */
  static final long FORCE_AFTER_MILLIS = 5_000;

  /** After so long without a holder a content is closed. */
  static final long CLOSE_AFTER_MILLIS = 30_000;

  /** Opens what is not open yet. */
  interface Opener {
    FileContent open() throws IOException;
  }

  private final Consumer<FileContent> orphaned;
  private final boolean readOnly;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Long, FileContent> table = new ConcurrentHashMap<>(); // changed under lock
  private final LinkedHashMap<Long, FileContent> idle = new LinkedHashMap<>(); // guarded by lock

  /**
   * Makes an empty table.
   *
   * @param orphaned is given, without a lock held, a content that nobody holds any more and whose
   *     file has no name; it removes the file and closes the content
   * @param readOnly whether nothing of it ever changes
   */
  OpenFiles(Consumer<FileContent> orphaned, boolean readOnly) {
    this.orphaned = orphaned;
    this.readOnly = readOnly;
  }

  /** Returns what is open of a file. */
  @Nullable FileContent find(long fileId) {
    return table.get(fileId);
  }

  /** Holds a content, and opens it if need be. The caller holds the file's lock. */
  FileContent hold(long fileId, Opener opener) throws IOException {
    FileContent content = holdIfOpen(fileId);
    if (content != null) {
      return content;
    }
    FileContent opened = opener.open();
    lock.lock();
    try {
      opened.holders = 1;
      table.put(fileId, opened);
    } finally {
      lock.unlock();
    }
    return opened;
  }

  /** Holds a content if it is open. */
  @Nullable FileContent holdIfOpen(long fileId) throws FileException {
    lock.lock();
    try {
      FileContent content = table.get(fileId);
      if (content != null) {
        if (content.holders == 0) {
          idle.remove(fileId);
        }
        content.holders++;
      } else if (table.size() - idle.size() >= MAX_HELD) {
        throw new FileException(FileError.DELAY, MAX_HELD + " files are open in this share");
      }
      return content;
    } finally {
      lock.unlock();
    }
  }

  /** Lets go of a content. */
  void release(FileContent content, long nowMillis) {
    content.idleSinceMillis = nowMillis;
    FileContent surplus = drop(content, true);
    if (surplus != null) {
      retire(surplus, nowMillis);
    }
  }

  /**
   * Takes a content out that nobody holds, because its file is gone. The caller holds the file's
   * lock, and closes it.
   */
  @Nullable FileContent takeIdle(long fileId) {
    lock.lock();
    try {
      FileContent content = idle.remove(fileId);
      if (content != null) {
        table.remove(fileId);
      }
      return content;
    } finally {
      lock.unlock();
    }
  }

  /** Whether somebody holds a content. */
  boolean isHeld(long fileId) {
    lock.lock();
    try {
      return table.containsKey(fileId) && !idle.containsKey(fileId);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Says that a file has no name any more.
   *
   * @return false if nobody holds it by now: the caller removes it
   */
  boolean markUnlinked(long fileId) {
    lock.lock();
    try {
      FileContent content = table.get(fileId);
      if (content == null || content.holders == 0) {
        return false;
      }
      content.unlinked = true;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Forces and closes what nobody has used for a while. */
  void tick(long nowMillis) throws IOException {
    List<FileContent> old = new ArrayList<>();
    lock.lock();
    try {
      Iterator<FileContent> all = idle.values().iterator();
      while (all.hasNext()) {
        FileContent content = all.next();
        if (nowMillis - content.idleSinceMillis < FORCE_AFTER_MILLIS) {
          break;
        }
        boolean close = nowMillis - content.idleSinceMillis >= CLOSE_AFTER_MILLIS;
        if (close || content.isDirty()) {
          all.remove();
          content.holders++;
          old.add(content);
        }
      }
    } finally {
      lock.unlock();
    }
    for (FileContent content : old) {
      if (nowMillis - content.idleSinceMillis >= CLOSE_AFTER_MILLIS) {
        retire(content, nowMillis);
      } else {
        try {
          content.force();
        } finally {
          drop(content, false);
        }
      }
    }
  }

  /** Makes durable what was changed so far, attributes included. */
  void force(long nowMillis) throws IOException {
    for (FileContent seen : List.copyOf(table.values())) {
      if (seen.isDirty()) {
        FileContent content = holdIfOpen(seen.fileId());
        if (content != null) {
          try {
            content.force();
          } finally {
            release(content, nowMillis);
          }
        }
      }
    }
  }

  /** Forces and closes everything; nobody uses it any more. */
  void close() throws IOException {
    IOException failed = null;
    for (FileContent content : List.copyOf(table.values())) {
      try {
        content.force();
        content.object().close();
      } catch (IOException e) {
        failed = e;
      }
    }
    table.clear();
    idle.clear();
    if (failed != null) {
      throw failed;
    }
  }

  int count() {
    return table.size();
  }

  /** Forces and closes one that only the caller holds, unless somebody comes meanwhile. */
  private void retire(FileContent content, long nowMillis) {
    try {
      if (!readOnly
          && content.state().inode().sparse()
          && content.object().dataBytes() == content.state().lengthBytes()) {
        content.note(inode -> {
          Inode.Edit edit = inode.edit();
          edit.sparse = false;
          return edit.done();
        });
      }
      content.force();
    } catch (IOException e) {
      // It stays open with what is not durable; who commits is told, and so is who reads.
      content.idleSinceMillis = nowMillis;
      drop(content, false);
      return;
    }
    boolean gone;
    lock.lock();
    try {
      gone = content.holders == 1 && !content.unlinked && !content.isDirty();
      if (gone) {
        content.holders = 0;
        table.remove(content.fileId());
      }
    } finally {
      lock.unlock();
    }
    if (gone) {
      closeQuietly(content);
    } else {
      drop(content, false);
    }
  }

  /**
   * Takes one holder off.
   *
   * @param evict whether to look for what is idle beyond the bound
   * @return such a one, held by the caller
   */
  private @Nullable FileContent drop(FileContent content, boolean evict) {
    boolean orphan = false;
    FileContent surplus = null;
    lock.lock();
    try {
      content.holders--;
      if (content.holders == 0 && content.unlinked) {
        table.remove(content.fileId());
        orphan = true;
      } else if (content.holders == 0) {
        idle.put(content.fileId(), content);
        if (evict && idle.size() > MAX_IDLE) {
          surplus = idle.firstEntry().getValue();
          // Held while it is made durable, so that nobody opens it without what is in its note.
          idle.remove(surplus.fileId());
          surplus.holders++;
        }
      }
    } finally {
      lock.unlock();
    }
    if (orphan) {
      orphaned.accept(content);
    }
    return surplus;
  }

  /** Closes what is durable, or what nobody needs any more. */
  static void closeQuietly(FileContent content) {
    try {
      content.object().close();
    } catch (IOException e) {
      System.getLogger(OpenFiles.class.getName())
          .log(System.Logger.Level.WARNING, "closing file " + content.fileId() + ": " + e);
    }
  }
}
