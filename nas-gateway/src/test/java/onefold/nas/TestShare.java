package onefold.nas;

import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import onefold.chunker.ParameterSet;
import onefold.store.Id;
import onefold.store.MemoryShareStore;
import onefold.store.ShareRecord;

/**
 * A share over the store's model, with a clock that moves by a microsecond each time it is read.
 */
final class TestShare {
  static final SpaceSource ROOM = () -> new SpaceSource.Room(1L << 40, 1L << 39);

  final MemoryShareStore store;
  final ShareRecord record;
  final AtomicLong micros = new AtomicLong(1_700_000_000_000_000L);
  private final Random random;
  ShareSettings settings;
  ShareFileSystem files;

  TestShare(long seed) throws IOException {
    this(seed, ShareSettings.LOOPBACK);
  }

  TestShare(long seed, ShareSettings settings) throws IOException {
    this.store = new MemoryShareStore(new SplittableRandom(seed));
    this.random = new Random(seed);
    this.settings = settings;
    this.record =
        store.createShare(
            Id.random(random), "s", store.domainId(), ShareSettingsFormat.write(settings));
    open();
  }

  InstantSource clock() {
    return () -> {
      long now = micros.incrementAndGet();
      return Instant.ofEpochSecond(now / 1_000_000, now % 1_000_000 * 1000);
    };
  }

  ShareFileSystem open() throws IOException {
    files =
        new ShareFileSystem(
            store, record, settings, clock(), () -> Id.random(random), ROOM, ParameterSet.SET_1);
    return files;
  }

  /** The seed that was asked for, or a new one. */
  static long seed() {
    return Long.getLong("onefold.seed", System.nanoTime());
  }
}
