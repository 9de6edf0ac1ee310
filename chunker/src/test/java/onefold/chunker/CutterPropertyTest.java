package onefold.chunker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class CutterPropertyTest {
  private static final ParameterSet SET = ParameterSet.SET_1;

  private static List<Integer> cutAtOnce(Cutter cutter, byte[] data) {
    int[] lengths = new int[data.length + 1];
    int count = cutter.cut(data, 0, data.length, true, lengths, 0);
    return Arrays.stream(lengths, 0, count).boxed().toList();
  }

  /** Presents the data in random pieces, as buffers of a pipeline would. */
  private static List<Integer> cutInPieces(Cutter cutter, byte[] data, SplittableRandom random) {
    List<Integer> all = new ArrayList<>();
    int[] lengths = new int[random.nextInt(1, 40)];
    int start = 0;
    int end = 0;
    while (start < data.length) {
      end = Math.min(data.length, Math.max(start, end) + random.nextInt(100_000));
      int at = random.nextInt(lengths.length);
      int count = cutter.cut(data, start, end, end == data.length, lengths, at);
      for (int i = 0; i < count; i++) {
        all.add(lengths[at + i]);
        start += lengths[at + i];
      }
      assertTrue(at + count == lengths.length || end - start < SET.maxBytes(), "left over");
    }
    return all;
  }

  static byte[] randomContents(SplittableRandom random, int length) {
    byte[] data = new byte[length];
    int at = 0;
    while (at < length) {
      int run = Math.min(length - at, random.nextInt(1, 200_000));
      switch (random.nextInt(4)) {
        case 0 -> Arrays.fill(data, at, at + run, (byte) random.nextInt());
        case 1 -> {
          int period = random.nextInt(1, 5_000);
          for (int i = at; i < at + run; i++) {
            data[i] = i - at < period ? (byte) random.nextInt() : data[i - period];
          }
        }
        case 2 -> {
          for (int i = at; i < at + run; i++) {
            data[i] = (byte) ('a' + random.nextInt(26));
          }
        }
        default -> {
          for (int i = at; i < at + run; i++) {
            data[i] = (byte) random.nextInt();
          }
        }
      }
      at += run;
    }
    return data;
  }

  @RepeatedTest(20)
  void bordersDoNotDependOnBuffers() {
    SplittableRandom random = Seeds.random();
    byte[] data = randomContents(random, random.nextInt(1, 2_000_000));
    Cutter cutter = Cutter.of(SET);
    List<Integer> lengths = cutAtOnce(cutter, data);
    assertEquals(lengths, cutInPieces(cutter, data, random));
    assertEquals(data.length, lengths.stream().mapToInt(Integer::intValue).sum());
    for (int i = 0; i < lengths.size(); i++) {
      assertTrue(lengths.get(i) <= SET.maxBytes());
      assertTrue(i == lengths.size() - 1 || lengths.get(i) >= SET.minBytes());
    }
  }

  @Test
  void edgeSizesAreCutWhole() {
    Cutter cutter = Cutter.of(SET);
    for (int size : new int[] {1, 63, 64, 65, 2047, 2048, 2049, 65535, 65536, 65537, 131072}) {
      List<Integer> lengths = cutAtOnce(cutter, new byte[size]);
      List<Integer> wished = new ArrayList<>();
      for (int rest = size; rest > 0; rest -= SET.maxBytes()) {
        wished.add(Math.min(rest, SET.maxBytes()));
      }
      assertEquals(wished, lengths, "size " + size);
    }
    assertEquals(0, cutter.cut(new byte[0], 0, 0, true, new int[1], 0));
  }

  @Test
  void chunksOfRandomDataAreNearTheWishedMean() {
    SplittableRandom random = Seeds.random();
    byte[] data = new byte[32 << 20];
    random.nextBytes(data);
    double mean = (double) data.length / cutAtOnce(Cutter.of(SET), data).size();
    assertTrue(mean > 0.95 * SET.meanBytes() && mean < 1.05 * SET.meanBytes(), "mean " + mean);
  }
}
