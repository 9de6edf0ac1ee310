package onefold.nas;

import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Locks of files by id, fewer than there are files. Who needs several takes them in one call, which
 * takes them in one order; nobody takes more while he holds some, and nobody waits for the disk's
 * barriers while he holds any.
 */
final class FileLocks {
  private static final int STRIPES = 1024;

  private final ReentrantLock[] stripes = new ReentrantLock[STRIPES];

  FileLocks() {
    Arrays.setAll(stripes, i -> new ReentrantLock());
  }

  /** Locks until it is closed. */
  Held hold(long... fileIds) {
    int[] wanted = new int[fileIds.length];
    for (int i = 0; i < fileIds.length; i++) {
      wanted[i] = (int) ((fileIds[i] * 0x9e37_79b9_7f4a_7c15L) >>> 54);
    }
    Arrays.sort(wanted);
    for (int i = 0; i < wanted.length; i++) {
      if (i == 0 || wanted[i] != wanted[i - 1]) {
        stripes[wanted[i]].lock();
      }
    }
    return new Held(wanted);
  }

  /** Locks that are held by the thread that took them. */
  final class Held implements AutoCloseable {
    private final int[] wanted;

    private Held(int[] wanted) {
      this.wanted = wanted;
    }

    @Override
    public void close() {
      for (int i = wanted.length - 1; i >= 0; i--) {
        if (i == 0 || wanted[i] != wanted[i - 1]) {
          stripes[wanted[i]].unlock();
        }
      }
    }
  }
}
