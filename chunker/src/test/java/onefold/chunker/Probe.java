package onefold.chunker;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockReader;

/**
 * A program that cuts, fingerprints, encodes and decodes the same bytes in every JVM and prints a
 * fingerprint of each result; {@link SameEverywhereTest} runs it with all sorts of JVM options.
 */
final class Probe {
  private Probe() {}

  /** Prints a line a result; takes no arguments. */
  public static void main(String[] arguments) throws Exception {
    byte[] data = sampleData(3_000_000);
    Cutter cutter = Cutter.of(ParameterSet.SET_1);
    int[] lengths = new int[10_000];
    int count = cutter.cut(data, 0, data.length, true, lengths, 0);
    byte[] fingerprints = new byte[count * Fingerprint.BYTES];
    Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.SET_1);
    fingerprinter.fingerprint(data, 0, lengths, 0, count, fingerprints, 0);
    print("cuts", Arrays.toString(Arrays.copyOf(lengths, count)));
    print("fingerprints", HexFormat.of().formatHex(fingerprints));
    Cutter warm = new AdaptiveCutter(CutRule.of(ParameterSet.SET_1), 1);
    count = warm.cut(data, 0, data.length, true, lengths, 0);
    print("cuts when warm", Arrays.toString(Arrays.copyOf(lengths, count)));
    for (BlockCodec codec : BlockCodec.values()) {
      try (BlockBuilder builder =
              new BlockBuilder(ChunkKind.DATA, codec, BlockBuilder.INLINE_ZSTD_LEVEL);
          BlockReader reader = new BlockReader()) {
        builder.add(data, 0, 200_000);
        builder.add(data, 200_000, 50_000);
        int length = builder.encode();
        reader.parse(builder.bytes(), 0, length);
        String plain = HexFormat.of().formatHex(reader.decompress(), 0, 250_000);
        print("block " + codec, plain);
      }
    }
  }

  /** Runs of random bytes, zeros, a period of 48 and letters, by a generator that never changes. */
  static byte[] sampleData(int length) {
    byte[] data = new byte[length];
    long state = 0;
    for (int i = 0; i < length; i++) {
      state += 0x9E3779B97F4A7C15L;
      long z = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
      z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
      int random = (int) (z ^ z >>> 31) & 0xff;
      data[i] =
          switch (i / 150_000 % 5) {
            case 1 -> 0;
            case 2 -> i % 150_000 < 48 ? (byte) random : data[i - 48];
            case 3 -> (byte) ('a' + random % 26);
            default -> (byte) random;
          };
    }
    return data;
  }

  private static void print(String what, String result) {
    byte[] bytes = result.getBytes(StandardCharsets.US_ASCII);
    Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.SET_1);
    System.out.println(what + " " + fingerprinter.fingerprint(bytes, 0, bytes.length));
  }
}
