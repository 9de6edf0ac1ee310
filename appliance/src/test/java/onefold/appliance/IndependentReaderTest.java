package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import onefold.testing.RealClients;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reader in {@code docs/reader}, which knows nothing but the descriptions of the formats. */
final class IndependentReaderTest {
  @TempDir Path folder;

  private record Ended(int exitCode, String output) {}

  @BeforeEach
  void programs() {
    RealClients.require("python3", "python3");
    RealClients.require("lz4", "lz4");
    RealClients.require("zstd", "zstd");
  }

  private Ended reader(Path data, String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of("python3", "-B", "../docs/reader/onefold_reader.py", data.toString()));
    command.addAll(List.of(arguments));
    Path output = Files.createTempFile(folder, "reader", "");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    return new Ended(process.waitFor(), Files.readString(output));
  }

  @Test
  void everyItemComesBackWithoutTheProduct() throws IOException, InterruptedException {
    Path tree = folder.resolve("tree");
    Path late = folder.resolve("late");
    Path copy = folder.resolve("copy");
    byte[] noise = new byte[300_000];
    new SplittableRandom(1).nextBytes(noise);
    Files.write(late, noise);
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok(
          "sample", tree.toString(), "--kind", "files", "--size", "4MB", "--generations", "3");
      onefold.ok("backup", tree.resolve("generation-01").toString(), "default/lz4");
      onefold.ok(
          "backup",
          tree.resolve("generation-02").toString(),
          "default/zstd",
          "--compression",
          "zstd");
      onefold.ok(
          "backup",
          tree.resolve("generation-03").toString(),
          "default/none",
          "--compression",
          "none");
      onefold.ok("backup", tree.resolve("generation-01").toString(), "default/gone");
      onefold.ok("rm", "default/gone", "--yes");
      onefold.ok("cp", "default/zstd", "default/twin");
      onefold.ok("store", "create", "second");
      onefold.ok("put", late.toString(), "second/late");
      // As a machine leaves it that loses its power: what was acknowledged lies in the journal.
      copyTree(onefold.data(), copy);
      // And as it is when cold containers have been written anew.
      onefold.ok("housekeeping", "--recompress");
    }
    for (Path data : List.of(copy, folder.resolve("data"))) {
      assertEquals(new Ended(0, "default\t4 items\nsecond\t1 items\n"), reader(data, "ls"));
      Ended verified = reader(data, "verify");
      assertEquals(0, verified.exitCode, verified.output);
      assertEquals(5, verified.output.lines().filter(l -> l.startsWith("whole")).count());
      Path got = folder.resolve("got-" + data.getFileName());
      assertEquals(new Ended(0, ""), reader(data, "get", "second/late", got.toString()));
      assertArrayEquals(noise, Files.readAllBytes(got));
      String[] items = {"default/lz4", "default/zstd", "default/none", "default/twin"};
      int[] generations = {1, 2, 3, 2};
      for (int i = 0; i < items.length; i++) {
        Path back = folder.resolve("back-" + data.getFileName() + i);
        assertEquals(new Ended(0, ""), reader(data, "restore", items[i], back.toString()));
        assertSameTree(tree.resolve("generation-0" + generations[i]), back);
      }
    }
  }

  @Test
  void whatIsDamagedIsNamedAndTheRestComesBack() throws IOException, InterruptedException {
    byte[] first = new byte[200_000];
    byte[] second = new byte[200_000];
    new SplittableRandom(2).nextBytes(first);
    new SplittableRandom(3).nextBytes(second);
    Path data;
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("put", Files.write(folder.resolve("1"), first).toString(), "default/first");
      onefold.ok("put", Files.write(folder.resolve("2"), second).toString(), "default/second");
      data = onefold.data();
    }
    // A stretch of random bytes that only the first item has, wherever it lies.
    boolean found = false;
    try (Stream<Path> files = Files.walk(data.resolve("domains"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        for (int at = 0; at + 64 <= bytes.length; at++) {
          if (bytes[at] == first[100_000]
              && java.util.Arrays.equals(bytes, at, at + 64, first, 100_000, 100_064)) {
            bytes[at] ^= 1;
            Files.write(file, bytes);
            found = true;
            break;
          }
        }
      }
    }
    assertTrue(found, "the bytes of the first item were in no container");
    Ended verified = reader(data, "verify");
    assertEquals(1, verified.exitCode, verified.output);
    assertTrue(verified.output.contains("DAMAGED\tdefault/first\t200000"), verified.output);
    assertTrue(verified.output.contains("whole\tdefault/second\t200000"), verified.output);
    Path got = folder.resolve("got");
    assertEquals(1, reader(data, "get", "default/first", got.toString()).exitCode);
    byte[] holed = Files.readAllBytes(got);
    assertEquals(first.length, holed.length);
    for (int i = 0; i < first.length; i++) {
      assertTrue(holed[i] == first[i] || holed[i] == 0, "wrong byte at " + i);
    }
  }

  @Test
  void aJournalThatHasLostItsEndIsTold() throws IOException, InterruptedException {
    Path data;
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      Path file = Files.write(folder.resolve("1"), new byte[] {1, 2, 3});
      onefold.ok("put", file.toString(), "default/first");
      data = onefold.data();
    }
    assertEquals(new Ended(0, "default\t1 items\n"), reader(data, "ls"));
    try (Stream<Path> files = Files.list(data.resolve("journal"))) {
      for (Path file : files.filter(each -> each.toString().endsWith(".journal")).toList()) {
        Files.delete(file);
      }
    }
    Ended listed = reader(data, "ls");
    assertEquals(1, listed.exitCode, listed.output);
    assertTrue(listed.output.contains("journal: the records "), listed.output);
  }

  private static void copyTree(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path each, BasicFileAttributes attributes)
              throws IOException {
            Files.createDirectories(to.resolve(from.relativize(each)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path each, BasicFileAttributes attributes)
              throws IOException {
            Files.copy(each, to.resolve(from.relativize(each)));
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static void assertSameTree(Path expected, Path found) throws IOException {
    try (Stream<Path> files = Files.walk(expected)) {
      for (Path each : files.toList()) {
        Path other = found.resolve(expected.relativize(each));
        if (Files.isRegularFile(each)) {
          assertEquals(-1, Files.mismatch(each, other), each::toString);
          assertEquals(Files.getPosixFilePermissions(each), Files.getPosixFilePermissions(other));
        } else {
          assertTrue(Files.isDirectory(other), other::toString);
        }
      }
    }
  }
}
