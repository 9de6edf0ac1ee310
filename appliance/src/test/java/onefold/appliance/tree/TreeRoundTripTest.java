package onefold.appliance.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import onefold.testing.RealClients;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TreeRoundTripTest {
  private static final byte[] LATIN_1_NAME = {'n', 'a', 'm', (byte) 0xe9, '\n', 'x'};

  @TempDir Path folder;

  @Test
  void everythingThatABackupKeepsComesBack() throws IOException {
    Path source = sample();
    MemoryArchive archive = archived(List.of(), source);
    Path target = folder.resolve("target");

    TreeSummary summary = restored(archive, target, ExistingFiles.REFUSE);

    assertEquals(List.of(), summary.gaps());
    assertEquals(listing(source), listing(target));
    assertArrayEquals(
        Files.readAllBytes(source.resolve("a/big")), Files.readAllBytes(target.resolve("a/big")));
    assertEquals(
        Files.getAttribute(source.resolve("a/one"), "unix:ino")
            .equals(Files.getAttribute(source.resolve("a/two"), "unix:ino")),
        Files.getAttribute(target.resolve("a/one"), "unix:ino")
            .equals(Files.getAttribute(target.resolve("a/two"), "unix:ino")));
    byte[] oddName = PathBytes.join(PathBytes.of(target.resolve("a")), LATIN_1_NAME);
    assertEquals("odd", Files.readString(PathBytes.toPath(oddName)));
  }

  @Test
  void holesStayHoles() throws IOException {
    Path source = Files.createDirectory(folder.resolve("sparse"));
    Path file = source.resolve("image");
    long size = 1L << 28;
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      channel.write(ByteBuffer.wrap("first".getBytes(StandardCharsets.UTF_8)), 0);
      channel.write(ByteBuffer.wrap("middle".getBytes(StandardCharsets.UTF_8)), size / 2);
      channel.write(ByteBuffer.wrap(new byte[1]), size - 1);
    }
    MemoryArchive archive = archived(List.of(), source);
    assertTrue(archive.lengthBytes() < 1 << 20, () -> "archive of " + archive.lengthBytes());

    Path target = folder.resolve("target");
    restored(archive, target, ExistingFiles.REFUSE);

    assertEquals(size, Files.size(target.resolve("image")));
    try (Posix posix = new Posix()) {
      FileStatus status = posix.statusAt(Posix.AT_FDCWD, PathBytes.of(target.resolve("image")));
      assertTrue(status.blocks() * 512 < 1 << 20, () -> status.blocks() + " blocks");
    }
    assertEquals(-1, Files.mismatch(file, target.resolve("image")));
  }

  @Test
  void tarReadsTheArchive() throws IOException, InterruptedException {
    RealClients.require("tar", "tar");
    Path source = sample();
    MemoryArchive archive = archived(List.of(), source);
    Path file = folder.resolve("archive.tar");
    Files.write(file, archive.bytes());
    Path target = Files.createDirectory(folder.resolve("by-tar"));

    Process tar =
        new ProcessBuilder("tar", "-xpf", file.toString(), "-C", target.toString(), "--xattrs")
            .redirectErrorStream(true)
            .start();
    String output = new String(tar.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertEquals(0, tar.waitFor(), output);
    assertEquals(listing(source), listing(target));
  }

  @Test
  void theSameTreeGivesTheSameBytes() throws IOException {
    Path source = sample();
    assertArrayEquals(archived(List.of(), source).bytes(), archived(List.of(), source).bytes());
  }

  @Test
  void aPartIsRestoredWithoutReadingTheRest() throws IOException {
    MemoryArchive archive = archived(List.of(), sample());
    List<IndexedEntry> entries = new ArrayList<>();
    TreeIndex.read(archive, entry -> entries.add(entry));
    IndexedEntry big =
        entries.stream()
            .filter(e -> PathBytes.printable(e.path()).equals("a/big"))
            .findFirst()
            .orElseThrow();
    archive.damage(big.memberOffsetBytes(), big.memberOffsetBytes() + big.memberBytes());
    Path target = folder.resolve("part");

    try (TreeRestorer restorer =
        new TreeRestorer(archive, ExistingFiles.REFUSE, (files, bytes) -> {})) {
      TreeSummary summary = restorer.restore(target, List.of(PathBytes.utf8("a/one")));
      assertEquals(0, summary.gapCount());
      assertThrows(
          IOException.class, () -> restorer.restore(target, List.of(PathBytes.utf8("a/on"))));
    }

    assertEquals("shared", Files.readString(target.resolve("a/one")));
    assertFalse(Files.exists(target.resolve("a/big")));
  }

  @Test
  void aDamagedMemberIsNamedAndTheRestComesBack() throws IOException {
    Path source = sample();
    MemoryArchive archive = archived(List.of(), source);
    List<IndexedEntry> entries = new ArrayList<>();
    TreeIndex.read(archive, entry -> entries.add(entry));
    IndexedEntry big =
        entries.stream()
            .filter(e -> PathBytes.printable(e.path()).equals("a/big"))
            .findFirst()
            .orElseThrow();
    archive.damage(big.memberOffsetBytes() + 2048, big.memberOffsetBytes() + 4096);

    TreeSummary summary = restored(archive, folder.resolve("target"), ExistingFiles.REFUSE);

    assertEquals(1, summary.gapCount());
    assertEquals("a/big", summary.gaps().getFirst().path());
    assertEquals("shared", Files.readString(folder.resolve("target/a/one")));
    assertEquals("last", Files.readString(folder.resolve("target/z")));
  }

  @Test
  void existingFilesAreRefusedKeptOrReplaced() throws IOException {
    MemoryArchive archive = archived(List.of(), sample());
    Path target = Files.createDirectory(folder.resolve("target"));
    Files.writeString(target.resolve("z"), "mine");

    assertThrows(IOException.class, () -> restored(archive, target, ExistingFiles.REFUSE));
    assertFalse(Files.exists(target.resolve("a")), "nothing half-done");
    restored(archive, target, ExistingFiles.KEEP);
    assertEquals("mine", Files.readString(target.resolve("z")));
    restored(archive, target, ExistingFiles.OVERWRITE);
    assertEquals("last", Files.readString(target.resolve("z")));
  }

  @Test
  void aLinkInTheTargetLeadsNobodyOut() throws IOException {
    MemoryArchive archive = archived(List.of(), sample());
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Path target = Files.createDirectory(folder.resolve("target"));
    Files.createSymbolicLink(target.resolve("a"), outside);

    TreeSummary summary = restored(archive, target, ExistingFiles.KEEP);

    assertTrue(summary.gapCount() > 0);
    try (var files = Files.list(outside)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void aNameWithDotsIsNotRestored() throws IOException {
    MemoryArchive archive = new MemoryArchive();
    TreeIndex index = new TreeIndex();
    byte[] evil = PathBytes.utf8("../evil");
    TreeEntry entry =
        new TreeEntry(
            evil, FileType.REGULAR, false, 0644, 0, 0, 0, 0, 0, new byte[0], 0, 0, List.of(), null);
    byte[] headers = PaxFormat.headers(entry);
    archive.write(headers, 0, headers.length);
    index.add(entry, headers.length);
    index.finish(archive, headers.length, 0);

    TreeSummary summary = restored(archive, folder.resolve("target"), ExistingFiles.REFUSE);

    assertEquals(1, summary.gapCount());
    assertFalse(Files.exists(folder.resolve("evil")));
  }

  @Test
  void exclusionsLeaveOutWhatTheySay() throws IOException {
    MemoryArchive archive = archived(List.of("*.tmp", "a/b"), sample());
    List<String> paths = new ArrayList<>();
    TreeIndex.read(archive, entry -> paths.add(PathBytes.printable(entry.path())));
    assertTrue(paths.contains("a/one"));
    assertFalse(paths.contains("junk.tmp"));
    assertFalse(paths.contains("a/b"));
    assertFalse(paths.contains("a/b/deep"));
  }

  @Test
  void flippedBitsInTheIndexAreFound() throws IOException {
    MemoryArchive archive = archived(List.of(), sample());
    long seed = Long.getLong("onefold.seed", 7L);
    SplittableRandom random = new SplittableRandom(seed);
    byte[] bytes = archive.bytes();
    List<IndexedEntry> entries = new ArrayList<>();
    TreeIndex.read(archive, entry -> entries.add(entry));
    long indexStart =
        entries.getLast().memberOffsetBytes()
            + entries.getLast().memberBytes()
            + 2L * PaxFormat.BLOCK_BYTES;
    for (int i = 0; i < 500; i++) {
      byte[] damaged = bytes.clone();
      int at = (int) random.nextLong(indexStart, bytes.length);
      damaged[at] ^= (byte) (1 << random.nextInt(8));
      MemoryArchive copy = new MemoryArchive();
      copy.write(damaged, 0, damaged.length);
      copy.bytes();
      assertThrows(
          IOException.class,
          () -> TreeIndex.read(copy, entry -> true),
          "byte " + at + ", onefold.seed=" + seed);
    }
  }

  private Path sample() throws IOException {
    Path source = folder.resolve("source");
    if (Files.exists(source)) {
      return source;
    }
    Files.createDirectories(source.resolve("a/b"));
    Files.createDirectories(source.resolve("empty"));
    Files.writeString(source.resolve("a/one"), "shared");
    Files.createLink(source.resolve("a/two"), source.resolve("a/one"));
    byte[] big = new byte[3 << 20];
    new SplittableRandom(1).nextBytes(big);
    Files.write(source.resolve("a/big"), big);
    Files.writeString(source.resolve("a/b/deep"), "deep");
    Files.writeString(source.resolve("a/b/" + "long-name-".repeat(20)), "long");
    Files.writeString(source.resolve("junk.tmp"), "junk");
    Files.writeString(source.resolve("z"), "last");
    Files.writeString(source.resolve("nothing"), "");
    Files.createSymbolicLink(source.resolve("link"), Path.of("a/one"));
    Files.createSymbolicLink(source.resolve("dangling"), Path.of("/no/such/" + "x".repeat(150)));
    Files.write(
        PathBytes.toPath(PathBytes.join(PathBytes.of(source.resolve("a")), LATIN_1_NAME)),
        "odd".getBytes(StandardCharsets.UTF_8));
    Files.setPosixFilePermissions(
        source.resolve("z"), PosixFilePermissions.fromString("r--r-----"));
    Files.setLastModifiedTime(
        source.resolve("z"), FileTime.from(Instant.ofEpochSecond(1_234_567_890, 123_456_789)));
    Files.setLastModifiedTime(
        source.resolve("nothing"), FileTime.from(Instant.ofEpochSecond(-5, 250_000_000)));
    try {
      Files.setAttribute(
          source.resolve("z"),
          "user:comment",
          ByteBuffer.wrap(new byte[] {0, 1, '\n', (byte) 0xff}));
    } catch (IOException | UnsupportedOperationException e) {
      System.out.println("no extended attributes on this file system: " + e.getMessage());
    }
    Files.setLastModifiedTime(
        source.resolve("a/b"), FileTime.from(Instant.ofEpochSecond(1_000_000_000, 1)));
    Files.setLastModifiedTime(
        source, FileTime.from(Instant.ofEpochSecond(1_100_000_000, 999_999_999)));
    return source;
  }

  private static MemoryArchive archived(List<String> excluded, Path source) throws IOException {
    MemoryArchive archive = new MemoryArchive();
    try (TreeWriter writer =
        new TreeWriter(archive, new Exclusions(excluded), false, (files, bytes) -> {})) {
      TreeSummary summary = writer.write(List.of(source));
      assertEquals(List.of(), summary.gaps());
    }
    archive.bytes();
    return archive;
  }

  private static TreeSummary restored(MemoryArchive archive, Path target, ExistingFiles existing)
      throws IOException {
    try (TreeRestorer restorer = new TreeRestorer(archive, existing, (files, bytes) -> {})) {
      return restorer.restore(target, List.of());
    }
  }

  /** One line a file: everything that must come back, names as escaped bytes. */
  private static List<String> listing(Path top) throws IOException {
    List<String> lines = new ArrayList<>();
    try (Posix posix = new Posix()) {
      list(posix, PathBytes.of(top), new byte[0], lines);
    }
    return lines;
  }

  private static void list(Posix posix, byte[] absolute, byte[] path, List<String> lines)
      throws IOException {
    FileStatus status = posix.statusAt(Posix.AT_FDCWD, absolute);
    StringBuilder line = new StringBuilder(PathBytes.printable(path));
    line.append(' ')
        .append(status.type())
        .append(' ')
        .append(Integer.toOctalString(status.permissions()));
    line.append(' ').append(status.userId()).append(':').append(status.groupId());
    line.append(' ').append(status.linkCount());
    if (status.type() != FileType.SYMBOLIC_LINK) {
      line.append(' ').append(PaxFormat.timeText(status.modifiedSeconds(), status.modifiedNanos()));
    }
    for (byte[] attribute : posix.attributeNames(absolute)) {
      line.append(' ').append(PathBytes.printable(attribute)).append('=');
      line.append(PathBytes.printable(posix.attribute(absolute, attribute)));
    }
    if (status.type() == FileType.SYMBOLIC_LINK) {
      line.append(" -> ").append(PathBytes.printable(posix.linkTarget(Posix.AT_FDCWD, absolute)));
    }
    if (status.type() == FileType.REGULAR) {
      line.append(' ').append(status.sizeBytes());
      assertTrue(Files.exists(PathBytes.toPath(absolute), LinkOption.NOFOLLOW_LINKS));
    }
    lines.add(line.toString());
    if (status.type() == FileType.DIRECTORY) {
      int descriptor =
          posix.openAt(Posix.AT_FDCWD, absolute, Posix.O_RDONLY | Posix.O_DIRECTORY, 0);
      List<byte[]> names = posix.names(descriptor, absolute);
      posix.close(descriptor);
      for (byte[] name : names) {
        list(posix, PathBytes.join(absolute, name), PathBytes.join(path, name), lines);
      }
    }
  }
}
