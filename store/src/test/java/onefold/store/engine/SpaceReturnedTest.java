package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import onefold.store.HousekeepingStatus;
import onefold.store.StoreRecord;
import onefold.store.device.FileDevice;
import onefold.store.scheduler.ThreadScheduler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That housekeeping gives space back to a real file system, which counts its own blocks. */
class SpaceReturnedTest {
  @Test
  void blocksOfDeletedItemsGoBackToTheFileSystem(@TempDir Path folder) throws Exception {
    byte[] keep = Walk.content(1, 2_000_000);
    try (var scheduler = new ThreadScheduler();
        Engine engine = Engine.open(new FileDevice(folder), scheduler, Walk.small())) {
      StoreRecord store = Walk.defaultStore(engine);
      Walk.put(engine, "keep", keep);
      for (int i = 0; i < 8; i++) {
        Walk.put(engine, "dead-" + i, Walk.content(10 + i, 2_000_000));
      }
      long full = blockBytes(folder);
      for (int i = 0; i < 8; i++) {
        engine.deleteItem(Walk.commandId("delete-" + i), store.id(), "dead-" + i);
      }
      HousekeepingStatus status = engine.runHousekeeping(store.domainId());
      long left = blockBytes(folder);
      assertTrue(full - left > 14_000_000, "blocks before " + full + ", after " + left);
      assertTrue(
          Math.abs(full - left - status.reclaimedBytes()) < 1_500_000,
          "said to be returned: " + status.reclaimedBytes() + ", were " + (full - left));
      assertArrayEquals(keep, Walk.get(engine, "keep"));
    }
  }

  /** What the file system has allotted, from the blocks of each file (st_blocks). */
  private static long blockBytes(Path folder) throws IOException, InterruptedException {
    Process du =
        new ProcessBuilder("du", "--summarize", "--block-size=1", folder.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String out = new String(du.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    du.waitFor();
    return Long.parseLong(out.substring(0, out.indexOf('\t')));
  }
}
