package onefold.store.gate;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * Classes that each break one rule of the gates; a gate that does not catch its breach checks
 * nothing.
 */
final class PlantedBreaches {
  private PlantedBreaches() {}

  static final class UsesLock {
    final ReentrantLock lock = new ReentrantLock();
  }

  static final class UsesLockSupport {
    void park() {
      LockSupport.park();
    }
  }

  static final class UsesQueue {
    final ArrayBlockingQueue<String> queue = new ArrayBlockingQueue<>(1);
  }

  static final class UsesFuture {
    final CompletableFuture<String> future = new CompletableFuture<>();
  }

  static final class UsesLatch {
    final CountDownLatch latch = new CountDownLatch(1);
  }

  static final class UsesExecutor {
    void run() {
      Executors.newSingleThreadExecutor().close();
    }
  }

  static final class UsesThread {
    Thread thread() {
      return Thread.ofVirtual().unstarted(() -> {});
    }
  }

  static final class UsesNanoTime {
    long time() {
      return System.nanoTime();
    }
  }

  static final class UsesNanoTimeByReference {
    LongSupplier time() {
      return System::nanoTime;
    }
  }

  static final class UsesMillis {
    long time() {
      return System.currentTimeMillis();
    }
  }

  static final class UsesInstantNow {
    Instant time() {
      return Instant.now();
    }
  }

  static final class UsesSystemClock {
    InstantSource clock() {
      return InstantSource.system();
    }
  }

  static final class UsesMathRandom {
    double random() {
      return Math.random();
    }
  }

  static final class UsesUnseededRandom {
    final Random random = new Random();
  }

  static final class UsesUuid {
    UUID id() {
      return UUID.randomUUID();
    }
  }

  static final class UsesParallelStream {
    long count(List<String> list) {
      return list.parallelStream().filter(String::isEmpty).count();
    }
  }

  static final class UsesFiles {
    boolean exists(Path path) {
      return Files.exists(path);
    }
  }

  static final class UsesFileChannel {
    FileChannel open(Path path) throws IOException {
      return FileChannel.open(path);
    }
  }

  static final class UsesRandomAccessFile {
    RandomAccessFile open() throws IOException {
      return new RandomAccessFile("a", "r");
    }
  }

  static final class HasSynchronizedMethod {
    private int count;

    synchronized int next() {
      return count++;
    }
  }

  static final class HasSynchronizedBlock {
    private final Object guard = new Object();
    private int count;

    int next() {
      synchronized (guard) {
        return count++;
      }
    }
  }
}
