package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import onefold.chunker.ParameterSet;
import onefold.store.Id;
import onefold.store.MemoryShareStore;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Files that are committed, and all the ways to get round that. */
class WormTest {
  private static final Credentials ROOT = Credentials.ROOT;
  private static final long DAY = 86_400;
  private static final Worm RULES = new Worm(true, 3600, 30 * DAY, DAY, 100 * DAY);

  private final TestShare share;
  private FileSystem files;
  private final long root;

  WormTest() throws IOException {
    share = new TestShare(TestShare.seed(), ShareSettings.LOOPBACK.withWorm(RULES));
    files = share.files;
    root = files.rootId();
  }

  @Test
  void withoutRightsToWriteAndAnAccessTimeToComeItIsKeptUntilThen() throws IOException {
    Instant until = now().plus(Duration.ofDays(50));
    long file = file("a", "kept");
    setAccessTime(file, until);
    assertFalse(isKept("a"));
    file = file("b", "kept");
    setAccessTime(file, until);
    setMode(file, 0444);
    assertEquals(until, files.attributes(file).accessTime());
    assertTrue(isKept("b"));
    pass(Duration.ofDays(50).minusSeconds(1));
    assertTrue(isKept("b"));
    pass(Duration.ofSeconds(2));
    assertFalse(isKept("b"));
  }

  @Test
  void anAccessTimeThatSaysNothingGivesTheDefaultAndAllAreWithinTheBounds() throws IOException {
    assertEquals(now().plusSeconds(30 * DAY), committed("default", Instant.EPOCH));
    assertEquals(now().plusSeconds(DAY), committed("short", now().plusSeconds(5)));
    assertEquals(now().plusSeconds(100 * DAY), committed("long", now().plusSeconds(100_000 * DAY)));
  }

  @Test
  void aStoreWhoseTimeIsBehindTakesNoTimeOfThePastForOneToCome() throws IOException {
    share.micros.addAndGet(Duration.ofDays(20).toNanos() / 1000);
    long untouched = file("a", "kept");
    setMode(untouched, 0444);
    assertEquals(now().plusSeconds(30 * DAY), files.attributes(untouched).accessTime());
    assertEquals(
        now().plusSeconds(30 * DAY), committed("b", share.clock().instant().minusSeconds(DAY)));
    Instant until = share.clock().instant().plusSeconds(40 * DAY);
    assertEquals(until, committed("c", until));
  }

