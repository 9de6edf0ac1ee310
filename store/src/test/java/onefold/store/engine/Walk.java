package onefold.store.engine;

import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.ObjectRoot;
import onefold.store.CommitMode;
import onefold.store.CommitRequest;
import onefold.store.Compression;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.ObjectWriter;
import onefold.store.StoreRecord;
import onefold.store.container.ContainerSettings;
import onefold.store.index.IndexSettings;
import onefold.store.journal.JournalSettings;

/** What the engine's tests do again and again. */
final class Walk {
  private Walk() {}

  /** Settings that make every bound near: small containers, little memory, no reserve. */
  static EngineSettings small() {
    return small(1 << 20);
  }

  static EngineSettings small(long blockCacheBytes) {
    return small(blockCacheBytes, 1 << 20);
  }

  static EngineSettings small(long blockCacheBytes, long layoutCacheBytes) {
    return new EngineSettings(
        new ContainerSettings(256 << 10, 2, blockCacheBytes, layoutCacheBytes, 4),
        new IndexSettings(1 << 20, 1 << 20, 1 << 16, 0),
        new JournalSettings(256 << 10, 1 << 20),
        1 << 20,
        256 << 10,
        0,
        false);
  }

  static StoreRecord defaultStore(Engine engine) throws IOException {
    return engine.findStore("default").orElseThrow();
  }

  static CommitRequest request(Id commandId, CommitMode mode) {
    return new CommitRequest(commandId, mode, new TreeMap<>(), 0);
  }

  static ItemRecord put(Engine engine, String name, byte[] content) throws IOException {
    return put(
        engine,
        defaultStore(engine),
        name,
        content,
        content.length + 1,
        commandId(name + Arrays.hashCode(content)));
  }

  /** An id that follows from a text, so that a test is the same each time. */
  static Id commandId(String text) {
    var random = new SplittableRandom(text.hashCode() * 31L + text.length());
    return new Id(random.nextLong(), random.nextLong() | 1);
  }

  static ItemRecord put(
      Engine engine, StoreRecord store, String name, byte[] content, int step, Id commandId)
      throws IOException {
    try (ObjectWriter writer =
        engine.openWriter(store.id(), name, Optional.empty(), Compression.LZ4)) {
      for (int at = 0; at < content.length; at += step) {
        writer.write(content, at, Math.min(step, content.length - at));
      }
      return writer.commit(request(commandId, CommitMode.REPLACE));
    }
  }

  static byte[] get(Engine engine, String name) throws IOException {
    StoreRecord store = defaultStore(engine);
    ItemRecord item = engine.findItem(store.id(), name).orElseThrow();
    return read(engine, store.domainId(), item.root());
  }

  static byte[] read(Engine engine, Id domainId, ObjectRoot root) throws IOException {
    byte[] content = new byte[Math.toIntExact(root.lengthBytes())];
    try (ObjectReader reader = engine.openReader(domainId, root)) {
      int at = 0;
      while (at < content.length) {
        at += reader.read(at, content, at, Math.min(100_000, content.length - at));
      }
      if (reader.read(at, content, 0, 0) != -1) {
        throw new AssertionError("bytes beyond the end");
      }
    }
    return content;
  }

  /** Bytes that compress to about half and do not repeat. */
  static byte[] content(long seed, int length) {
    byte[] content = new byte[length];
    var random = new SplittableRandom(seed);
    for (int i = 0; i < length; i++) {
      content[i] = (byte) random.nextInt(16);
    }
    return content;
  }

  static byte[] joined(byte[]... parts) {
    int length = 0;
    for (byte[] part : parts) {
      length += part.length;
    }
    byte[] joined = Arrays.copyOf(parts[0], length);
    int at = parts[0].length;
    for (int i = 1; i < parts.length; i++) {
      System.arraycopy(parts[i], 0, joined, at, parts[i].length);
      at += parts[i].length;
    }
    return joined;
  }
}
