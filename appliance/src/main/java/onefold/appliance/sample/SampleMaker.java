package onefold.appliance.sample;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Makes generations of a kind below a folder: {@code generation-01}, {@code generation-02}, ….
 * Every byte is a function of kind, size, seed, place and the number of times that place has
 * changed, so that nothing is remembered between generations and any of them can be made alone.
 */
public final class SampleMaker {
  private static final int EXTENT_BYTES = 64 << 10;
  private static final int PAGE_BYTES = 8 << 10;

  /** Share of extents, pages or files that change from one generation to the next, in 1/1024. */
  private static final int CHANGED_PER_1024 = 20;

  private final SampleKind kind;
  private final long sizeBytes;
  private final long seed;

  /** Told after each file. */
  @FunctionalInterface
  public interface Progress {
    void written(long bytes);
  }

  /**
   * Makes a maker.
   *
   * @param sizeBytes of the first generation, about; at least 1 MiB
   * @throws IllegalArgumentException if it is less
   */
  public SampleMaker(SampleKind kind, long sizeBytes, long seed) {
    if (sizeBytes < 1 << 20) {
      throw new IllegalArgumentException("size " + sizeBytes + ", at least 1 MiB");
    }
    this.kind = kind;
    this.sizeBytes = sizeBytes;
    this.seed = mix(seed + kind.number());
  }

  /**
   * Makes one generation.
   *
   * @param folder where its folder goes; made if it is not there
   * @param generation from 1
   * @return the generation's folder
   * @throws FileAlreadyExistsException if that folder exists: made data never replace anything
   */
  public Path make(Path folder, int generation, Progress progress) throws IOException {
    Path target = folder.resolve(String.format(Locale.ROOT, "generation-%02d", generation));
    Files.createDirectories(folder);
    Files.createDirectory(target);
    switch (kind) {
      case VM -> image(target.resolve("disk.img"), generation, progress);
      case FILES -> files(target, generation, progress);
      case DATABASE -> database(target.resolve("base.dat"), generation, progress);
      case MAIL -> mail(target, generation, progress);
      case RANDOM -> random(target.resolve("random.bin"), generation, progress);
    }
    return target;
  }

  private void image(Path file, int generation, Progress progress) throws IOException {
    try (OutputStream out = open(file)) {
      byte[] extent = new byte[EXTENT_BYTES];
      long count = sizeBytes / EXTENT_BYTES;
      for (long i = 0; i < count; i++) {
        int version = changes(i, generation);
        SplittableRandom random = at(i, version);
        // The look of an extent stays, its content changes; one in four is free space.
        switch ((int) (mix(seed ^ i) >>> 60)) {
          case 0, 1 -> Arrays.fill(extent, (byte) 0);
          case 2, 3, 4 -> Prose.fill(extent, 0, EXTENT_BYTES, random);
          case 5, 6 -> Prose.fillRecords(extent, 0, EXTENT_BYTES, i << 10, random);
          default -> random.nextBytes(extent);
        }
        out.write(extent);
        progress.written(extent.length);
      }
    }
  }

  private void database(Path file, int generation, Progress progress) throws IOException {
    try (OutputStream out = open(file)) {
      byte[] page = new byte[PAGE_BYTES];
      long count = sizeBytes / PAGE_BYTES;
      count += count * CHANGED_PER_1024 / 2048 * (generation - 1);
      for (long i = 0; i < count; i++) {
        int version = changes(i, generation);
        Prose.fillRecords(page, 0, PAGE_BYTES, i * 128, at(i, 0));
        Prose.putLong(page, 0, (i << 16) | version);
        if (version > 0) {
          // An update rewrites a few rows of the page and leaves the rest.
          SplittableRandom random = at(i, version);
          for (int row = 0; row < 12; row++) {
            Prose.fillRecords(page, 64 * random.nextInt(1, 128), 64, i * 128, random);
          }
        }
        out.write(page);
        progress.written(page.length);
      }
    }
  }

  private void random(Path file, int generation, Progress progress) throws IOException {
    try (OutputStream out = open(file)) {
      byte[] extent = new byte[EXTENT_BYTES];
      for (long i = 0; i < sizeBytes / EXTENT_BYTES; i++) {
        at(i, changes(i, generation)).nextBytes(extent);
        out.write(extent);
        progress.written(extent.length);
      }
    }
  }

