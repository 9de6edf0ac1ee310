package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Named streams of files, as clients of NT use them. */
class StreamsTest {
  private static final Credentials ROOT = Credentials.ROOT;
  private static final Credentials ANN = new Credentials(1000, 100, Set.of(), false);
  private static final Credentials EVE = new Credentials(1002, 200, Set.of(), false);
  private static final CreateMode NEW = new CreateMode.Guarded(AttributeChange.NONE);
  private static final CreateMode ANY = new CreateMode.Unchecked(AttributeChange.NONE);

  private final TestShare share;
  private FileSystem files;
  private final long root;

  StreamsTest() throws IOException {
    share = new TestShare(TestShare.seed());
    files = share.files;
    root = files.rootId();
  }

  @Test
  void aFileAndADirectoryHaveStreamsOfTheirOwnContent() throws IOException {
    long file = file("a", 0644);
    write(file, "main");
    long stream = stream(file, "Zone.Identifier");
    write(stream, "[ZoneTransfer]");
    long directory =
        files.makeDirectory(ROOT, root, bytes("d"), AttributeChange.NONE).file().fileId();
    write(stream(directory, "info"), "of a directory");
    assertEquals("main", read(file));
    assertEquals(4, files.attributes(file).sizeBytes());
    assertEquals("[ZoneTransfer]", read(stream));
    assertEquals(List.of("Zone.Identifier 14"), list(file));
    assertEquals(List.of("info 14"), list(directory));
    restart();
    assertEquals("[ZoneTransfer]", read(stream));
    assertEquals(List.of("Zone.Identifier 14"), list(file));
    files.setAttributes(ROOT, stream, AttributeChange.NONE.withSize(3), null);
    assertEquals("[Zo", read(stream));
    check();
  }

  @Test
  void aStreamIsFoundWhateverTheCaseOfItsNameAndNotMadeTwice() throws IOException {
    long file = file("a", 0644);
    long stream = stream(file, "Stream");
    fails(FileError.EXISTS, () -> stream(file, "STREAM"));
    Created found = files.createStream(ROOT, file, bytes("stREAM"), ANY);
    assertFalse(found.made());
    assertEquals(stream, found.file().fileId());
    files.removeStream(ROOT, file, bytes("stream"));
    fails(FileError.STALE, () -> files.attributes(stream));
    fails(FileError.NO_ATTRIBUTE, () -> files.removeStream(ROOT, file, bytes("stream")));
    assertTrue(list(file).isEmpty());
    check();
  }

  @Test
  void theRightsToTheFileCount() throws IOException {
    long file = files.create(ANN, root, bytes("a"), NEW).file().fileId();
    files.setAttributes(ANN, file, AttributeChange.NONE.withMode(0640), null);
    long stream = files.createStream(ANN, file, bytes("s"), NEW).file().fileId();
    files.open(ANN, stream, OpenFile.READ | OpenFile.WRITE, false).close();
    fails(FileError.ACCESS, () -> files.open(EVE, stream, OpenFile.READ, false));
    fails(FileError.ACCESS, () -> files.createStream(EVE, file, bytes("t"), NEW));
    fails(FileError.ACCESS, () -> files.removeStream(EVE, file, bytes("s")));
    fails(FileError.ACCESS, () -> files.streams(EVE, file));
    assertEquals(0, files.access(EVE, stream, Access.READ | Access.MODIFY));
    files.setAttributes(ANN, file, AttributeChange.NONE.withMode(0644), null);
    files.open(EVE, stream, OpenFile.READ, false).close();
    fails(FileError.ACCESS, () -> files.open(EVE, stream, OpenFile.WRITE, false));
    fails(
        FileError.ACCESS,
        () -> files.setAttributes(EVE, stream, AttributeChange.NONE.withSize(0), null));
  }

  @Test
  void nothingButContentCanBeSetOfAStream() throws IOException {
    long file = file("a", 0644);
    long stream = stream(file, "s");
    fails(FileError.NOT_SUPPORTED, () -> files.link(ROOT, stream, root, bytes("x")));
    fails(
        FileError.NOT_SUPPORTED,
        () -> files.setAttributes(ROOT, stream, AttributeChange.NONE.withMode(0777), null));
    fails(FileError.NOT_SUPPORTED, () -> files.setAccessList(ROOT, stream, List.of()));
    fails(
        FileError.NOT_SUPPORTED,
        () ->
            files.setExtendedAttribute(ROOT, stream, bytes("k"), bytes("v"), AttributeMode.EITHER));
    fails(FileError.NOT_SUPPORTED, () -> files.createStream(ROOT, stream, bytes("t"), NEW));
    fails(FileError.BAD_NAME, () -> stream(file, "a:b"));
    fails(FileError.BAD_NAME, () -> stream(file, "a/b"));
    fails(FileError.INVALID, () -> stream(file, ""));
    fails(FileError.NAME_TOO_LONG, () -> stream(file, "x".repeat(256)));
    for (int i = 1; i < FileSystem.MAX_STREAMS; i++) {
      stream(file, "s" + i);
    }
    fails(FileError.NO_SPACE, () -> stream(file, "one more"));
    assertEquals(FileSystem.MAX_STREAMS, files.streams(ROOT, file).size());
  }

