package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import onefold.chunker.ParameterSet;
import onefold.store.Id;
import onefold.store.MemoryShareStore;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Snapshots and copies of a share, as clients see them. */
class SnapshotsTest {
  private static final Credentials ROOT = Credentials.ROOT;
  private static final Credentials ANN = new Credentials(1000, 100, Set.of(), false);

  private final Random random = new Random(1);
  private final MemoryShareStore store = new MemoryShareStore(new SplittableRandom(1));
  private ServedShares shares;
  private FileSystem files;
  private long root;

  SnapshotsTest() throws IOException {
    shares = open();
    shares.create(id(), "s", store.domainId(), ShareSettings.LOOPBACK);
    files = share("s");
    root = files.rootId();
  }

  @AfterEach
  void end() throws IOException {
    shares.close();
  }

  @Test
  void aSnapshotHoldsEveryFileAsItWasWithItsOwnIdAndTimes() throws IOException {
    long home = directory(root, "home");
    long file = file(home, "a", "first");
    setTime(file, Instant.ofEpochSecond(1_000_000_000, 7));
    files.setExtendedAttribute(ROOT, file, bytes("k"), bytes("v"), AttributeMode.EITHER);
    files.makeSymbolicLink(ROOT, home, bytes("l"), bytes("a"), AttributeChange.NONE);
    Attributes before = files.attributes(file);
    shares.snapshot(id(), "s", "monday");
    write(file, "second, which is longer");
    files.remove(ROOT, home, bytes("l"));
    file(home, "new", "x");
    long kept = path(root, ".snapshots", "monday", "home", "a");
    assertEquals("first", read(kept));
    Attributes there = files.attributes(kept);
    assertEquals(before.modifyTime(), there.modifyTime());
    assertEquals(before.changeTime(), there.changeTime());
    assertEquals(before.change(), there.change());
    assertEquals(before.mode(), there.mode());
    assertEquals(file, SnapshotIds.fileId(there.fileId()));
    assertArrayEquals(bytes("v"), files.extendedAttribute(ROOT, kept, bytes("k")));
    long link = path(root, ".snapshots", "monday", "home", "l");
    assertArrayEquals(bytes("a"), files.readLink(ROOT, link));
    fails(FileError.NOT_FOUND, () -> path(root, ".snapshots", "monday", "home", "new"));
    assertEquals("second, which is longer", read(file));
    // To tools that compare ids it is another file.
    assertNotEquals(file, kept);
  }

