package onefold.perf;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Bytes to measure with: files as they are, or made ones that compress about as backups do. */
final class Corpus {
  private Corpus() {}

  /** Reads files and folders, in order of name, up to {@code mostBytes}. */
  static byte[] of(List<Path> paths, int mostBytes) throws IOException {
    byte[] corpus = new byte[mostBytes];
    int filled = 0;
    for (Path path : paths) {
      try (Stream<Path> files = Files.walk(path)) {
        for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
          if (filled < mostBytes) {
            filled += read(file, corpus, filled);
          }
        }
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
    }
    return Arrays.copyOf(corpus, filled);
  }

  private static int read(Path file, byte[] target, int from) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(target, from, target.length - from);
    }
  }

  /**
   * Makes bytes of three looks in turns of 64 KiB: words, records of counters, and random ones.
   *
   * @param seed different seeds share no chunk
   */
  static byte[] made(int lengthBytes, long seed) {
    byte[] made = new byte[lengthBytes];
    SplittableRandom random = new SplittableRandom(seed);
    byte[][] words = new byte[2048][];
    for (int i = 0; i < words.length; i++) {
      words[i] =
          (Long.toString(random.nextLong() >>> random.nextInt(16, 48), 36) + " ")
              .getBytes(StandardCharsets.US_ASCII);
    }
    int at = 0;
    for (int extent = 0; at < lengthBytes; extent++) {
      int end = Math.min(lengthBytes, at + (64 << 10));
      switch (extent % 5) {
        case 0, 1, 2 -> {
          while (at < end) {
            byte[] word = words[random.nextInt(1 + random.nextInt(words.length))];
            int part = Math.min(word.length, end - at);
            System.arraycopy(word, 0, made, at, part);
            at += part;
          }
        }
        case 3 -> {
          for (; at < end; at++) {
            made[at] = (byte) ((at & 63) < 40 ? at >>> 6 : random.nextInt(256));
          }
        }
        default -> {
          byte[] noise = new byte[end - at];
          random.nextBytes(noise);
          System.arraycopy(noise, 0, made, at, noise.length);
          at = end;
        }
      }
    }
    return made;
  }
}