  @Test
  void whatIsKeptIsNotChangedByAnyPathWhoeverAsks() throws IOException {
    long file = file("a", "kept");
    files.setExtendedAttribute(ROOT, file, bytes("k"), bytes("v"), AttributeMode.EITHER);
    OpenFile before = files.open(ROOT, file, OpenFile.READ | OpenFile.WRITE, false);
    long directory = directory("d");
    file("other", "x");
    setMode(file, 0444);
    Attributes kept = files.attributes(file);
    AttributeChange none = AttributeChange.NONE;
    List<Executable> ways =
        List.of(
            () -> files.open(ROOT, file, OpenFile.WRITE, true),
            () -> before.write(0, bytes("x"), 0, 1, Stability.FILE),
            () -> before.setLength(0),
            () -> before.setLength(4),
            () -> before.allocate(0, 100),
            () -> before.punch(0, 2),
            () -> before.copyFrom(before, 0, 10, 1),
            () -> setMode(file, 0644),
            () -> setMode(file, 0400),
            () -> files.setAttributes(ROOT, file, none.withSize(0), null),
            () -> files.setAttributes(ROOT, file, none.withUid(5), null),
            () -> files.setAttributes(ROOT, file, none.withGid(5), null),
            () -> files.setAttributes(ROOT, file, none.withDosAttributes(32), null),
            () -> files.setAttributes(ROOT, file, none.withChangeTime(now()), null),
            () -> files.setAttributes(ROOT, file, none.withBirthTime(Instant.EPOCH), null),
            () ->
                files.setAttributes(
                    ROOT, file, none.withModifyTime(new TimeChange.At(Instant.EPOCH)), null),
            () -> files.setAttributes(ROOT, file, none.withModifyTime(new TimeChange.Now()), null),
            () -> files.setAttributes(ROOT, file, none.withAccessTime(new TimeChange.Now()), null),
            () -> setAccessTime(file, Instant.EPOCH),
            () -> setAccessTime(file, kept.accessTime().minusNanos(1)),
            () -> files.setAccessList(ROOT, file, List.of()),
            () -> files.setAccessList(ROOT, file, AccessLists.ofMode(0666, false)),
            () ->
                files.setExtendedAttribute(
                    ROOT, file, bytes("k"), bytes("w"), AttributeMode.EITHER),
            () ->
                files.setExtendedAttribute(
                    ROOT, file, bytes("n"), bytes("w"), AttributeMode.EITHER),
            () -> files.removeExtendedAttribute(ROOT, file, bytes("k")),
            () -> files.remove(ROOT, root, bytes("a")),
            () -> files.link(ROOT, file, directory, bytes("b")),
            () -> files.rename(ROOT, root, bytes("a"), root, bytes("b")),
            () -> files.rename(ROOT, root, bytes("a"), directory, bytes("a")),
            () -> files.rename(ROOT, root, bytes("other"), root, bytes("a")),
            () -> files.create(ROOT, root, bytes("a"), new CreateMode.Unchecked(none.withSize(0))));
    for (Executable way : ways) {
      retained(way);
      assertEquals(kept, files.attributes(file), () -> "way " + ways.indexOf(way));
      assertEquals("kept", read(file));
    }
    before.close();
    int changes = Access.MODIFY | Access.EXTEND | Access.ATTRIBUTE_WRITE;
    assertEquals(0, files.access(ROOT, file, changes));
    // After a restart it is the same.
    restart();
    for (Executable way : ways.subList(7, ways.size())) {
      retained(way);
    }
    assertEquals(kept, files.attributes(file));
    assertEquals("kept", read(file));
    ShareCheck.check(share.store.entries(share.record.id()), false);
  }

  @Test
  void itCannotBeRemovedUnderAnyOfItsNames() throws IOException {
    long file = file("a", "kept");
    files.link(ROOT, file, root, bytes("b"));
    setMode(file, 0444);
    assertTrue(isKept("a"));
    assertTrue(isKept("b"));
    assertEquals(2, files.attributes(file).linkCount());
  }

  @Test
  void theDirectoriesAboveKeepTheirNamesWhileTheyHoldAnything() throws IOException {
    long directory = directory("d");
    files.rename(ROOT, root, bytes("d"), root, bytes("e"));
    file(directory, "a", "kept");
    retained(() -> files.rename(ROOT, root, bytes("e"), root, bytes("d")));
    fails(FileError.NOT_EMPTY, () -> files.removeDirectory(ROOT, root, bytes("e")));
  }

  @Test
  void retentionIsOnlyMadeLonger() throws IOException {
    long file = file("a", "kept");
    setMode(file, 0444);
    Instant later = now().plusSeconds(60 * DAY);
    setAccessTime(file, later);
    assertEquals(later, files.attributes(file).accessTime());
    retained(() -> setAccessTime(file, later.minusSeconds(1)));
    setAccessTime(file, now().plusSeconds(5000 * DAY));
    assertEquals(now().plusSeconds(100 * DAY), files.attributes(file).accessTime());
    // A shorter rule for new files does not shorten what is kept.
    share.files.setSettings(
        ShareSettings.LOOPBACK.withWorm(new Worm(true, 3600, DAY, DAY, 2 * DAY)));
    setAccessTime(file, now().plusSeconds(100 * DAY));
    assertEquals(now().plusSeconds(100 * DAY), files.attributes(file).accessTime());
    pass(Duration.ofDays(99));
    assertTrue(isKept("a"));
  }

