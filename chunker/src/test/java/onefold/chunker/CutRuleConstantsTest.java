package onefold.chunker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The constants of the cut rule are the outputs of the generator that docs/formats names. */
class CutRuleConstantsTest {
  private long state = 0x31444C4F46454E4FL;
  private int factor;
  private int candidate;

  private long next() {
    state += 0x9E3779B97F4A7C15L;
    long z = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }

  @Test
  void keysAndFactorComeFromTheGenerator() {
    assertEquals(CutRule.KEY_0, next());
    assertEquals(CutRule.KEY_1, next());
    assertEquals(CutRule.KEY_2, next());
    assertEquals(CutRule.KEY_3, next());
    assertEquals(CutRule.KEY_4, next());
    assertEquals(CutRule.KEY_5, next());
    assertEquals(CutRule.KEY_6, next());
    assertEquals(CutRule.KEY_7, next());
    assertEquals(CutRule.KEY_8, next());
    int output = 9;
    do {
      long value = next();
      factor = (int) (value >>> 32) | 1;
      candidate = (int) value & 0xff;
      output++;
      assertTrue(output < 100, "none of the first outputs meets the conditions");
    } while (!meetsTheConditions());
    assertEquals(14, output);
    assertEquals(CutRule.FACTOR, factor);
    assertEquals(CutRule.CANDIDATE, candidate);
  }

  @Test
  void theWorkedExamplesAreRight() {
    byte[] window = {'t', 'h', 'e', ' ', 'k', 'a', 's', 'o'};
    assertEquals(0x44888B3D, CutRule.product(window, 4));
    assertEquals(0x3F2073EC, CutRule.product(window, 0));
  }

  private boolean meetsTheConditions() {
    for (int b = 0; b < 256; b++) {
      if (hit(b, b, b, b) == 1) {
        return false;
      }
    }
    return near(oneOther(0), 1020)
        && near(oneOther(0xff), 1020)
        && near(wide(), 2 * 95 * 95)
        && near(alternating(), 256 * 255)
        && blanks() >= 1
        && blanks() <= 3
        && near(over("0123456789"), 10_000)
        && near(over("0123456789abcdef"), 1 << 16)
        && over("ACGT") == 1
        && near(over("etaoinshrdlu "), 13 * 13 * 13 * 13)
        && near(over("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"), 1 << 24);
  }

  private int hit(int b0, int b1, int b2, int b3) {
    int product = (b0 | b1 << 8 | b2 << 16 | b3 << 24) * factor;
    return product >>> 24 == candidate ? 1 : 0;
  }

  private static boolean near(int hits, int windows) {
    double expected = windows / 256.0;
    return hits >= 0.75 * expected && hits <= 1.25 * expected;
  }

  private int oneOther(int fill) {
    int hits = 0;
    for (int b = 0; b < 256; b++) {
      if (b != fill) {
        hits += hit(b, fill, fill, fill) + hit(fill, b, fill, fill);
        hits += hit(fill, fill, b, fill) + hit(fill, fill, fill, b);
      }
    }
    return hits;
  }

  private int wide() {
    int hits = 0;
    for (int a = 32; a < 127; a++) {
      for (int b = 32; b < 127; b++) {
        hits += hit(a, 0, b, 0) + hit(0, a, 0, b);
      }
    }
    return hits;
  }

  private int alternating() {
    int hits = 0;
    for (int a = 0; a < 256; a++) {
      for (int b = 0; b < 256; b++) {
        hits += a == b ? 0 : hit(a, b, a, b);
      }
    }
    return hits;
  }

  private int blanks() {
    int hits = 0;
    for (int c = 32; c < 127; c++) {
      hits += hit(32, 32, 32, c) + hit(c, 32, 32, 32) + hit(10, 32, 32, c) + hit(32, 32, c, c);
    }
    return hits;
  }

  private int over(String letters) {
    int hits = 0;
    for (int a = 0; a < letters.length(); a++) {
      for (int b = 0; b < letters.length(); b++) {
        for (int c = 0; c < letters.length(); c++) {
          for (int d = 0; d < letters.length(); d++) {
            hits += hit(letters.charAt(a), letters.charAt(b), letters.charAt(c), letters.charAt(d));
          }
        }
      }
    }
    return hits;
  }
}
