package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import onefold.chunker.ParameterSet;
import onefold.store.Id;
import onefold.store.MutableObject;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.WritebackStatistics;
import onefold.store.device.FileDevice;
import onefold.store.scheduler.ThreadScheduler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are changed in place, on real threads and a real disk. */
class WritebackTest {
  private static final int THREADS = 4;
  private static final int PART = 150_000;

  @TempDir Path directory;

  private static byte[] key(int file) {
    return new byte[] {(byte) file};
  }

  private static Id share(Engine engine) throws IOException {
    Id domain = Walk.defaultStore(engine).domainId();
    return engine.createShare(Walk.commandId("share"), "share", domain, new byte[0]).id();
  }

  private static void create(Engine engine, Id share, int file) throws IOException {
    ShareObject object = ShareObject.empty(new Id(9, file), ParameterSet.SET_1);
    engine
        .shareTree(share)
        .change(
            List.of(
                new ShareChange.SetEntry(
                    new ShareEntry(key(file), Optional.of(object), new byte[0]))))
        .toCompletableFuture()
        .join();
  }

  /** Writes parts of one file and all of another, and reads them again. */
  private static void work(Engine engine, Id share, int thread, byte[] shared, byte[] own)
      throws IOException {
    var random = new SplittableRandom(thread);
    int from = thread * PART;
    try (MutableObject one = engine.openObject(share, key(0));
        MutableObject other = engine.openObject(share, key(1 + thread))) {
      int end = 0;
      for (int i = 0; i < 30; i++) {
        int at = random.nextInt(PART - 10_000);
        byte[] data = Walk.content(random.nextLong(), 1 + random.nextInt(10_000));
        one.write(from + at, data, 0, data.length);
        System.arraycopy(data, 0, shared, from + at, data.length);
        int n = Math.min(own.length - end, 1 + random.nextInt(30_000));
        other.write(end, own, end, n);
        end += n;
        switch (random.nextInt(6)) {
          case 0 -> one.force(new byte[] {(byte) thread});
          case 1 -> other.force(new byte[0]);
          case 2 -> {
            var _ = one.fold();
          }
          case 3 -> {
            byte[] found = new byte[PART];
            int read = one.read(from, found, 0, PART);
            assertArrayEquals(
                Arrays.copyOfRange(shared, from, from + read), Arrays.copyOf(found, read));
          }
          default -> {}
        }
      }
      other.write(end, own, end, own.length - end);
      other.force(new byte[0]);
    }
  }

  @Test
  void whatManyThreadsWriteAtOnceIsReadAlsoAfterAStart() throws Exception {
    byte[] shared = new byte[THREADS * PART];
    List<byte[]> own = new ArrayList<>();
    try (var scheduler = new ThreadScheduler()) {
      Id share;
      try (Engine engine =
          Engine.open(
              new FileDevice(directory),
              scheduler,
              Walk.small().withWriteback(WritebackSimTest.small()))) {
        share = share(engine);
        create(engine, share, 0);
        try (MutableObject whole = engine.openObject(share, key(0))) {
          whole.setLength(shared.length);
        }
        List<CompletableFuture<Boolean>> ends = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
          int thread = i;
          create(engine, share, 1 + thread);
          own.add(Walk.content(thread, 900_000));
          var end = new CompletableFuture<Boolean>();
          ends.add(end);
          var _ =
              Thread.ofVirtual()
                  .start(() -> {
                    try {
                      work(engine, share, thread, shared, own.get(thread));
                      end.complete(true);
                    } catch (Throwable e) { // handed to the test
                      end.completeExceptionally(e);
                    }
                  });
        }
        for (CompletableFuture<Boolean> end : ends) {
          assertTrue(end.join());
        }
        WritebackStatistics figures =
            engine.writebackStatistics(Walk.defaultStore(engine).domainId());
        assertTrue(figures.streamedBytes() > 0 && figures.folds() > 0, figures.toString());
      }
      try (Engine engine =
          Engine.open(
              new FileDevice(directory),
              scheduler,
              Walk.small().withWriteback(WritebackSimTest.small()))) {
        try (MutableObject whole = engine.openObject(share, key(0))) {
          assertArrayEquals(shared, WritebackSimTest.read(whole));
        }
        for (int i = 0; i < THREADS; i++) {
          try (MutableObject other = engine.openObject(share, key(1 + i))) {
            byte[] found = WritebackSimTest.read(other);
            assertArrayEquals(Arrays.copyOf(own.get(i), found.length), found);
            assertEquals(own.get(i).length, found.length);
          }
        }
      }
    }
  }
}