  @Test
  void afterItsTimeItCanBeRemovedAndKeptAgainButNotChanged() throws IOException {
    long file = file("a", "kept");
    setMode(file, 0444);
    pass(Duration.ofDays(31));
    retained(() -> files.open(ROOT, file, OpenFile.WRITE, true));
    retained(() -> setMode(file, 0644));
    retained(() -> files.rename(ROOT, root, bytes("a"), root, bytes("b")));
    Instant again = now().plusSeconds(10 * DAY);
    setAccessTime(file, again);
    assertTrue(isKept("a"));
    pass(Duration.ofDays(11));
    files.remove(ROOT, root, bytes("a"));
    fails(FileError.STALE, () -> files.attributes(file));
    ShareCheck.check(share.store.entries(share.record.id()), false);
  }

  @Test
  void aFileIsCommittedAfterTheQuietTimeByTheClockOfTheStoreOnly() throws IOException {
    long file = file("a", "kept");
    // Neither the wall clock nor the file's own times count.
    share.micros.addAndGet(Duration.ofDays(3650).toNanos() / 1000);
    files.setAttributes(
        ROOT, file, AttributeChange.NONE.withModifyTime(new TimeChange.At(Instant.EPOCH)), null);
    share.files.tick();
    assertFalse(isCommitted(file));
    pass(Duration.ofMinutes(50));
    write(file, "changed");
    pass(Duration.ofMinutes(50));
    share.files.tick();
    assertFalse(isCommitted(file));
    pass(Duration.ofMinutes(59));
    share.files.tick();
    assertFalse(isCommitted(file));
    // What has been quiet so far is known after a restart.
    restart();
    pass(Duration.ofMinutes(2));
    share.files.tick();
    assertTrue(isCommitted(file));
    assertEquals(now().plusSeconds(30 * DAY), files.attributes(file).accessTime());
    assertEquals(0, files.attributes(file).mode() & 0222);
    assertTrue(isKept("a"));
    assertEquals("changed", read(file));
    ShareCheck.check(share.store.entries(share.record.id()), false);
  }

  @Test
  void anAccessTimeToComeCountsForAFileThatIsCommittedByItself() throws IOException {
    long file = file("a", "kept");
    Instant until = now().plusSeconds(90 * DAY);
    setAccessTime(file, until);
    share.files.tick();
    pass(Duration.ofHours(2));
    share.files.tick();
    pass(Duration.ofHours(2));
    share.files.tick();
    assertTrue(isCommitted(file));
    assertEquals(until, files.attributes(file).accessTime());
  }

