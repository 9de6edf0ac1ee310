package onefold.perf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** The operating system's page cache, which a measurement begins without. */
final class ColdCache {
  private static final Path DROP = Path.of("/proc/sys/vm/drop_caches");

  private ColdCache() {}

  /** Writes everything to disk and drops the cache; false where that is not allowed. */
  static boolean drop() throws IOException, InterruptedException {
    Process sync = new ProcessBuilder("sync").inheritIO().start();
    if (!sync.waitFor(10, TimeUnit.MINUTES) || !Files.isWritable(DROP)) {
      return false;
    }
    Files.writeString(DROP, "3\n");
    return true;
  }
}
