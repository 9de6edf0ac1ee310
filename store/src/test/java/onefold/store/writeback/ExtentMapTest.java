package onefold.store.writeback;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import onefold.store.writeback.Extent.Content;
import onefold.store.writeback.Extent.Memory;
import org.junit.jupiter.api.Test;

/** The extents of an object, and what they hold. */
class ExtentMapTest {
  private static final int PIECE_BYTES = 64 << 10;

  private final ExtentMap map = new ExtentMap();
  private final List<WeakReference<Memory>> written = new ArrayList<>();

  private void write(long position) {
    Memory memory = new Memory(new byte[PIECE_BYTES]);
    written.add(new WeakReference<>(memory));
    map.put(
        new Extent(position, PIECE_BYTES, written.size(), new Content.Data(memory, 0, null, 0)));
  }

  private long reachableBytes() {
    System.gc();
    return written.stream().filter(each -> !each.refersTo(null)).count() * PIECE_BYTES;
  }

  @Test
  void aStreamThatWentIntoTheRecipeIsNotHeldInMemory() {
    for (int i = 0; i < 800; i++) {
      write((long) i * PIECE_BYTES);
      map.clear(0, (long) (i - 16) * PIECE_BYTES);
    }

    long held = map.chargeBytes();
    long reachable = reachableBytes();
    assertTrue(
        reachable <= ExtentMap.MAX_STALE_BYTES + 2 * held,
        () -> reachable + " bytes are held, " + held + " are counted");
    List<Extent> fresh = map.takeFresh();
    assertEquals(map.all(), fresh);
  }

  @Test
  void whatIsWrittenOverIsNotHeldInMemory() {
    for (int i = 0; i < 800; i++) {
      write(i % 7 * (PIECE_BYTES / 2L));
    }

    long held = map.chargeBytes();
    long reachable = reachableBytes();
    assertTrue(
        reachable <= ExtentMap.MAX_STALE_BYTES + 2 * held,
        () -> reachable + " bytes are held, " + held + " are counted");
    assertEquals(map.all(), map.takeFresh());
  }
}
