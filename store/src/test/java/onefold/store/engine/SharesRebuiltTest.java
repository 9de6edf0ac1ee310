package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import onefold.chunker.ObjectRoot;
import onefold.store.Id;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareRecord;
import onefold.store.ShareTree;
import onefold.store.device.FileDevice;
import onefold.store.scheduler.ThreadScheduler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Shares in a directory whose superblocks are lost: they come back, and what was deleted not. */
class SharesRebuiltTest {
  @TempDir Path folder;

  private static final byte[] KEY = {1, 2};
  private static final byte[] GONE = {3};
  private static final byte[] LONG = {4};

  private static void set(ShareTree tree, ShareChange... changes) throws IOException {
    tree.change(List.of(changes)).toCompletableFuture().join();
  }

  @Test
  void theyComeBackWithTheirEntriesAndSnapshotsAndWhatWasDeletedStaysDeleted() throws IOException {
    Path data = Files.createDirectory(folder.resolve("data"));
    byte[] content = Walk.content(1, 300_000);
    try (ThreadScheduler scheduler = new ThreadScheduler();
        Engine engine = Engine.open(new FileDevice(data), scheduler, Walk.small())) {
      Id domain = Walk.defaultStore(engine).domainId();
      ObjectRoot root = Walk.put(engine, "item", content).root();
      ShareRecord share = engine.createShare(Walk.commandId("1"), "backup", domain, KEY);
      ShareRecord other = engine.createShare(Walk.commandId("2"), "other", domain, KEY);
      ShareTree tree = engine.shareTree(share.id());
      ShareObject object = new ShareObject(new Id(1, 1), root, 1, 7, new byte[] {9});
      set(
          tree,
          new ShareChange.SetEntry(new ShareEntry(KEY, Optional.of(object), GONE)),
          new ShareChange.SetValue(GONE, KEY),
          new ShareChange.SetValue(LONG, content(60_000)));
      engine.copyShare(Walk.commandId("3"), share.id(), "monday", true);
      set(tree, new ShareChange.Remove(GONE));
      engine.deleteItem(Walk.commandId("4"), Walk.defaultStore(engine).id(), "item");
      engine.deleteShare(Walk.commandId("5"), other.id(), true);
    }
    Files.delete(data.resolve(Superblocks.FIRST));
    Files.delete(data.resolve(Superblocks.SECOND));
    Path copy = folder.resolve("copy");
    copy(data, copy);
    try (ThreadScheduler scheduler = new ThreadScheduler()) {
      Rebuild.Report report =
          Rebuild.run(
              new FileDevice(copy),
              new FileDevice(data),
              scheduler,
              Walk.small(),
              false,
              (step, done, total) -> assertTrue(done >= 0, step));
      assertTrue(report.named(), report.toString());
      try (Engine engine = Engine.open(new FileDevice(data), scheduler, Walk.small())) {
        assertEquals(List.of("backup"), engine.shares().stream().map(ShareRecord::name).toList());
        ShareRecord share = engine.shares().getFirst();
        assertArrayEquals(KEY, share.settings());
        ShareTree tree = engine.shareTree(share.id());
        assertEquals(2, tree.scan(new byte[0], new byte[0], 10).size());
        assertArrayEquals(content(60_000), tree.find(LONG).orElseThrow().value());
        ShareRecord snapshot = engine.findShare("backup@monday").orElseThrow();
        assertEquals(3, engine.shareTree(snapshot.id()).scan(new byte[0], new byte[0], 10).size());
        assertEquals("", engine.runHousekeeping(share.domainId()).problem());
        ShareObject object = tree.find(KEY).orElseThrow().object().orElseThrow();
        assertEquals(7, object.dataBytes());
        assertArrayEquals(content, Walk.read(engine, share.domainId(), object.root()));
        set(tree, new ShareChange.SetValue(GONE, LONG));
        assertEquals(3, tree.scan(new byte[0], new byte[0], 10).size());
      }
    }
  }

  private static byte[] content(int length) {
    return Walk.content(2, length);
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path each : files.toList()) {
        Path target = to.resolve(from.relativize(each).toString());
        if (Files.isDirectory(each)) {
          Files.createDirectories(target);
        } else {
          Files.copy(each, target);
        }
      }
    }
  }
}
