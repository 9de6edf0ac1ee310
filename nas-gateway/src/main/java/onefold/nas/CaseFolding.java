package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;

/**
 * Which names are the same to clients that do not tell cases apart. Names that have the same fold
 * are; a fold is its own fold, and in small letters, so that most names of Unix clients are theirs.
 *
 * <p>The table is in share trees ({@code docs/formats/share-tree.md}) and never changes, whatever
 * the JDK thinks of letters: the simple mappings of Unicode 16 within the basic plane, as NTFS has
 * them for single UTF-16 units, so no letter becomes two. What is not UTF-8 is folded in its ASCII
 * letters only.
 */
final class CaseFolding {
  /** First unit, how many, the step between them, what is added to each; hexadecimal first. */
  private static final String TABLE =
      """
      0041 26 1 32, 00c0 23 1 32, 00d8 7 1 32, 0100 24 2 1, 0132 3 2 1, 0139 8 2 1,
      014a 23 2 1, 0178 1 1 -121, 0179 3 2 1, 0181 1 1 210, 0182 2 2 1, 0186 1 1 206,
      0187 1 1 1, 0189 2 1 205, 018b 1 1 1, 018e 1 1 79, 018f 1 1 202, 0190 1 1 203,
      0191 1 1 1, 0193 1 1 205, 0194 1 1 207, 0196 1 1 211, 0197 1 1 209, 0198 1 1 1,
      019c 1 1 211, 019d 1 1 213, 019f 1 1 214, 01a0 3 2 1, 01a6 1 1 218, 01a7 1 1 1,
      01a9 1 1 218, 01ac 1 1 1, 01ae 1 1 218, 01af 1 1 1, 01b1 2 1 217, 01b3 2 2 1,
      01b7 1 1 219, 01b8 1 1 1, 01bc 1 1 1, 01c4 1 1 2, 01c5 1 1 1, 01c7 1 1 2, 01c8 1 1 1,
      01ca 1 1 2, 01cb 9 2 1, 01de 9 2 1, 01f1 1 1 2, 01f2 2 2 1, 01f6 1 1 -97,
      01f7 1 1 -56, 01f8 20 2 1, 0220 1 1 -130, 0222 9 2 1, 023a 1 1 10795, 023b 1 1 1,
      023d 1 1 -163, 023e 1 1 10792, 0241 1 1 1, 0243 1 1 -195, 0244 1 1 69, 0245 1 1 71,
      0246 5 2 1, 0370 2 2 1, 0376 1 1 1, 037f 1 1 116, 0386 1 1 38, 0388 3 1 37,
      038c 1 1 64, 038e 2 1 63, 0391 17 1 32, 03a3 9 1 32, 03c2 1 1 1, 03cf 1 1 8,
      03d0 1 1 -30, 03d1 1 1 -25, 03d5 1 1 -15, 03d6 1 1 -22, 03d8 12 2 1, 03f0 1 1 -54,
      03f1 1 1 -48, 03f5 1 1 -64, 03f7 1 1 1, 03f9 1 1 -7, 03fa 1 1 1, 03fd 3 1 -130,
      0400 16 1 80, 0410 32 1 32, 0460 17 2 1, 048a 27 2 1, 04c0 1 1 15, 04c1 7 2 1,
      04d0 48 2 1, 0531 38 1 48, 1e00 75 2 1, 1e9b 1 1 -58, 1ea0 48 2 1, 1f08 8 1 -8,
      1f18 6 1 -8, 1f28 8 1 -8, 1f38 8 1 -8, 1f48 6 1 -8, 1f59 4 2 -8, 1f68 8 1 -8,
      1f88 8 1 -8, 1f98 8 1 -8, 1fa8 8 1 -8, 1fb8 2 1 -8, 1fba 2 1 -74, 1fbc 1 1 -9,
      1fc8 4 1 -86, 1fcc 1 1 -9, 1fd8 2 1 -8, 1fda 2 1 -100, 1fe8 2 1 -8, 1fea 2 1 -112,
      1fec 1 1 -7, 1ff8 2 1 -128, 1ffa 2 1 -126, 1ffc 1 1 -9, 2132 1 1 28, 2160 16 1 16,
      2183 1 1 1, 24b6 26 1 26, 2c00 48 1 48, 2c60 1 1 1, 2c62 1 1 -10743, 2c63 1 1 -3814,
      2c64 1 1 -10727, 2c67 3 2 1, 2c6d 1 1 -10780, 2c6e 1 1 -10749, 2c6f 1 1 -10783,
      2c70 1 1 -10782, 2c72 1 1 1, 2c75 1 1 1, 2c7e 2 1 -10815, 2c80 50 2 1, 2ceb 2 2 1,
      2cf2 1 1 1, a640 23 2 1, a680 14 2 1, a722 7 2 1, a732 31 2 1, a779 2 2 1,
      a77d 1 1 -35332, a77e 5 2 1, a78b 1 1 1, a78d 1 1 -42280, a790 2 2 1, a796 10 2 1,
      a7aa 1 1 -42308, a7ab 1 1 -42319, a7ac 1 1 -42315, a7ad 1 1 -42305, a7ae 1 1 -42308,
      a7b0 1 1 -42258, a7b1 1 1 -42282, a7b2 1 1 -42261, a7b4 8 2 1, a7c4 1 1 -48,
      a7c5 1 1 -42307, a7c6 1 1 -35384, a7c7 2 2 1, a7cb 1 1 -42343, a7cc 1 1 1,
      a7d0 1 1 1, a7d6 3 2 1, a7dc 1 1 -42561, a7f5 1 1 1, ff21 26 1 32
      """;

  private static final char[] FOLDS = folds();

  private CaseFolding() {}

  private static char[] folds() {
    char[] folds = new char[1 << 16];
    for (int i = 0; i < folds.length; i++) {
      folds[i] = (char) i;
    }
    for (String range : TABLE.strip().split(",\\s+", -1)) {
      String[] parts = range.split(" ", -1);
      int unit = Integer.parseInt(parts[0], 16);
      int step = Integer.parseInt(parts[2]);
      int added = Integer.parseInt(parts[3]);
      for (int left = Integer.parseInt(parts[1]); left > 0; left--) {
        folds[unit] = (char) (unit + added);
        unit += step;
      }
    }
    return folds;
  }

  /** Returns what a single unit is folded to. */
  static char fold(char unit) {
    return FOLDS[unit];
  }

  /** Returns the fold of a name: the array itself if it is its own, else a new one. */
  static byte[] fold(byte[] name) {
    boolean ascii = true;
    boolean small = true;
    for (byte b : name) {
      ascii &= b >= 0;
      small &= b < 'A' || b > 'Z';
    }
    if (ascii) {
      return small ? name : asciiFold(name);
    }
    try {
      CharBuffer units = UTF_8.newDecoder().decode(ByteBuffer.wrap(name));
      boolean same = true;
      StringBuilder folded = new StringBuilder(units.length());
      for (int i = 0; i < units.length(); i++) {
        char unit = units.get(i);
        char fold = fold(unit);
        same &= fold == unit;
        folded.append(fold);
      }
      return same ? name : folded.toString().getBytes(UTF_8);
    } catch (CharacterCodingException e) {
      return small ? name : asciiFold(name);
    }
  }

  private static byte[] asciiFold(byte[] name) {
    byte[] folded = name.clone();
    for (int i = 0; i < folded.length; i++) {
      if (folded[i] >= 'A' && folded[i] <= 'Z') {
        folded[i] = (byte) (folded[i] + ('a' - 'A'));
      }
    }
    return folded;
  }
}