  @Test
  void streamsGoWithTheirFile() throws IOException {
    long file = file("a", 0644);
    long stream = stream(file, "s");
    write(stream, "content");
    files.link(ROOT, file, root, bytes("b"));
    files.remove(ROOT, root, bytes("a"));
    assertEquals("content", read(stream));
    files.remove(ROOT, root, bytes("b"));
    fails(FileError.STALE, () -> files.attributes(stream));
    check();
    assertEquals(2, share.store.entries(share.record.id()).size());
  }

  @Test
  void aStreamThatIsOpenIsReadUntilItIsClosedWhateverGoes() throws IOException {
    long file = file("a", 0644);
    long stream = stream(file, "s");
    write(stream, "content");
    try (OpenFile open = files.open(ROOT, stream, OpenFile.READ | OpenFile.WRITE, false)) {
      files.remove(ROOT, root, bytes("a"));
      byte[] bytes = new byte[7];
      open.read(0, bytes, 0, 7);
      assertEquals("content", new String(bytes, UTF_8));
      open.write(0, bytes, 0, 7, Stability.FILE);
    }
    fails(FileError.STALE, () -> files.attributes(stream));
    check();
    long other = file("a", 0644);
    long again = stream(other, "s");
    OpenFile open = files.open(ROOT, again, OpenFile.READ, false);
    files.removeStream(ROOT, other, bytes("s"));
    stream(other, "s");
    open.close();
    assertEquals(1, files.streams(ROOT, other).size());
    check();
    // What is left by an end of the server while a stream is open goes at the next start.
    files.open(ROOT, files.streams(ROOT, other).getFirst().streamId(), OpenFile.READ, false);
    files.remove(ROOT, root, bytes("a"));
    share.store.crash();
    files = share.open();
    check();
    assertEquals(2, share.store.entries(share.record.id()).size());
  }

  @Test
  void theQuotaCountsStreams() throws IOException {
    share.files.setSettings(ShareSettings.LOOPBACK.withQuotaBytes(100));
    long file = file("a", 0644);
    write(file, "x".repeat(40));
    long stream = stream(file, "s");
    write(stream, "y".repeat(60));
    fails(FileError.QUOTA, () -> write(stream, "y".repeat(61)));
    assertEquals(40, share.files.usedBytes());
    write(stream, "y".repeat(60));
    files.remove(ROOT, root, bytes("a"));
    assertEquals(0, share.files.usedBytes());
  }

  @Test
  void aFileThatIsKeptKeepsItsStreams() throws IOException {
    TestShare worm = new TestShare(1, ShareSettings.LOOPBACK.withWorm(Worm.USUAL));
    files = worm.files;
    long file = file("a", 0644);
    write(file, "main");
    long stream = stream(file, "s");
    write(stream, "kept");
    OpenFile before = files.open(ROOT, stream, OpenFile.WRITE, false);
    files.setAttributes(ROOT, file, AttributeChange.NONE.withMode(0444), null);
    fails(FileError.RETAINED, () -> before.write(0, bytes("x"), 0, 1, Stability.FILE));
    fails(FileError.RETAINED, () -> files.open(ROOT, stream, OpenFile.WRITE, false));
    fails(
        FileError.RETAINED,
        () -> files.setAttributes(ROOT, stream, AttributeChange.NONE.withSize(0), null));
    fails(FileError.RETAINED, () -> files.removeStream(ROOT, file, bytes("s")));
    fails(FileError.RETAINED, () -> stream(file, "t"));
    before.close();
    assertEquals("kept", read(stream));
    worm.store.advance(31L * 86_400_000);
    files.remove(ROOT, root, bytes("a"));
    fails(FileError.STALE, () -> files.attributes(stream));
    ShareCheck.check(worm.store.entries(worm.record.id()), false);
  }

  // ---- steps

  private void check() throws IOException {
    ShareCheck.check(share.store.entries(share.record.id()), false);
  }

  private void restart() throws IOException {
    share.files.close();
    files = share.open();
  }

  private List<String> list(long file) throws IOException {
    return files.streams(ROOT, file).stream()
        .map(stream -> Names.text(stream.name()) + " " + stream.sizeBytes())
        .toList();
  }

  private long stream(long file, String name) throws IOException {
    return files.createStream(ROOT, file, bytes(name), NEW).file().fileId();
  }

  private long file(String name, int mode) throws IOException {
    return files
        .create(
            ROOT, root, bytes(name), new CreateMode.Guarded(AttributeChange.NONE.withMode(mode)))
        .file()
        .fileId();
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

  private static void fails(FileError error, Executable action) {
    assertEquals(error, assertThrows(FileException.class, action).error());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
