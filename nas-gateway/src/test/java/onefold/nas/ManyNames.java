package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * How fast a directory with very many names is, over the store's model, so that the file layer's
 * own work is what is seen: {@code ManyNames [COUNT]}. Not part of the build.
 */
public final class ManyNames {
  private static final Credentials ROOT = Credentials.ROOT;

  private ManyNames() {}

  /** One step of it. */
  private interface Step {
    void run() throws IOException;
  }

  /** Makes, finds, lists and removes so many names, a million when not said. */
  public static void main(String[] arguments) throws IOException {
    int count = arguments.length == 0 ? 1_000_000 : Integer.parseInt(arguments[0]);
    TestShare share = new TestShare(1);
    ShareFileSystem files = share.files;
    long root = files.rootId();
    time(
        "create",
        count,
        () -> {
          for (int i = 0; i < count; i++) {
            files.create(ROOT, root, name(i), new CreateMode.Guarded(AttributeChange.NONE));
          }
        });
    var random = new SplittableRandom(1);
    time(
        "lookup",
        count,
        () -> {
          for (int i = 0; i < count; i++) {
            files.lookup(ROOT, root, name(random.nextInt(count)));
          }
        });
    time("list", count, () -> list(files, root, count, false));
    time("list with attributes", count, () -> list(files, root, count, true));
    time(
        "restart",
        1,
        () -> {
          files.close();
          share.open();
        });
    time(
        "remove",
        count,
        () -> {
          for (int i = 0; i < count; i++) {
            share.files.remove(ROOT, root, name(i));
          }
        });
  }

  private static void list(ShareFileSystem files, long root, int count, boolean withAttributes)
      throws IOException {
    long after = 0;
    int seen = 0;
    while (true) {
      DirectoryPage page = files.list(ROOT, root, after, 128, withAttributes);
      seen += page.entries().size();
      if (page.end()) {
        break;
      }
      after = page.entries().getLast().cookie();
    }
    if (seen != count) {
      throw new AssertionError(seen + " names of " + count);
    }
  }

  private static byte[] name(int number) {
    return ("file-" + number).getBytes(UTF_8);
  }

  private static void time(String what, int count, Step step) throws IOException {
    long start = System.nanoTime();
    step.run();
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(Locale.ROOT, "%-22s %8.1f s %,12.0f /s%n", what, seconds, count / seconds);
  }
}
