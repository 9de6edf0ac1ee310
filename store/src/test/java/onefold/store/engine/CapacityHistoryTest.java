package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.OptionalLong;
import onefold.store.CorruptDataException;
import org.junit.jupiter.api.Test;

class CapacityHistoryTest {
  private static final long DAY_MILLIS = 86_400_000;

  @Test
  void growthIsKnownAfterADayAndFollowsTheSamples() {
    CapacityHistory history = CapacityHistory.EMPTY;
    assertTrue(history.isDue(5));
    long at = 1_000;
    for (int i = 0; i < 4; i++) {
      history = history.with(at, 1_000_000 + i * 250);
      assertFalse(history.isDue(at + CapacityHistory.INTERVAL_MILLIS - 1));
      assertEquals(OptionalLong.empty(), history.growthBytesPerDay());
      at += CapacityHistory.INTERVAL_MILLIS;
      assertTrue(history.isDue(at));
    }
    history = history.with(at, 1_001_000);
    assertEquals(OptionalLong.of(1_000), history.growthBytesPerDay());
    CapacityHistory shrinking =
        CapacityHistory.EMPTY.with(0, 5_000).with(DAY_MILLIS, 4_000).with(2 * DAY_MILLIS, 3_000);
    assertEquals(OptionalLong.of(-1_000), shrinking.growthBytesPerDay());
  }

  @Test
  void theOldestSamplesAreForgottenFirst() {
    CapacityHistory history = CapacityHistory.EMPTY;
    for (int i = 0; i < 1_000; i++) {
      history = history.with(i * CapacityHistory.INTERVAL_MILLIS, i);
    }
    assertEquals(CapacityHistory.MAX_SAMPLES, history.samples().size());
    assertEquals(1_000 - CapacityHistory.MAX_SAMPLES, history.samples().getFirst().usedBytes());
    assertEquals(OptionalLong.of(4), history.growthBytesPerDay());
  }

  @Test
  void whatIsWrittenIsReadAndNothingElse() throws CorruptDataException {
    CapacityHistory history = CapacityHistory.EMPTY.with(1_767_225_600_000L, 1 << 20);
    byte[] bytes = history.encode();
    assertEquals(
        "010000000100000000a8da769b0100000000100000000000", HexFormat.of().formatHex(bytes));
    assertEquals(history, CapacityHistory.decode(bytes));
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThrows(CorruptDataException.class, () -> CapacityHistory.decode(cut));
    }
    byte[] newer = bytes.clone();
    newer[0] = 2;
    assertThrows(CorruptDataException.class, () -> CapacityHistory.decode(newer));
    byte[] many = bytes.clone();
    many[7] = 0x7f;
    assertThrows(CorruptDataException.class, () -> CapacityHistory.decode(many));
  }
}