  private void files(Path target, int generation, Progress progress) throws IOException {
    long fileCount = Math.max(1, sizeBytes / (16 << 10));
    fileCount += fileCount * CHANGED_PER_1024 / 4096 * (generation - 1);
    for (long i = 0; i < fileCount; i++) {
      boolean goneByNow = generation > 1 && (mix(seed ^ (i * 31 + 7)) & 1023) < generation - 1;
      if (goneByNow) {
        continue;
      }
      Path folder =
          target.resolve(
              String.format(Locale.ROOT, "part-%03d/group-%02d", i >> 10, (i >> 5) & 31));
      Files.createDirectories(folder);
      int version = changes(i, generation);
      SplittableRandom shape = at(i, 0);
      int paragraphs = 1 + shape.nextInt(shape.nextInt(8) == 0 ? 128 : 16);
      try (OutputStream out =
          open(folder.resolve(String.format(Locale.ROOT, "file-%06d.txt", i)))) {
        for (int p = 0; p < paragraphs; p++) {
          // Each version of a file rewrites one paragraph and puts a line in front of another.
          int rewritten = 0;
          for (int v = 1; v <= version; v++) {
            if (mix(seed ^ (i << 20) ^ v) % paragraphs == p) {
              rewritten = v;
            }
            if (mix(seed ^ (i << 20) ^ (v * 977L)) % paragraphs == p) {
              out.write(("revision " + v + "\n").getBytes(StandardCharsets.US_ASCII));
            }
          }
          SplittableRandom random =
              new SplittableRandom(mix(seed ^ (i << 24) ^ ((long) p << 8) ^ rewritten));
          byte[] paragraph = new byte[512 + random.nextInt(1536)];
          Prose.fill(paragraph, 0, paragraph.length, random);
          paragraph[paragraph.length - 1] = '\n';
          out.write(paragraph);
          progress.written(paragraph.length);
        }
      }
    }
  }

  private void mail(Path target, int generation, Progress progress) throws IOException {
    int boxes = Math.clamp(sizeBytes >> 24, 1, 256);
    long mailBytes = 12 << 10;
    for (int box = 0; box < boxes; box++) {
      long mails = Math.max(1, sizeBytes / boxes / mailBytes);
      mails += (mails * CHANGED_PER_1024 / 1024 + 1) * (generation - 1);
      try (OutputStream out =
          open(target.resolve(String.format(Locale.ROOT, "user-%03d.mbox", box)))) {
        for (long i = 0; i < mails; i++) {
          long id = ((long) box << 40) | i;
          SplittableRandom random = at(id, 0);
          byte[] text = new byte[512 + random.nextInt(4096)];
          Prose.fill(text, 0, text.length, random);
          String head =
              "From user"
                  + random.nextInt(500)
                  + "@example.org\nSubject: "
                  + Long.toHexString(mix(id))
                  + "\n\n";
          out.write(head.getBytes(StandardCharsets.US_ASCII));
          out.write(text);
          progress.written(text.length);
          if (random.nextInt(6) == 0) {
            // Attachments come from a pool: the same one lies in many boxes.
            SplittableRandom attachment = new SplittableRandom(mix(seed ^ random.nextInt(400)));
            byte[] raw = new byte[8 << 10 << attachment.nextInt(5)];
            attachment.nextBytes(raw);
            out.write('\n');
            byte[] encoded = Base64.getMimeEncoder().encode(raw);
            out.write(encoded);
            progress.written(encoded.length);
          }
          out.write('\n');
        }
      }
    }
  }

  /** How often a place has changed up to a generation. */
  private int changes(long place, int generation) {
    int changes = 0;
    for (int g = 2; g <= generation; g++) {
      // Changes come in runs: neighbours of eight share most of their luck.
      long luck = mix(seed ^ ((place >> 3) * 0x9e3779b97f4a7c15L) ^ ((long) g << 48));
      boolean runChanges = (luck & 1023) < CHANGED_PER_1024 * 2;
      // Place g always changes in generation g, so that even the smallest data differ.
      if (place == g || (runChanges && (mix(luck ^ place) & 1) == 0)) {
        changes++;
      }
    }
    return changes;
  }

  private SplittableRandom at(long place, int version) {
    return new SplittableRandom(mix(seed ^ mix(place)) + version);
  }

  private static OutputStream open(Path file) throws IOException {
    return new BufferedOutputStream(Files.newOutputStream(file), 1 << 18);
  }

  /** The finaliser of MurmurHash3: every input bit reaches every output bit. */
  private static long mix(long value) {
    long z = (value ^ (value >>> 33)) * 0xff51afd7ed558ccdL;
    z = (z ^ (z >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return (z ^ (z >>> 33)) & Long.MAX_VALUE;
  }
}