  @Test
  void whatIsOpenForWritingIsDurableAsItIsCommittedAndTakesNothingMore() throws IOException {
    long file = file("a", "");
    try (OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false)) {
      open.write(0, bytes("unstable"), 0, 8, Stability.UNSTABLE);
      setMode(file, 0400);
      retained(() -> open.write(0, bytes("x"), 0, 1, Stability.UNSTABLE));
    }
    share.store.crash();
    files = share.open();
    assertEquals("unstable", read(file));
    assertTrue(isKept("a"));
  }

  @Test
  void anEmptyFileThatIsMadeReadOnlyBeforeItIsWrittenIsNotCommitted() throws IOException {
    long file = file("a", "");
    setMode(file, 0444);
    write(file, "content");
    assertFalse(isCommitted(file));
    setMode(file, 0444);
    assertTrue(isCommitted(file));
    long dos = file("b", "content");
    files.setAttributes(ROOT, dos, AttributeChange.NONE.withDosAttributes(1), null);
    assertTrue(isCommitted(dos));
  }

  @Test
  void aShareWithoutWormCommitsNothing() throws IOException {
    TestShare plain = new TestShare(1);
    long made =
        plain
            .files
            .create(ROOT, root, bytes("a"), new CreateMode.Guarded(AttributeChange.NONE))
            .file()
            .fileId();
    try (OpenFile open = plain.files.open(ROOT, made, OpenFile.WRITE, false)) {
      open.write(0, bytes("x"), 0, 1, Stability.FILE);
    }
    plain.files.setAttributes(ROOT, made, AttributeChange.NONE.withMode(0444), null);
    plain.files.setAttributes(ROOT, made, AttributeChange.NONE.withMode(0644), null);
    plain.files.remove(ROOT, root, bytes("a"));
  }

  @Test
  void theShareIsNotDeletedNorSwitchedWhileItKeepsFiles() throws IOException {
    var random = new Random(1);
    var store = new MemoryShareStore(new SplittableRandom(1));
    try (var shares =
        new ServedShares(
            store,
            domain -> ParameterSet.SET_1,
            InstantSource.system(),
            () -> Id.random(random),
            TestShare.ROOM)) {
      ShareSettings settings = ShareSettings.LOOPBACK.withWorm(RULES);
      files = shares.create(Id.random(random), "w", store.domainId(), settings).files();
      long file = file("a", "kept");
      setMode(file, 0444);
      refused(Reason.LOCKED, () -> shares.delete(Id.random(random), "w", true));
      refused(
          Reason.INVALID_REQUEST, () -> shares.set(Id.random(random), "w", ShareSettings.LOOPBACK));
      // A copy keeps them too; a snapshot does not need to.
      shares.snapshot(Id.random(random), "w", "one");
      shares.copy(Id.random(random), "w", Optional.empty(), "copy");
      refused(Reason.LOCKED, () -> shares.delete(Id.random(random), "copy", true));
      shares.deleteSnapshot(Id.random(random), "w", "one");
      store.advance(31 * DAY * 1000);
      assertEquals("kept", read(file));
      shares.delete(Id.random(random), "w", true);
      assertEquals(1, shares.list().size());
    }
  }

  // ---- steps

  private Instant now() {
    return Instant.ofEpochMilli(share.store.storeTimeMillis());
  }

  private void pass(Duration time) {
    share.store.advance(time.toMillis());
  }

  private void restart() throws IOException {
    share.files.close();
    files = share.open();
  }

  private Instant committed(String name, Instant accessTime) throws IOException {
    long file = file(name, "kept");
    setAccessTime(file, accessTime);
    setMode(file, 0444);
    assertTrue(isKept(name));
    return files.attributes(file).accessTime();
  }

  private boolean isCommitted(long file) throws IOException {
    try {
      files.open(ROOT, file, OpenFile.WRITE, true).close();
      return false;
    } catch (FileException e) {
      assertEquals(FileError.RETAINED, e.error());
      return true;
    }
  }

  /** Tries to remove a name. */
  private boolean isKept(String name) throws IOException {
    try {
      files.remove(ROOT, root, bytes(name));
      return false;
    } catch (FileException e) {
      assertEquals(FileError.RETAINED, e.error());
      return true;
    }
  }

  private void setMode(long file, int mode) throws IOException {
    files.setAttributes(ROOT, file, AttributeChange.NONE.withMode(mode), null);
  }

  private void setAccessTime(long file, Instant time) throws IOException {
    files.setAttributes(
        ROOT, file, AttributeChange.NONE.withAccessTime(new TimeChange.At(time)), null);
  }

  private long directory(String name) throws IOException {
    return files
        .makeDirectory(ROOT, root, bytes(name), AttributeChange.NONE.withMode(0777))
        .file()
        .fileId();
  }

  private long file(String name, String content) throws IOException {
    return file(root, name, content);
  }

  private long file(long directory, String name, String content) throws IOException {
    long made =
        files
            .create(ROOT, directory, bytes(name), new CreateMode.Guarded(AttributeChange.NONE))
            .file()
            .fileId();
    write(made, content);
    return made;
  }

  private void write(long file, String content) throws IOException {
    try (OpenFile open = files.open(ROOT, file, OpenFile.WRITE, false)) {
      open.setLength(0);
      open.write(0, bytes(content), 0, content.length(), Stability.FILE);
    }
  }

  private String read(long file) throws IOException {
    byte[] bytes = new byte[1000];
    try (OpenFile open = files.open(ROOT, file, OpenFile.READ, false)) {
      return new String(bytes, 0, open.read(0, bytes, 0, bytes.length).lengthBytes(), UTF_8);
    }
  }

  private static void retained(Executable action) {
    fails(FileError.RETAINED, action);
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
