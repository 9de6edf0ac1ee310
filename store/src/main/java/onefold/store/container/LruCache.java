package onefold.store.container;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import onefold.store.scheduler.SchedulerLock;
import org.jspecify.annotations.Nullable;

/**
 * Values up to a sum of bytes; beyond it the one not asked for longest goes first. A value larger
 * than the bound is not kept. Any number of threads.
 */
final class LruCache<K, V> {
  private final SchedulerLock lock;
  private long maxBytes; // guarded by lock
  private final ToLongFunction<V> size;
  private final LinkedHashMap<K, V> values = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  LruCache(SchedulerLock lock, long maxBytes, ToLongFunction<V> size) {
    this.lock = lock;
    this.maxBytes = maxBytes;
    this.size = size;
  }

  @Nullable V get(K key) {
    lock.lock();
    try {
      return values.get(key);
    } finally {
      lock.unlock();
    }
  }

  void put(K key, V value) {
    long added = size.applyAsLong(value);
    lock.lock();
    try {
      if (added > maxBytes) {
        return;
      }
      V before = values.put(key, value);
      bytes += added - (before == null ? 0 : size.applyAsLong(before));
      dropEldest();
    } finally {
      lock.unlock();
    }
  }

  /** Under the lock. */
  private void dropEldest() {
    Iterator<Map.Entry<K, V>> eldest = values.entrySet().iterator();
    while (bytes > maxBytes) {
      bytes -= size.applyAsLong(eldest.next().getValue());
      eldest.remove();
    }
  }

  /** Sets another bound; what is beyond it goes at once. */
  void setMaxBytes(long newMaxBytes) {
    lock.lock();
    try {
      maxBytes = newMaxBytes;
      dropEldest();
    } finally {
      lock.unlock();
    }
  }

  void removeIf(Predicate<K> which) {
    lock.lock();
    try {
      Iterator<Map.Entry<K, V>> all = values.entrySet().iterator();
      while (all.hasNext()) {
        Map.Entry<K, V> entry = all.next();
        if (which.test(entry.getKey())) {
          bytes -= size.applyAsLong(entry.getValue());
          all.remove();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  long bytes() {
    lock.lock();
    try {
      return bytes;
    } finally {
      lock.unlock();
    }
  }
}
