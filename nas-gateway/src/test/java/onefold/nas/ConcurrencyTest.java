package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.RepeatedTest;

/** Many threads at once on few names: nobody waits for ever, and what is left agrees. */
class ConcurrencyTest {
  private static final int THREADS = 8;
  private static final int STEPS = 400;
  private static final Credentials ROOT = Credentials.ROOT;

  /** What may be said to somebody whose names others change. */
  private static final Set<FileError> USUAL =
      EnumSet.of(
          FileError.NOT_FOUND,
          FileError.EXISTS,
          FileError.STALE,
          FileError.NOT_DIRECTORY,
          FileError.IS_DIRECTORY,
          FileError.NOT_EMPTY,
          FileError.INVALID);

  @RepeatedTest(5)
  void manyThreadsLeaveATreeThatAgrees() throws Exception {
    long seed = TestShare.seed();
    TestShare share = new TestShare(seed);
    assertTimeoutPreemptively(
        Duration.ofMinutes(2), () -> run(share, seed, false), "onefold.seed=" + seed);
    share.files.close();
    ShareCheck.check(share.store.entries(share.record.id()), false);
    share.open();
    assertEquals(0, share.files.openCount());
  }

  @RepeatedTest(5)
  void aPowerCutAmongManyThreadsLeavesATreeThatAgrees() throws Exception {
    long seed = TestShare.seed();
    TestShare share = new TestShare(seed);
    share.store.failAfter(new SplittableRandom(seed).nextInt(2000));
    assertTimeoutPreemptively(
        Duration.ofMinutes(2), () -> run(share, seed, true), "onefold.seed=" + seed);
    share.store.crash();
    ShareCheck.check(share.store.entries(share.record.id()), true);
    share.open();
    ShareCheck.check(share.store.entries(share.record.id()), false);
  }

  private static void run(TestShare share, long seed, boolean mayFail) throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        var random = new SplittableRandom(seed + i);
        running.add(
            threads.submit(() -> {
              steps(share.files, random, mayFail);
              return null;
            }));
      }
      for (Future<?> thread : running) {
        var _ = thread.get();
      }
    }
  }

  private static void steps(ShareFileSystem files, SplittableRandom random, boolean mayFail)
      throws IOException {
    List<OpenFile> held = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      try {
        step(files, random, held);
      } catch (FileException e) {
        boolean usual = USUAL.contains(e.error()) || (mayFail && e.error() == FileError.IO);
        if (!usual) {
          throw e;
        }
      }
    }
    held.forEach(OpenFile::close);
  }

  private static void step(ShareFileSystem files, SplittableRandom random, List<OpenFile> held)
      throws IOException {
    long directory = directory(files, random);
    byte[] name = name(random);
    switch (random.nextInt(14)) {
      case 0, 1, 2 ->
          files.create(ROOT, directory, name, new CreateMode.Unchecked(AttributeChange.NONE));
      case 3, 4 -> files.makeDirectory(ROOT, directory, name, AttributeChange.NONE);
      case 5 -> files.remove(ROOT, directory, name);
      case 6 -> files.removeDirectory(ROOT, directory, name);
      case 7, 8 -> files.rename(ROOT, directory, name, directory(files, random), name(random));
      case 9 ->
          files.link(
              ROOT,
              files.lookup(ROOT, directory, name).fileId(),
              directory(files, random),
              name(random));
      case 10, 11 -> {
        OpenFile open =
            files.open(ROOT, files.lookup(ROOT, directory, name).fileId(), OpenFile.WRITE, false);
        byte[] bytes = new byte[random.nextInt(1, 100)];
        Stability stability = random.nextInt(4) == 0 ? Stability.FILE : Stability.UNSTABLE;
        try {
          open.write(random.nextInt(5000), bytes, 0, bytes.length, stability);
        } finally {
          if (held.size() < 3) {
            held.add(open);
          } else {
            open.close();
          }
        }
      }
      case 12 ->
          files.setExtendedAttribute(
              ROOT, files.lookup(ROOT, directory, name).fileId(), name, name, AttributeMode.EITHER);
      default -> {
        files.list(ROOT, directory, 0, 100, true);
        if (!held.isEmpty()) {
          held.removeFirst().close();
        }
        files.tick();
      }
    }
  }

  private static long directory(ShareFileSystem files, SplittableRandom random) throws IOException {
    long directory = files.rootId();
    for (int depth = random.nextInt(3); depth > 0; depth--) {
      try {
        Attributes below = files.lookup(ROOT, directory, name(random));
        if (below.type() == FileType.DIRECTORY) {
          directory = below.fileId();
        }
      } catch (FileException e) {
        return directory;
      }
    }
    return directory;
  }

  private static byte[] name(SplittableRandom random) {
    return ("n" + random.nextInt(5)).getBytes(UTF_8);
  }
}
