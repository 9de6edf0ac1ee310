package onefold.chunker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class CutterPropertyTest {
  private static final ParameterSet SET = ParameterSet.SET_1;
  private static final CutRule RULE = CutRule.of(SET);
  private static final BigInteger TWO_64 = BigInteger.ONE.shiftLeft(64);

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

  /** Constant, periodic, text-like and random runs. */
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
  void bordersDependNeitherOnBuffersNorOnTheForm() {
    SplittableRandom random = Seeds.random();
    byte[] data = randomContents(random, random.nextInt(1, 2_000_000));
    List<Integer> lengths = cutAtOnce(CutterForm.SCALAR.cutter(RULE), data);
    for (CutterForm form : CutterForm.values()) {
      assertEquals(lengths, cutAtOnce(form.cutter(RULE), data), form.toString());
      assertEquals(lengths, cutInPieces(form.cutter(RULE), data, random), form.toString());
    }
    assertEquals(data.length, lengths.stream().mapToInt(Integer::intValue).sum());
    for (int i = 0; i < lengths.size(); i++) {
      assertTrue(lengths.get(i) <= SET.maxBytes());
      assertTrue(i == lengths.size() - 1 || lengths.get(i) >= SET.minBytes());
    }
  }

  @Test
  void constantRunsAreCutAtTheMaximum() {
    for (CutterForm form : CutterForm.values()) {
      Cutter cutter = form.cutter(RULE);
      byte[] data = new byte[200_000];
      for (int value = 0; value < 256; value++) {
        Arrays.fill(data, (byte) value);
        assertEquals(List.of(65536, 65536, 65536, 3392), cutAtOnce(cutter, data));
      }
    }
  }

  @Test
  void bordersAreThoseOfTheDocumentedRule() {
    SplittableRandom random = Seeds.random();
    byte[] data = randomContents(random, 1_000_000);
    List<Integer> lengths = new ArrayList<>();
    int start = 0;
    while (start < data.length) {
      int length = slowly(data, start);
      lengths.add(length);
      start += length;
    }
    assertEquals(lengths, cutAtOnce(Cutter.of(SET), data));
  }

  /** The rule as docs/formats/chunking.md words it, with none of the product's code. */
  private static int slowly(byte[] data, int start) {
    for (int length = 2048; start + length <= data.length && length < 65536; length++) {
      int end = start + length;
      long product = 0;
      for (int i = 0; i < 4; i++) {
        product += (data[end - 4 + i] & 0xffL) << (8 * i);
      }
      product = product * 0x1B6AE7F7L & 0xffffffffL;
      if (product >> 24 != 0x44) {
        continue;
      }
      BigInteger sum = BigInteger.ZERO;
      for (int pair = 0; pair < 4; pair++) {
        sum =
            sum.add(
                folded(
                    word(data, end - 64 + 16 * pair).add(key(2 * pair)),
                    word(data, end - 56 + 16 * pair).add(key(2 * pair + 1))));
      }
      BigInteger hash = folded(sum, key(8));
      if (hash.shiftRight(64 - (length < 6656 ? 7 : 3)).signum() == 0) {
        return length;
      }
    }
    return Math.min(65536, data.length - start);
  }

  private static BigInteger folded(BigInteger a, BigInteger b) {
    BigInteger product = a.mod(TWO_64).multiply(b.mod(TWO_64));
    return product.mod(TWO_64).xor(product.shiftRight(64));
  }

  private static BigInteger word(byte[] data, int at) {
    BigInteger word = BigInteger.ZERO;
    for (int i = 7; i >= 0; i--) {
      word = word.shiftLeft(8).add(BigInteger.valueOf(data[at + i] & 0xff));
    }
    return word;
  }

  /** The keys as their generator gives them: SplitMix64 from the bytes "ONEFOLD1". */
  private static BigInteger key(int index) {
    long state = 0x31444C4F46454E4FL + (index + 1) * 0x9E3779B97F4A7C15L;
    long z = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return new BigInteger(Long.toUnsignedString(z ^ z >>> 31));
  }

  @Test
  void edgeSizesAreCutWhole() {
    Cutter cutter = CutterForm.VECTOR.cutter(RULE);
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
