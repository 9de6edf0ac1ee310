package onefold.nas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LockManagerTest {
  private static final long FILE = 7;
  private final LockManager locks = new LockManager();

  @Test
  void itDoesWhatALockPerByteWouldDo() throws FileException {
    long seed = TestShare.seed();
    var random = new SplittableRandom(seed);
    int size = 24;
    // Per owner and byte: 0 nothing, 1 shared, 2 exclusive.
    int[][] held = new int[3][size];
    for (int step = 0; step < 20_000; step++) {
      int owner = random.nextInt(3);
      int start = random.nextInt(size);
      int end = random.nextInt(start, size) + 1;
      boolean exclusive = random.nextBoolean();
      String where = "onefold.seed=" + seed + " step " + step;
      if (random.nextInt(3) == 0) {
        locks.unlock(FILE, owner, start, end - start);
        Arrays.fill(held[owner], start, end, 0);
      } else {
        boolean free = true;
        for (int other = 0; other < 3; other++) {
          for (int at = start; at < end && other != owner; at++) {
            free &= exclusive ? held[other][at] == 0 : held[other][at] < 2;
          }
        }
        assertEquals(free, locks.test(FILE, owner, start, end - start, exclusive).isEmpty(), where);
        Optional<LockManager.Held> conflict =
            locks.lock(FILE, owner, start, end - start, exclusive);
        assertEquals(free, conflict.isEmpty(), where);
        if (free) {
          Arrays.fill(held[owner], start, end, exclusive ? 2 : 1);
        } else {
          int other = (Integer) conflict.orElseThrow().owner();
          int at = (int) Math.max(start, conflict.orElseThrow().positionBytes());
          assertEquals(conflict.orElseThrow().exclusive() ? 2 : 1, held[other][at], where);
        }
      }
      assertEquals(Arrays.stream(held[owner]).anyMatch(h -> h > 0), locks.holds(FILE, owner));
    }
    for (int owner = 0; owner < 3; owner++) {
      locks.unlockAll(FILE, owner);
    }
    assertEquals(0, locks.heldCount());
  }

  @Test
  void aLockToTheEndMeetsEverythingBehindIt() throws FileException {
    assertTrue(locks.lock(FILE, "a", 100, LockManager.TO_END, true).isEmpty());
    assertTrue(locks.lock(FILE, "b", 0, 100, true).isEmpty());
    LockManager.Held held = locks.lock(FILE, "b", Long.MAX_VALUE - 1, 1, false).orElseThrow();
    assertEquals(new LockManager.Held("a", FILE, 100, LockManager.TO_END, true), held);
    assertTrue(locks.lock(8, "b", 100, LockManager.TO_END, true).isEmpty());
    assertThrows(FileException.class, () -> locks.lock(FILE, "a", 0, 0, true));
    assertThrows(FileException.class, () -> locks.lock(FILE, "a", -1, 5, true));
  }

  @Test
  void shareModesExcludeEachOther() throws FileException {
    locks.open(FILE, "a", OpenFile.READ, OpenFile.WRITE);
    locks.open(FILE, "b", OpenFile.READ, 0);
    FileException e =
        assertThrows(FileException.class, () -> locks.open(FILE, "c", OpenFile.WRITE, 0));
    assertEquals(FileError.SHARE_DENIED, e.error());
    assertThrows(FileException.class, () -> locks.open(FILE, "c", OpenFile.READ, OpenFile.READ));
    assertTrue(locks.denies(FILE, "x", OpenFile.WRITE));
    assertFalse(locks.denies(FILE, "a", OpenFile.WRITE));
    locks.close(FILE, "a");
    assertFalse(locks.denies(FILE, "x", OpenFile.WRITE));
    locks.open(FILE, "c", OpenFile.WRITE, 0);
    locks.close(FILE, "b");
    locks.close(FILE, "c");
    assertEquals(0, locks.heldCount());
  }
}
