package onefold.nas.nfs;

/** A set of attributes of NFSv4, by number from 0 to 95; what is higher is read and dropped. */
final class Bitmap {
  private static final int WORDS = 3;

  /** More words are no bitmap of attributes. */
  private static final int MAX_WORDS = 1024;

  private final int[] words = new int[WORDS];

  /** Whether a higher number was in it than we know. */
  private boolean unknown;

  static Bitmap of(int... numbers) {
    var bitmap = new Bitmap();
    for (int number : numbers) {
      bitmap.add(number);
    }
    return bitmap;
  }

  static Bitmap read(XdrReader in) throws XdrException {
    int count = in.readCount(MAX_WORDS, "words of a bitmap");
    var bitmap = new Bitmap();
    for (int i = 0; i < count; i++) {
      int word = in.readInt();
      if (i < WORDS) {
        bitmap.words[i] = word;
      } else if (word != 0) {
        bitmap.unknown = true;
      }
    }
    return bitmap;
  }

  void write(XdrWriter out) {
    int count = WORDS;
    while (count > 0 && words[count - 1] == 0) {
      count--;
    }
    out.writeInt(count);
    for (int i = 0; i < count; i++) {
      out.writeInt(words[i]);
    }
  }

  Bitmap add(int number) {
    words[number >> 5] |= 1 << (number & 31);
    return this;
  }

  void remove(int number) {
    words[number >> 5] &= ~(1 << (number & 31));
  }

  boolean has(int number) {
    return (words[number >> 5] >>> (number & 31) & 1) != 0;
  }

  boolean isEmpty() {
    return words[0] == 0 && words[1] == 0 && words[2] == 0;
  }

  /** The smallest number in it from this one on, -1 if none. */
  int next(int from) {
    for (int number = from; number < WORDS * 32; number++) {
      if (has(number)) {
        return number;
      }
    }
    return -1;
  }

  /** What is in both. */
  Bitmap and(Bitmap other) {
    var both = new Bitmap();
    for (int i = 0; i < WORDS; i++) {
      both.words[i] = words[i] & other.words[i];
    }
    return both;
  }

  /** Whether all of it is in the other. */
  boolean isWithin(Bitmap other) {
    for (int i = 0; i < WORDS; i++) {
      if ((words[i] & ~other.words[i]) != 0) {
        return false;
      }
    }
    return !unknown;
  }

  /** Whether the two have something in common. */
  boolean meets(Bitmap other) {
    return !and(other).isEmpty();
  }
}
