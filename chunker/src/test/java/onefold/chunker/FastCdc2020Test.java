package onefold.chunker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The contestant is fair: it cuts what its paper says, near the same mean. */
class FastCdc2020Test {
  @Test
  void chunksAreNearTheMeanAndFoundAgain() {
    SplittableRandom random = Seeds.random();
    byte[] data = new byte[16 << 20];
    random.nextBytes(data);
    FastCdc2020 contestant = new FastCdc2020(8192);
    int count = 0;
    int start = 0;
    while (start < data.length) {
      int length = contestant.firstChunk(data, start, data.length);
      assertTrue(length <= 65536 && (length >= 2048 || start + length == data.length));
      // A chunk's border does not depend on what lies before it.
      byte[] alone =
          java.util.Arrays.copyOfRange(data, start, Math.min(data.length, start + 65536));
      assertEquals(length, contestant.firstChunk(alone, 0, alone.length));
      start += length;
      count++;
    }
    int mean = data.length / count;
    assertTrue(mean > 8_500 && mean < 10_000, "mean " + mean);
  }
}
