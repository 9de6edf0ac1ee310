package onefold.appliance.sample;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/**
 * Text that compresses about as prose and source do: words of a made vocabulary, the frequent ones
 * chosen more often. Everything follows from the random source handed in, whose algorithm the JDK's
 * documentation fixes.
 */
final class Prose {
  private static final int WORD_COUNT = 4096;
  private static final byte[][] WORDS = words();

  private Prose() {}

  private static byte[][] words() {
    String[] starts = {
      "re", "con", "de", "in", "st", "pro", "ta", "mi", "lo", "ch", "ver", "an", "su", "pl", "qu",
      "ex"
    };
    String[] middles = {
      "a", "e", "i", "o", "u", "ar", "en", "is", "or", "un", "at", "el", "im", "os", "ur", "ai"
    };
    String[] ends = {
      "t", "s", "n", "d", "ing", "ed", "er", "tion", "ly", "al", "ment", "", "e", "y", "ous", "ive"
    };
    byte[][] words = new byte[WORD_COUNT][];
    for (int i = 0; i < WORD_COUNT; i++) {
      String word = starts[i & 15] + middles[(i >> 4) & 15] + ends[(i >> 8) & 15];
      words[i] = word.getBytes(StandardCharsets.US_ASCII);
    }
    return words;
  }

  /** Fills a range with words, blanks and line ends. */
  static void fill(byte[] target, int offset, int length, SplittableRandom random) {
    int at = offset;
    int end = offset + length;
    int column = 0;
    while (at < end) {
      long bits = random.nextLong();
      // The product of two uniform numbers favours small ones, as the frequency of words does.
      int rank = (int) (((bits & 0xfff) * ((bits >>> 12) & 0xfff)) >>> 12);
      byte[] word = WORDS[rank];
      int copied = Math.min(word.length, end - at);
      System.arraycopy(word, 0, target, at, copied);
      at += copied;
      column += copied + 1;
      if (at < end) {
        boolean newLine = column > 72;
        target[at++] = (byte) (newLine ? '\n' : ((bits >>> 24) & 15) == 0 ? ',' : ' ');
        column = newLine ? 0 : column;
      }
    }
  }

  /**
   * Fills a range with fixed-width records: counters, flags and small numbers, as tables hold them.
   */
  static void fillRecords(
      byte[] target, int offset, int length, long firstKey, SplittableRandom random) {
    int end = offset + length;
    long key = firstKey;
    for (int at = offset; at < end; at += 64) {
      byte[] row = new byte[64];
      putLong(row, 0, key++);
      putLong(row, 8, 1_700_000_000_000L + (key << 8));
      putLong(row, 16, random.nextLong());
      row[24] = (byte) random.nextInt(4);
      fill(row, 28, 28, random);
      System.arraycopy(row, 0, target, at, Math.min(row.length, end - at));
    }
  }

  static void putLong(byte[] target, int offset, long value) {
    for (int i = 0; i < 8; i++) {
      target[offset + i] = (byte) (value >>> (8 * i));
    }
  }
}
