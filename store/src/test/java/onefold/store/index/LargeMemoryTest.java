package onefold.store.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Memory of every size is zero, one's own, and gone with its arena. */
final class LargeMemoryTest {
  private static final long[] SIZES = {
    1, 4096, LargeMemory.LEAST_BYTES - 1, LargeMemory.LEAST_BYTES, 1_000_003, (4 << 20) + 1, 9 << 20
  };

  @Test
  void memoryIsZeroAndOnesOwn() {
    try (Arena arena = Arena.ofShared()) {
      var all = new MemorySegment[2 * SIZES.length];
      for (int i = 0; i < all.length; i++) {
        all[i] = LargeMemory.allocate(arena, SIZES[i / 2]);
        assertEquals(SIZES[i / 2], all[i].byteSize());
        assertEquals(0, all[i].address() % 64);
        assertEquals(-1, all[i].mismatch(MemorySegment.ofArray(new byte[(int) SIZES[i / 2]])));
        all[i].fill((byte) (i + 1));
      }
      for (int i = 0; i < all.length; i++) {
        assertEquals(i + 1, all[i].get(ValueLayout.JAVA_BYTE, 0));
        assertEquals(i + 1, all[i].get(ValueLayout.JAVA_BYTE, SIZES[i / 2] - 1));
      }
    }
  }

  @Test
  void memoryIsGoneWithItsArena() {
    for (long size : SIZES) {
      MemorySegment memory;
      try (Arena arena = Arena.ofShared()) {
        memory = LargeMemory.allocate(arena, size);
        assertThrows(
            IndexOutOfBoundsException.class, () -> memory.get(ValueLayout.JAVA_BYTE, size));
      }
      assertThrows(IllegalStateException.class, () -> memory.get(ValueLayout.JAVA_BYTE, 0));
    }
  }
}
