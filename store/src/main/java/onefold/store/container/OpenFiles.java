package onefold.store.container;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import onefold.store.container.ContainerStore.StoredContainer;
import onefold.store.scheduler.SchedulerLock;
import org.jspecify.annotations.Nullable;

/**
 * Files of sealed containers that are open for reading: those in use, and up to a bound the ones
 * used last. A file whose container is deleted is closed by its last reader.
 */
final class OpenFiles implements AutoCloseable {
  private final SchedulerLock lock;
  private final int maxIdle;

  /**
   * A file: one generation of a container.
   *
   * @param repairs how many files had its name before, since the start
   */
  record Key(long number, long generation, int repairs) {}

  // Guarded by lock.
  private final LinkedHashMap<Key, Handle> handles = new LinkedHashMap<>(16, 0.75f, true);
  private boolean closed;

  /** Opens a file that nobody has open. */
  @FunctionalInterface
  interface Opener {
    StoredContainer open() throws IOException;
  }

  /** One use of a file; closing it ends the use. */
  final class Handle implements AutoCloseable {
    final StoredContainer file;
    private int users;
    private boolean kept;

    private Handle(StoredContainer file) {
      this.file = file;
    }

    @Override
    public void close() throws IOException {
      List<StoredContainer> idle = new ArrayList<>();
      lock.lock();
      try {
        users--;
        if (users == 0 && !kept) {
          idle.add(file);
        }
        shrink(maxIdle, idle);
      } finally {
        lock.unlock();
      }
      closeAll(idle);
    }
  }

  OpenFiles(SchedulerLock lock, int maxIdle) {
    this.lock = lock;
    this.maxIdle = maxIdle;
  }

  Handle acquire(Key key, Opener opener) throws IOException {
    Handle handle = use(key);
    if (handle != null) {
      return handle;
    }
    StoredContainer file = opener.open();
    StoredContainer surplus = null;
    lock.lock();
    try {
      Handle other = handles.get(key);
      if (other != null) {
        surplus = file;
        handle = other;
      } else {
        handle = new Handle(file);
        if (!closed) {
          handle.kept = true;
          handles.put(key, handle);
        }
      }
      handle.users++;
    } finally {
      lock.unlock();
    }
    if (surplus != null) {
      surplus.close();
    }
    return handle;
  }

  /** Takes over a file that is open already. */
  void adopt(Key key, StoredContainer file) throws IOException {
    acquire(key, () -> file).close();
  }

  /** A use of a file if it is open, else null. */
  @Nullable Handle use(Key key) {
    lock.lock();
    try {
      Handle handle = handles.get(key);
      if (handle != null) {
        handle.users++;
      }
      return handle;
    } finally {
      lock.unlock();
    }
  }

  /** Lets go of a container's file; its readers finish. */
  void forget(Key key) throws IOException {
    List<StoredContainer> idle = new ArrayList<>();
    lock.lock();
    try {
      Handle handle = handles.remove(key);
      if (handle != null) {
        handle.kept = false;
        if (handle.users == 0) {
          idle.add(handle.file);
        }
      }
    } finally {
      lock.unlock();
    }
    closeAll(idle);
  }

  /** Closes the files that nobody reads. */
  void closeIdle() throws IOException {
    List<StoredContainer> idle = new ArrayList<>();
    lock.lock();
    try {
      shrink(0, idle);
    } finally {
      lock.unlock();
    }
    closeAll(idle);
  }

  private void shrink(int bound, List<StoredContainer> idle) {
    Iterator<Handle> eldest = handles.values().iterator();
    int surplus = handles.size() - bound;
    while (surplus > 0 && eldest.hasNext()) {
      Handle handle = eldest.next();
      surplus--;
      if (handle.users == 0) {
        handle.kept = false;
        idle.add(handle.file);
        eldest.remove();
      }
    }
  }

  private static void closeAll(List<StoredContainer> files) throws IOException {
    for (StoredContainer file : files) {
      file.close();
    }
  }

  @Override
  public void close() throws IOException {
    List<StoredContainer> idle = new ArrayList<>();
    lock.lock();
    try {
      closed = true;
      for (Handle handle : handles.values()) {
        handle.kept = false;
        if (handle.users == 0) {
          idle.add(handle.file);
        }
      }
      handles.clear();
    } finally {
      lock.unlock();
    }
    closeAll(idle);
  }
}
