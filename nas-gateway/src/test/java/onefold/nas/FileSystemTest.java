package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import onefold.chunker.ParameterSet;
import onefold.nas.AccessEntry.Principal;
import onefold.store.Id;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class FileSystemTest {
  private static final Credentials ROOT = Credentials.ROOT;
  private static final Credentials ANN = new Credentials(1000, 100, Set.of(7L), false);
  private static final Credentials BOB = new Credentials(1001, 100, Set.of(), false);
  private static final Credentials EVE = new Credentials(1002, 200, Set.of(), false);

  private final TestShare share;
  private FileSystem files;
  private final long root;

  FileSystemTest() throws IOException {
    share = new TestShare(1);
    files = share.files;
    root = files.rootId();
  }

  @Test
  void aNewShareHasAnEmptyRootThatEverybodyMayWriteTo() throws IOException {
    Attributes attributes = files.attributes(root);
    assertEquals(FileType.DIRECTORY, attributes.type());
    assertEquals(01777, attributes.mode());
    assertEquals(ShareSettings.NOBODY, attributes.uid());
    assertEquals(2, attributes.linkCount());
    assertTrue(files.list(EVE, root, 0, 10, true).entries().isEmpty());
    fails(FileError.NOT_FOUND, () -> files.lookupParent(ROOT, root));
  }

  @Test
  void namesThatCannotBeAreRefusedWithTheRightError() {
    fails(FileError.INVALID, () -> create(ROOT, root, "", 0644));
    fails(FileError.BAD_NAME, () -> create(ROOT, root, ".", 0644));
    fails(FileError.BAD_NAME, () -> create(ROOT, root, "..", 0644));
    fails(FileError.BAD_NAME, () -> create(ROOT, root, "a/b", 0644));
    fails(FileError.BAD_NAME, () -> create(ROOT, root, "a\0b", 0644));
    fails(FileError.NAME_TOO_LONG, () -> create(ROOT, root, "x".repeat(256), 0644));
    fails(FileError.BAD_NAME, () -> files.lookup(ROOT, root, bytes("..")));
    fails(FileError.NAME_TOO_LONG, () -> files.lookup(ROOT, root, bytes("x".repeat(256))));
  }

  @Test
  void aNameMayBeAnyBytesUpTo255() throws IOException {
    byte[] latin = {(byte) 0xe4, (byte) 0xff, 'x'};
    Attributes made =
        files.create(ROOT, root, latin, new CreateMode.Guarded(AttributeChange.NONE)).file();
    assertEquals(made.fileId(), files.lookup(ROOT, root, latin).fileId());
    assertArrayEquals(latin, files.list(ROOT, root, 0, 10, false).entries().getFirst().name());
    create(ROOT, root, "y".repeat(255), 0644);
  }

  @Test
  void whoMayNotSearchWriteOrReadIsRefused() throws IOException {
    long home = directory(ANN, root, "home", 0750);
    long file = create(ANN, home, "file", 0640);
    assertEquals(file, files.lookup(BOB, home, bytes("file")).fileId());
    fails(FileError.ACCESS, () -> files.lookup(EVE, home, bytes("file")));
    fails(FileError.ACCESS, () -> files.list(EVE, home, 0, 10, false));
    fails(FileError.ACCESS, () -> create(BOB, home, "other", 0644));
    fails(FileError.ACCESS, () -> files.remove(BOB, home, bytes("file")));
    files.open(BOB, file, OpenFile.READ, false).close();
    fails(FileError.ACCESS, () -> files.open(BOB, file, OpenFile.WRITE, false));
    fails(FileError.ACCESS, () -> files.open(EVE, file, OpenFile.READ, false));
    fails(FileError.NOT_OWNER, () -> set(BOB, file, AttributeChange.NONE.withMode(0777)));
    fails(FileError.NOT_OWNER, () -> set(ANN, file, AttributeChange.NONE.withUid(1001)));
    fails(FileError.NOT_OWNER, () -> set(ANN, file, AttributeChange.NONE.withGid(200)));
    set(ANN, file, AttributeChange.NONE.withGid(7));
    set(ROOT, file, AttributeChange.NONE.withUid(1001).withGid(200));
    assertEquals(1001, files.attributes(file).uid());
  }

  @Test
  void theOwnerOfAFileWithoutRightsMayWriteItWhereHeAskedBefore() throws IOException {
    long file = create(ANN, root, "file", 0400);
    fails(FileError.ACCESS, () -> files.open(ANN, file, OpenFile.WRITE, false));
    try (OpenFile open = files.open(ANN, file, OpenFile.WRITE, true)) {
      open.write(0, bytes("x"), 0, 1, Stability.FILE);
    }
    fails(FileError.ACCESS, () -> files.open(BOB, file, OpenFile.WRITE, true));
  }

  @Test
  void accessSaysWhatOperationsWouldDo() throws IOException {
    long all = 63;
    long home = directory(ANN, root, "home", 0750);
    long file = create(ANN, home, "file", 0640);
    assertEquals(Access.READ | Access.MODIFY | Access.EXTEND, files.access(ANN, file, (int) all));
    assertEquals(Access.READ, files.access(BOB, file, (int) all));
    assertEquals(0, files.access(EVE, file, (int) all));
    assertEquals(Access.READ | Access.LOOKUP, files.access(BOB, home, (int) all));
    assertEquals(
        Access.READ | Access.LOOKUP | Access.MODIFY | Access.EXTEND | Access.DELETE,
        files.access(ROOT, home, (int) all));
    Credentials reader = new Credentials(0, 0, Set.of(), true);
    assertEquals(Access.READ | Access.LOOKUP, files.access(reader, home, (int) all));
  }

  @Test
  void theStickyBitKeepsNamesOfOthers() throws IOException {
    create(ANN, root, "ann", 0666);
    create(BOB, root, "bob", 0666);
    fails(FileError.NOT_OWNER, () -> files.remove(BOB, root, bytes("ann")));
    fails(FileError.NOT_OWNER, () -> files.rename(BOB, root, bytes("ann"), root, bytes("x")));
    fails(FileError.NOT_OWNER, () -> files.rename(BOB, root, bytes("bob"), root, bytes("ann")));
    files.rename(BOB, root, bytes("bob"), root, bytes("mine"));
    files.remove(ANN, root, bytes("ann"));
    files.remove(ROOT, root, bytes("mine"));
  }

  @Test
  void whoMayOnlyReadChangesNothing() throws IOException {
    long file = create(ROOT, root, "file", 0666);
    Credentials reader = new Credentials(0, 0, Set.of(), true);
    fails(FileError.READ_ONLY, () -> create(reader, root, "other", 0644));
    fails(FileError.READ_ONLY, () -> files.remove(reader, root, bytes("file")));
    fails(FileError.READ_ONLY, () -> files.rename(reader, root, bytes("file"), root, bytes("x")));
    fails(FileError.READ_ONLY, () -> files.link(reader, file, root, bytes("x")));
    fails(FileError.READ_ONLY, () -> set(reader, file, AttributeChange.NONE.withMode(0)));
    fails(FileError.READ_ONLY, () -> files.open(reader, file, OpenFile.WRITE, true));
    fails(
        FileError.READ_ONLY,
        () ->
            files.setExtendedAttribute(
                reader, file, bytes("user.a"), bytes("b"), AttributeMode.EITHER));
    files.open(reader, file, OpenFile.READ, false).close();
    share.files.setSettings(ShareSettings.LOOPBACK.withReadOnly(true));
    fails(FileError.READ_ONLY, () -> create(ROOT, root, "other", 0644));
    assertTrue(files.readOnlyReason().isPresent());
  }

  @Test
  void aFileIsReadableUntilItsLastOpenerLeaves() throws IOException {
    long file = create(ROOT, root, "file", 0644);
    OpenFile open = files.open(ROOT, file, OpenFile.READ | OpenFile.WRITE, false);
    open.write(0, bytes("still here"), 0, 10, Stability.UNSTABLE);
    files.remove(ROOT, root, bytes("file"));
    fails(FileError.NOT_FOUND, () -> files.lookup(ROOT, root, bytes("file")));
    assertEquals(0, files.attributes(file).linkCount());
    assertEquals("still here", read(open));
    open.close();
    fails(FileError.STALE, () -> files.attributes(file));
    fails(FileError.STALE, () -> files.open(ROOT, file, OpenFile.READ, false));
    assertEquals(0, share.store.openObjects());
  }

  @Test
  void aFileWithoutNameThatWasOpenInACrashIsGoneAfterIt() throws IOException {
    long file = create(ROOT, root, "file", 0644);
    files.setExtendedAttribute(ROOT, file, bytes("user.a"), bytes("b"), AttributeMode.CREATE);
    OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false);
    open.write(0, bytes("x"), 0, 1, Stability.FILE);
    files.remove(ROOT, root, bytes("file"));
    share.store.crash();
    files = share.open();
    fails(FileError.STALE, () -> files.attributes(file));
    assertEquals(2, share.store.entries(share.record.id()).size());
  }

  @Test
  void whatCommitCoveredSurvivesACrashWithItsTimes() throws IOException {
    long file = create(ROOT, root, "file", 0644);
    Attributes committed;
    try (OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false)) {
      open.write(0, bytes("one"), 0, 3, Stability.UNSTABLE);
      committed = open.commit().after();
      open.write(3, bytes("two"), 0, 3, Stability.UNSTABLE);
    }
    assertEquals(6, files.attributes(file).sizeBytes());
    long verifier = files.writeVerifier();
    share.store.crash();
    files = share.open();
    assertEquals(committed, files.attributes(file));
    assertTrue(files.writeVerifier() != verifier, "the write verifier has not changed");
    try (OpenFile open = files.open(ROOT, file, OpenFile.READ | OpenFile.WRITE, false)) {
      assertEquals("one", read(open));
      Attributes next = open.write(0, bytes("x"), 0, 1, Stability.FILE).after();
      assertTrue(next.change() > committed.change());
    }
  }

  @Test
  void aSetTimeOutlivesWritesBeforeIt() throws IOException {
    long file = create(ROOT, root, "file", 0644);
    Instant time = Instant.parse("1901-02-03T04:05:06.789012345Z");
    try (OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false)) {
      open.write(0, bytes("x"), 0, 1, Stability.UNSTABLE);
      set(ROOT, file, AttributeChange.NONE.withModifyTime(TimeChange.at(time)));
      open.commit();
    }
    assertEquals(time, files.attributes(file).modifyTime());
    share.files.close();
    files = share.open();
    assertEquals(time, files.attributes(file).modifyTime());
    assertTrue(files.attributes(file).changeTime().isAfter(time));
  }

  @Test
  void aGuardThatDoesNotHoldChangesNothing() throws IOException {
    long file = create(ROOT, root, "file", 0644);
    Attributes before = files.attributes(file);
    fails(
        FileError.NOT_SAME,
        () ->
            files.setAttributes(
                ROOT,
                file,
                AttributeChange.NONE.withMode(0600).withSize(7),
                before.changeTime().plusNanos(1)));
    assertEquals(before, files.attributes(file));
    files.setAttributes(
        ROOT, file, AttributeChange.NONE.withMode(0600).withSize(7), before.changeTime());
    assertEquals(0600, files.attributes(file).mode());
    assertEquals(7, files.attributes(file).sizeBytes());
    assertEquals(0, files.attributes(file).spaceBytes());
  }

  @Test
  void aWriteTakesSetIdsAwayUnlessRootWrites() throws IOException {
    long file = create(ANN, root, "file", 0755);
    set(ANN, file, AttributeChange.NONE.withMode(06755));
    try (OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false)) {
      open.write(0, bytes("x"), 0, 1, Stability.FILE);
    }
    assertEquals(06755, files.attributes(file).mode());
    try (OpenFile open = files.open(ANN, file, OpenFile.WRITE, false)) {
      open.write(0, bytes("x"), 0, 1, Stability.FILE);
    }
    assertEquals(0755, files.attributes(file).mode());
  }

  @Test
  void holesCostNothingAndReadAsZeros() throws IOException {
    long file = create(ROOT, root, "file", 0644);
    long far = 1L << 40;
    try (OpenFile open = files.open(ROOT, file, OpenFile.READ | OpenFile.WRITE, false)) {
      open.allocate(0, far);
      assertEquals(far, open.attributes().sizeBytes());
      assertEquals(0, open.attributes().spaceBytes());
      open.write(far + 10, bytes("end"), 0, 3, Stability.FILE);
      assertEquals(3, open.attributes().spaceBytes());
      byte[] bytes = new byte[20];
      ReadResult read = open.read(far, bytes, 0, 20);
      assertEquals(new ReadResult(13, true), read);
      assertArrayEquals("\0\0\0\0\0\0\0\0\0\0end".getBytes(UTF_8), Arrays.copyOf(bytes, 13));
      assertEquals(far + 10, open.nextData(0));
      assertEquals(0, open.nextHole(0));
      assertEquals(far + 13, open.nextHole(far + 11));
      fails(FileError.NO_SUCH_POSITION, () -> open.nextData(far + 13));
      fails(FileError.NO_SUCH_POSITION, () -> open.nextHole(far + 13));
      open.punch(far + 10, 2);
      assertEquals(1, open.attributes().spaceBytes());
      fails(FileError.TOO_BIG, () -> open.setLength(FileSystem.MAX_FILE_BYTES + 1));
    }
    share.files.close();
    files = share.open();
    assertEquals(1, files.attributes(file).spaceBytes());
  }

  @Test
  void aCopyIsASpliceOfWhatTheSourceHolds() throws IOException {
    long from = create(ROOT, root, "from", 0644);
    long to = create(ROOT, root, "to", 0644);
    try (OpenFile source = files.open(ROOT, from, OpenFile.READ | OpenFile.WRITE, false);
        OpenFile target = files.open(ROOT, to, OpenFile.READ | OpenFile.WRITE, false)) {
      source.write(0, bytes("0123456789"), 0, 10, Stability.UNSTABLE);
      target.write(0, bytes("abc"), 0, 3, Stability.UNSTABLE);
      target.copyFrom(source, 4, 1, 3);
      assertEquals("a456", read(target));
      target.copyFrom(source, 8, 4, 0);
      assertEquals("a45689", read(target));
      fails(FileError.INVALID, () -> target.copyFrom(source, 8, 0, 3));
      fails(FileError.INVALID, () -> target.copyFrom(target, 0, 1, 3));
      source.write(4, bytes("x"), 0, 1, Stability.FILE);
      assertEquals("a45689", read(target));
    }
  }

  @Test
  void aFullDiskRefusesWritesAndLetsFilesBeRemoved() throws IOException {
    long file = create(ROOT, root, "file", 0644);
    try (OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false)) {
      open.write(0, bytes("x"), 0, 1, Stability.FILE);
      share.store.setFull(true);
      fails(FileError.NO_SPACE, () -> open.write(1, bytes("y"), 0, 1, Stability.UNSTABLE));
      fails(FileError.NO_SPACE, () -> create(ROOT, root, "other", 0644));
    }
    files.remove(ROOT, root, bytes("file"));
    share.store.setFull(false);
    fails(FileError.STALE, () -> files.attributes(file));
  }

  @Test
  void aQuotaCountsWhatIsThereAndIsGivenBack() throws IOException {
    long file = create(ROOT, root, "file", 0644);
    try (OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false)) {
      open.write(0, new byte[1000], 0, 1000, Stability.FILE);
      share.files.setSettings(ShareSettings.LOOPBACK.withQuotaBytes(1500));
      fails(FileError.QUOTA, () -> open.write(1000, new byte[501], 0, 501, Stability.FILE));
      open.write(900, new byte[600], 0, 600, Stability.FILE);
      fails(FileError.QUOTA, () -> open.setLength(1501));
      assertEquals(1500, files.space().totalBytes());
      assertEquals(0, files.space().freeBytes());
      open.setLength(10);
      assertEquals(1490, files.space().availableBytes());
    }
    files.remove(ROOT, root, bytes("file"));
    assertEquals(1500, files.space().availableBytes());
  }

  @Test
  void anAccessListIsWhatCountsAndModesFollowIt() throws IOException {
    long file = create(ANN, root, "file", 0640);
    List<AccessEntry> list =
        List.of(
            new AccessEntry(
                AccessEntry.Type.DENY, 0, AccessLists.READ_DATA, new Principal.User(1001)),
            new AccessEntry(AccessEntry.Type.ALLOW, 0, 0x1f01ff, new Principal.Owner()),
            new AccessEntry(
                AccessEntry.Type.ALLOW, 0, AccessLists.READ_DATA, new Principal.Group(200)),
            new AccessEntry(
                AccessEntry.Type.ALLOW, 0, AccessLists.READ_DATA, new Principal.OwningGroup()));
    files.setAccessList(ANN, file, list);
    assertEquals(list, files.accessList(BOB, file));
    fails(FileError.ACCESS, () -> files.open(BOB, file, OpenFile.READ, false));
    files.open(EVE, file, OpenFile.READ, false).close();
    assertEquals(0740, files.attributes(file).mode());
    fails(FileError.NOT_OWNER, () -> files.setAccessList(EVE, file, List.of()));
    set(ANN, file, AttributeChange.NONE.withMode(0600));
    fails(FileError.ACCESS, () -> files.open(EVE, file, OpenFile.READ, false));
    files.setAccessList(ANN, file, List.of());
    assertEquals(AccessLists.ofMode(0600, false), files.accessList(ANN, file));
  }

  @Test
  void theListOfAModeGivesTheModeBack() {
    for (int mode = 0; mode < 01000; mode++) {
      assertEquals(mode, AccessLists.mode(AccessLists.ofMode(mode, (mode & 1) == 0)));
    }
  }

  @Test
  void cookiesAreStableWhileNamesComeAndGo() throws IOException {
    Set<String> stay = new HashSet<>();
    for (int i = 0; i < 300; i++) {
      create(ROOT, root, (i % 3 == 0 ? "stay" : "go") + i, 0644);
      if (i % 3 == 0) {
        stay.add("stay" + i);
      }
    }
    List<String> seen = new ArrayList<>();
    long after = 0;
    int round = 0;
    while (true) {
      DirectoryPage page = files.list(ROOT, root, after, 7, false);
      for (DirectoryEntry entry : page.entries()) {
        seen.add(new String(entry.name(), UTF_8));
        after = entry.cookie();
      }
      if (page.end()) {
        break;
      }
      // What was shown goes, what was not too, and new names come.
      for (int i = 0; i < 300; i++) {
        if (i % 3 != 0 && i % 43 == round % 43) {
          files.remove(ROOT, root, bytes("go" + i));
        }
      }
      if (round < 20) {
        create(ROOT, root, "new" + round, 0644);
      }
      round++;
    }
    assertEquals(seen.size(), new HashSet<>(seen).size(), "a name was shown twice");
    assertTrue(seen.containsAll(stay));
    fails(FileError.BAD_COOKIE, () -> files.list(ROOT, root, -1, 7, false));
  }

  @Test
  void changesOfManyShareABarrier() throws Exception {
    share.store.hold();
    int count = 50;
    CountDownLatch started = new CountDownLatch(count);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Long>> made = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int number = i;
        made.add(
            threads.submit(() -> {
              started.countDown();
              return create(ROOT, root, "file" + number, 0644);
            }));
      }
      started.await();
      // All names are visible before any of them is durable: nobody waits under a lock.
      while (files.list(ROOT, root, 0, 100, false).entries().size() < count) {
        Thread.onSpinWait();
      }
      assertTrue(made.stream().noneMatch(Future::isDone));
      share.store.release();
      Set<Long> ids = new HashSet<>();
      for (Future<Long> id : made) {
        assertTrue(ids.add(id.get()));
      }
    }
  }

  @Test
  void contentsThatNobodyUsesAreClosedAndBounded() throws IOException {
    for (int i = 0; i < OpenFiles.MAX_IDLE + 100; i++) {
      long file = create(ROOT, root, "file" + i, 0644);
      try (OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false)) {
        open.write(0, bytes("x" + i), 0, 2, Stability.UNSTABLE);
      }
    }
    assertEquals(OpenFiles.MAX_IDLE, share.files.openCount());
    share.micros.addAndGet(OpenFiles.FORCE_AFTER_MILLIS * 1000);
    long forced = share.store.forceCount();
    share.files.tick();
    assertEquals(forced + OpenFiles.MAX_IDLE, share.store.forceCount());
    share.micros.addAndGet(OpenFiles.CLOSE_AFTER_MILLIS * 1000);
    share.files.tick();
    assertEquals(0, share.files.openCount());
    assertEquals(0, share.store.openObjects());
  }

  @Test
  void anOperationThatFailsHalfWayLeavesNothing() throws IOException {
    for (int step = 0; step < 8; step++) {
      TestShare fresh = new TestShare(step);
      FileSystem other = fresh.files;
      long top = other.rootId();
      long directory =
          other.makeDirectory(ROOT, top, bytes("d"), AttributeChange.NONE).file().fileId();
      other.create(ROOT, top, bytes("a"), new CreateMode.Guarded(AttributeChange.NONE));
      other.create(ROOT, directory, bytes("b"), new CreateMode.Guarded(AttributeChange.NONE));
      fresh.store.failAfter(step);
      IOException failed = null;
      try {
        other.rename(ROOT, top, bytes("a"), directory, bytes("b"));
        other.remove(ROOT, directory, bytes("b"));
        other.removeDirectory(ROOT, top, bytes("d"));
        other.create(ROOT, top, bytes("e"), new CreateMode.Guarded(AttributeChange.NONE));
      } catch (FileException e) {
        failed = e;
      }
      assertEquals(step < 4, failed != null, "step " + step);
      fresh.store.crash();
      FileSystem after = fresh.open();
      List<String> names = new ArrayList<>();
      for (DirectoryEntry entry : after.list(ROOT, top, 0, 10, true).entries()) {
        names.add(new String(entry.name(), UTF_8));
      }
      assertEquals(
          step >= 4
              ? List.of("e")
              : step == 3 ? List.of() : step == 0 ? List.of("d", "a") : List.of("d"),
          names);
    }
  }

  @Test
  void aSnapshotIsReadOnly() throws IOException {
    create(ROOT, root, "file", 0644);
    var record = share.store.copyShare(Id.random(new Random(1)), share.record.id(), "now", true);
    ShareFileSystem old =
        new ShareFileSystem(
            share.store,
            record,
            share.settings,
            share.clock(),
            () -> {
              throw new AssertionError("nothing is made in a snapshot");
            },
            TestShare.ROOM,
            ParameterSet.SET_1);
    files.remove(ROOT, root, bytes("file"));
    assertEquals(1, old.list(ROOT, old.rootId(), 0, 10, true).entries().size());
    fails(FileError.READ_ONLY, () -> old.remove(ROOT, old.rootId(), bytes("file")));
    assertFalse(old.readOnlyReason().isEmpty());
  }

  // ---- parts

  private long create(Credentials who, long directory, String name, int mode) throws IOException {
    return files
        .create(
            who,
            directory,
            bytes(name),
            new CreateMode.Guarded(AttributeChange.NONE.withMode(mode)))
        .file()
        .fileId();
  }

  private long directory(Credentials who, long parent, String name, int mode) throws IOException {
    return files
        .makeDirectory(who, parent, bytes(name), AttributeChange.NONE.withMode(mode))
        .file()
        .fileId();
  }

  private void set(Credentials who, long file, AttributeChange change) throws IOException {
    files.setAttributes(who, file, change, null);
  }

  private static String read(OpenFile open) throws IOException {
    byte[] bytes = new byte[100];
    ReadResult read = open.read(0, bytes, 0, bytes.length);
    assertTrue(read.end());
    return new String(bytes, 0, read.lengthBytes(), UTF_8);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  @Test
  void aNameIsFoundWhateverTheCaseOfItsLetters() throws IOException {
    long report = create(ROOT, root, "Report.PDF", 0644);
    assertEquals("Report.PDF", foundAs("rEPORT.pdf"));
    assertEquals("Report.PDF", foundAs("Report.PDF"));
    assertEquals(report, files.lookupIgnoringCase(ROOT, root, bytes("report.pdf")).fileId());
    fails(FileError.NOT_FOUND, () -> foundAs("report"));
    fails(FileError.NOT_FOUND, () -> files.lookup(ROOT, root, bytes("report.pdf")));
    // The name itself comes first, then that in small letters, then the oldest.
    create(ROOT, root, "REPORT.pdf", 0644);
    assertEquals("Report.PDF", foundAs("report.PDF"));
    assertEquals("REPORT.pdf", foundAs("REPORT.pdf"));
    create(ROOT, root, "report.pdf", 0644);
    assertEquals("report.pdf", foundAs("report.PDF"));
    assertEquals("Report.PDF", foundAs("Report.PDF"));
    files.remove(ROOT, root, bytes("report.pdf"));
    files.rename(ROOT, root, bytes("Report.PDF"), root, bytes("Other"));
    assertEquals("REPORT.pdf", foundAs("report.pdf"));
    assertEquals("Other", foundAs("OTHER"));
    files.link(ROOT, report, root, bytes("Zwei"));
    assertEquals("Zwei", foundAs("zwei"));
    files.remove(ROOT, root, bytes("Zwei"));
    fails(FileError.NOT_FOUND, () -> foundAs("zwei"));
    long closed = directory(ANN, root, "Closed", 0700);
    fails(FileError.ACCESS, () -> files.lookupIgnoringCase(EVE, closed, bytes("x")));
    ShareCheck.check(share.store.entries(share.record.id()), false);
  }

  @Test
  void aNameIsFoundWithoutRegardToCaseInALargeDirectoryWithoutGoingThroughIt() throws IOException {
    long large = directory(ROOT, root, "large", 0755);
    int count = 20_000;
    for (int i = 0; i < count; i++) {
      create(ROOT, large, "File-" + i, 0644);
    }
    // Each going through all would take an hour.
    for (int i = 0; i < count; i++) {
      String name = "fILE-" + i;
      assertEquals(
          "File-" + i, Names.text(files.lookupIgnoringCase(ROOT, large, bytes(name)).name()));
    }
  }

  private String foundAs(String name) throws IOException {
    return Names.text(files.lookupIgnoringCase(ROOT, root, bytes(name)).name());
  }

  private static void fails(FileError error, Executable action) {
    FileException e = assertThrows(FileException.class, action);
    assertEquals(error, e.error(), e.getMessage());
  }
}