  @Test
  void whatIsWrittenAndNotYetDurableIsInTheSnapshotWithItsTimes() throws IOException {
    long file = file(root, "a", "");
    try (OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false)) {
      open.write(0, bytes("unstable"), 0, 8, Stability.UNSTABLE);
      Attributes before = open.attributes();
      shares.snapshot(id(), "s", "now");
      Attributes there = files.attributes(path(root, ".snapshots", "now", "a"));
      assertEquals(8, there.sizeBytes());
      assertEquals(before.modifyTime(), there.modifyTime());
      assertEquals(before.change(), there.change());
    }
  }

  @Test
  void everyDirectoryHasItsSnapshotsAndListsThemOnlyWhenAsked() throws IOException {
    long home = directory(root, "home");
    shares.snapshot(id(), "s", "one");
    long late = directory(root, "late");
    shares.snapshot(id(), "s", "two");
    assertEquals(List.of("one", "two"), names(path(home, ".snapshots")));
    assertEquals(List.of("two"), names(path(late, ".snapshots")));
    fails(FileError.NOT_FOUND, () -> path(late, ".snapshots", "one"));
    assertEquals(path(root, ".snapshots", "one", "home"), path(home, ".snapshots", "one"));
    assertEquals(List.of("home", "late"), names(root));
    shares.set(id(), "s", ShareSettings.LOOPBACK.withSnapshotDirectory(SnapshotDirectory.VISIBLE));
    assertEquals(List.of("home", "late", ".snapshots"), names(root));
    assertEquals(List.of(), names(home));
    shares.set(id(), "s", ShareSettings.LOOPBACK.withSnapshotDirectory(SnapshotDirectory.OFF));
    assertEquals(List.of("home", "late"), names(root));
    fails(FileError.NOT_FOUND, () -> path(root, ".snapshots"));
    // The name is free, and what has it then comes first.
    long own = directory(root, ".snapshots");
    shares.set(id(), "s", ShareSettings.LOOPBACK.withSnapshotDirectory(SnapshotDirectory.VISIBLE));
    assertEquals(own, path(root, ".snapshots"));
    assertEquals(List.of("home", "late", ".snapshots"), names(root));
    assertEquals(List.of("one", "two"), names(path(home, ".snapshots")));
  }

  @Test
  void namesInAndOfSnapshotsAreFoundWhateverTheirCase() throws IOException {
    file(root, "Report", "old");
    shares.snapshot(id(), "s", "Monday");
    long all = files.lookupIgnoringCase(ROOT, root, bytes(".SnapShots")).fileId();
    assertEquals(path(root, ".snapshots"), all);
    DirectoryEntry monday = files.lookupIgnoringCase(ROOT, all, bytes("MONDAY"));
    assertEquals("Monday", Names.text(monday.name()));
    DirectoryEntry report = files.lookupIgnoringCase(ROOT, monday.fileId(), bytes("report"));
    assertEquals("Report", Names.text(report.name()));
    assertEquals(path(root, ".snapshots", "Monday", "Report"), report.fileId());
    fails(FileError.NOT_FOUND, () -> files.lookupIgnoringCase(ROOT, all, bytes("TUESDAY")));
  }

  @Test
  void theWayUpFromASnapshotLeadsBackIntoTheShare() throws IOException {
    directory(directory(root, "a"), "b");
    shares.snapshot(id(), "s", "one");
    long snapshot = path(root, ".snapshots", "one");
    long b = path(snapshot, "a", "b");
    long a = files.lookupParent(ROOT, b).fileId();
    assertEquals(path(snapshot, "a"), a);
    assertEquals(snapshot, files.lookupParent(ROOT, a).fileId());
    long all = files.lookupParent(ROOT, snapshot).fileId();
    assertEquals(path(root, ".snapshots"), all);
    assertEquals(root, files.lookupParent(ROOT, all).fileId());
  }

  @Test
  void nothingInASnapshotCanBeChangedByAnyPath() throws IOException {
    long file = file(root, "a", "bytes");
    directory(root, "d");
    shares.snapshot(id(), "s", "one");
    long all = path(root, ".snapshots");
    long snapshot = path(all, "one");
    long kept = path(snapshot, "a");
    CreateMode mode = new CreateMode.Unchecked(AttributeChange.NONE);
    for (long directory : List.of(all, snapshot)) {
      fails(FileError.READ_ONLY, () -> files.create(ROOT, directory, bytes("x"), mode));
      fails(
          FileError.READ_ONLY,
          () -> files.makeDirectory(ROOT, directory, bytes("x"), AttributeChange.NONE));
      fails(
          FileError.READ_ONLY,
          () ->
              files.makeSymbolicLink(
                  ROOT, directory, bytes("x"), bytes("y"), AttributeChange.NONE));
      fails(
          FileError.READ_ONLY,
          () ->
              files.makeSpecialFile(
                  ROOT,
                  directory,
                  bytes("x"),
                  new SpecialFile(FileType.FIFO, 0, 0),
                  AttributeChange.NONE));
      fails(FileError.READ_ONLY, () -> files.remove(ROOT, directory, bytes("a")));
      fails(FileError.READ_ONLY, () -> files.removeDirectory(ROOT, directory, bytes("d")));
      fails(FileError.READ_ONLY, () -> files.link(ROOT, file, directory, bytes("x")));
      fails(FileError.READ_ONLY, () -> files.rename(ROOT, directory, bytes("a"), root, bytes("x")));
      fails(FileError.READ_ONLY, () -> files.rename(ROOT, root, bytes("a"), directory, bytes("x")));
      fails(
          FileError.READ_ONLY,
          () -> files.setAttributes(ROOT, directory, AttributeChange.NONE.withMode(0777), null));
      int all2 = Access.READ | Access.LOOKUP | Access.MODIFY | Access.EXTEND | Access.DELETE;
      assertEquals(Access.READ | Access.LOOKUP, files.access(ROOT, directory, all2));
    }
    fails(FileError.READ_ONLY, () -> files.link(ROOT, kept, root, bytes("x")));
    fails(FileError.READ_ONLY, () -> files.open(ROOT, kept, OpenFile.WRITE, true));
    fails(
        FileError.READ_ONLY,
        () -> files.setAttributes(ROOT, kept, AttributeChange.NONE.withSize(0), null));
    fails(FileError.READ_ONLY, () -> files.setAccessList(ROOT, kept, List.of()));
    fails(
        FileError.READ_ONLY,
        () -> files.setExtendedAttribute(ROOT, kept, bytes("k"), bytes("v"), AttributeMode.EITHER));
    fails(FileError.READ_ONLY, () -> files.removeExtendedAttribute(ROOT, kept, bytes("k")));
    fails(FileError.EXISTS, () -> directory(root, ".snapshots"));
    fails(FileError.EXISTS, () -> files.rename(ROOT, root, bytes("d"), root, bytes(".snapshots")));
    fails(FileError.READ_ONLY, () -> files.removeDirectory(ROOT, root, bytes(".snapshots")));
    assertEquals("bytes", read(kept));
    assertEquals("bytes", read(file));
  }

  @Test
  void whoMayNotReadAFileMayNotReadItInASnapshot() throws IOException {
    long home = directory(root, "home");
    long file = file(home, "a", "secret");
    files.setAttributes(ROOT, file, AttributeChange.NONE.withMode(0600), null);
    shares.snapshot(id(), "s", "one");
    files.setAttributes(ROOT, file, AttributeChange.NONE.withMode(0644), null);
    long kept = path(root, ".snapshots", "one", "home", "a");
    fails(FileError.ACCESS, () -> files.open(ANN, kept, OpenFile.READ, false));
    files.setAttributes(ROOT, home, AttributeChange.NONE.withMode(0700), null);
    long all = path(home, ".snapshots");
    fails(FileError.ACCESS, () -> files.lookup(ANN, home, bytes(".snapshots")));
    fails(FileError.ACCESS, () -> files.lookup(ANN, all, bytes("one")));
    fails(FileError.ACCESS, () -> files.list(ANN, all, 0, 10, false));
  }

  @Test
  void handlesIntoSnapshotsOutliveARestartAndNeverMeanAnotherSnapshot() throws IOException {
    long file = file(root, "a", "one");
    shares.snapshot(id(), "s", "one");
    write(file, "two");
    shares.snapshot(id(), "s", "two");
    long one = path(root, ".snapshots", "one", "a");
    long two = path(root, ".snapshots", "two", "a");
    restart();
    assertEquals("one", read(one));
    assertEquals("two", read(two));
    OpenFile open = files.open(ROOT, two, OpenFile.READ, false);
    shares.deleteSnapshot(id(), "s", "two");
    fails(FileError.STALE, () -> files.attributes(two));
    fails(FileError.STALE, () -> open.read(0, new byte[3], 0, 3));
    open.close();
    restart();
    shares.snapshot(id(), "s", "two");
    fails(FileError.STALE, () -> files.attributes(two));
    assertEquals("two", read(path(root, ".snapshots", "two", "a")));
    assertEquals("one", read(one));
    for (long forged : new long[] {-1, Long.MIN_VALUE, SnapshotIds.id(77, file)}) {
      fails(FileError.STALE, () -> files.attributes(forged));
      fails(FileError.STALE, () -> files.lookup(ROOT, forged, bytes("a")));
    }
  }

  @Test
  void aSnapshotThatWasMadeJustBeforeACrashHasANumberAfterIt() throws IOException {
    file(root, "a", "one");
    store.copyShare(id(), files.shareId(), "half", true);
    restart();
    assertEquals("one", read(path(root, ".snapshots", "half", "a")));
    assertEquals(List.of("half"), shares.snapshots("s").stream().map(ShareSnapshot::name).toList());
  }

  @Test
  void aFileComesBackFromASnapshotWithoutItsDataBeingRead() throws IOException {
    long file = file(root, "a", "the first state");
    shares.snapshot(id(), "s", "one");
    write(file, "other");
    long kept = path(root, ".snapshots", "one", "a");
    try (OpenFile source = files.open(ROOT, kept, OpenFile.READ, false);
        OpenFile target = files.open(ROOT, file, OpenFile.WRITE, false)) {
      target.setLength(0);
      target.copyFrom(source, 0, 0, 0);
    }
    assertEquals("the first state", read(file));
  }

  @Test
  void aCopyOfAShareGoesItsOwnWay() throws IOException {
    long file = file(root, "a", "first");
    shares.snapshot(id(), "s", "one");
    write(file, "second");
    shares.copy(id(), "s", Optional.empty(), "now");
    shares.copy(id(), "s", Optional.of("one"), "then");
    write(file, "third");
    FileSystem now = share("now");
    FileSystem then = share("then");
    assertEquals("second", read(now, now.lookup(ROOT, now.rootId(), bytes("a")).fileId()));
    assertEquals("first", read(then, then.lookup(ROOT, then.rootId(), bytes("a")).fileId()));
    write(then, then.lookup(ROOT, then.rootId(), bytes("a")).fileId(), "fourth");
    assertEquals("third", read(file));
    assertTrue(shares.snapshots("now").isEmpty());
    shares.snapshot(id(), "then", "one");
    refused(Reason.EXISTS, () -> shares.copy(id(), "s", Optional.empty(), "now"));
    refused(Reason.NOT_FOUND, () -> shares.copy(id(), "s", Optional.of("none"), "x"));
  }

  @Test
  void aShareWithSnapshotsIsNotDeletedAndOneIsNotMadeTwice() throws IOException {
    shares.snapshot(id(), "s", "one");
    refused(Reason.NOT_EMPTY, () -> shares.delete(id(), "s", true));
    refused(Reason.NOT_FOUND, () -> shares.deleteSnapshot(id(), "s", "two"));
    refused(Reason.NOT_FOUND, () -> shares.snapshot(id(), "none", "one"));
    shares.deleteSnapshot(id(), "s", "one");
    shares.delete(id(), "s", true);
    assertTrue(shares.list().isEmpty());
  }

  @Test
  void pagesOfSnapshotsAndOfARootThatListsThemGiveEachNameOnce() throws IOException {
    shares.set(id(), "s", ShareSettings.LOOPBACK.withSnapshotDirectory(SnapshotDirectory.VISIBLE));
    for (int i = 0; i < 7; i++) {
      file(root, "f" + i, "");
      shares.snapshot(id(), "s", "s" + i);
    }
    for (int limit = 1; limit < 10; limit++) {
      assertEquals(8, new HashSet<>(pages(root, limit)).size());
      assertEquals(8, pages(root, limit).size());
      assertEquals(7, pages(path(root, ".snapshots"), limit).size());
    }
  }

  @Test
  void filesOfSnapshotsThatNobodyUsesAreClosed() throws IOException {
    long file = file(root, "a", "bytes");
    try (OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false)) {
      open.setLength(100);
    }
    shares.snapshot(id(), "s", "one");
    read(path(root, ".snapshots", "one", "a"));
    shares.close();
    assertEquals(0, store.openObjects());
    shares = open();
  }

  // ---- steps

  private void restart() throws IOException {
    shares.close();
    shares = open();
    files = share("s");
  }

  private ServedShares open() throws IOException {
    return new ServedShares(
        store, domain -> ParameterSet.SET_1, InstantSource.system(), this::id, TestShare.ROOM);
  }

  private FileSystem share(String name) {
    return shares.find(name).orElseThrow().files();
  }

  private Id id() {
    return Id.random(random);
  }

  private long directory(long in, String name) throws IOException {
    return files
        .makeDirectory(ROOT, in, bytes(name), AttributeChange.NONE.withMode(0755))
        .file()
        .fileId();
  }

  private long file(long in, String name, String content) throws IOException {
    long made =
        files
            .create(ROOT, in, bytes(name), new CreateMode.Guarded(AttributeChange.NONE))
            .file()
            .fileId();
    write(made, content);
    return made;
  }

  private void setTime(long file, Instant time) throws IOException {
    files.setAttributes(
        ROOT, file, AttributeChange.NONE.withModifyTime(new TimeChange.At(time)), null);
  }

  private long path(long from, String... names) throws IOException {
    long at = from;
    for (String name : names) {
      at = files.lookup(ROOT, at, bytes(name)).fileId();
    }
    return at;
  }

  private List<String> names(long directory) throws IOException {
    return pages(directory, 1000);
  }

  private List<String> pages(long directory, int limit) throws IOException {
    List<String> names = new ArrayList<>();
    long after = 0;
    while (true) {
      DirectoryPage page = files.list(ROOT, directory, after, limit, true);
      for (DirectoryEntry entry : page.entries()) {
        after = entry.cookie();
        names.add(Names.text(entry.name()));
        Attributes attributes = entry.attributes();
        assertTrue(attributes != null && attributes.fileId() == entry.fileId());
      }
      if (page.end()) {
        return names;
      }
      assertFalse(page.entries().isEmpty());
    }
  }

  private void write(long file, String content) throws IOException {
    write(files, file, content);
  }

  private static void write(FileSystem files, long file, String content) throws IOException {
    byte[] bytes = bytes(content);
    try (OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false)) {
      open.setLength(0);
      open.write(0, bytes, 0, bytes.length, Stability.FILE);
    }
  }

  private String read(long file) throws IOException {
    return read(files, file);
  }

  private static String read(FileSystem files, long file) throws IOException {
    byte[] bytes = new byte[1000];
    try (OpenFile open = files.open(ROOT, file, OpenFile.READ, false)) {
      return new String(bytes, 0, open.read(0, bytes, 0, bytes.length).lengthBytes(), UTF_8);
    }
  }

  private static void fails(FileError error, Executable action) {
    assertEquals(error, assertThrows(FileException.class, action).error());
  }

  private static void refused(Reason reason, Executable action) {
    assertEquals(reason, assertThrows(RefusedException.class, action).reason());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
