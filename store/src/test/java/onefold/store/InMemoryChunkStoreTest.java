package onefold.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockReader;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;
import onefold.store.RefusedException.Reason;
import org.junit.jupiter.api.Test;

class InMemoryChunkStoreTest {
  private final Random random = new Random(7);
  private final InMemoryChunkStore store =
      new InMemoryChunkStore(InstantSource.system(), random, 1 << 20);
  private final StoreRecord target = store.findStore("default").orElseThrow();

  InMemoryChunkStoreTest() throws IOException {}

  private CommitRequest request(CommitMode mode) {
    return new CommitRequest(Id.random(random), mode, InMemoryChunkStore.noTags(), 0);
  }

  private byte[] randomBytes(int count) {
    byte[] bytes = new byte[count];
    random.nextBytes(bytes);
    return bytes;
  }

  private ItemRecord put(String name, byte[] content) throws IOException {
    try (ObjectWriter writer =
        store.openWriter(target.id(), name, Optional.empty(), Compression.LZ4)) {
      writer.write(content, 0, content.length);
      return writer.commit(request(CommitMode.IF_ABSENT));
    }
  }

  private byte[] read(ObjectRoot root) throws IOException {
    byte[] bytes = new byte[Math.toIntExact(root.lengthBytes())];
    try (ObjectReader reader = store.openReader(target.domainId(), root)) {
      int at = 0;
      while (at < bytes.length) {
        at += reader.read(at, bytes, at, bytes.length - at);
      }
      assertEquals(-1, reader.read(at, new byte[1], 0, 1));
    }
    return bytes;
  }

  private byte[] walk(ObjectRoot root, int from, int to) throws IOException {
    byte[] bytes = new byte[to - from];
    try (ObjectReader reader = store.openReader(target.domainId(), root);
        StoredChunks chunks = reader.storedChunks(from, to);
        BlockReader blocks = new BlockReader()) {
      Map<Integer, Integer> starts = new HashMap<>();
      byte[] raw = {};
      while (true) {
        switch (chunks.next()) {
          case StoredChunks.Step.Block block -> {
            blocks.parse(block.bytes(), block.offset(), block.lengthBytes());
            raw = blocks.decompress();
            int at = 0;
            for (int i = 0; i < blocks.chunkCount(); i++) {
              starts.put(i, at);
              at += blocks.chunkLengths()[i];
            }
          }
          case StoredChunks.Step.Extent extent ->
              System.arraycopy(
                  raw,
                  starts.getOrDefault(extent.chunkIndex(), -1) + extent.skipBytes(),
                  bytes,
                  (int) extent.objectOffsetBytes() - from,
                  extent.lengthBytes());
          case StoredChunks.Step.Zeros zeros -> {}
          case StoredChunks.Step.End end -> {
            return bytes;
          }
        }
      }
    }
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    byte[] content = randomBytes(3_000_000);
    ItemRecord item = put("a", content);
    assertArrayEquals(content, read(item.root()));
    assertArrayEquals(
        Arrays.copyOfRange(content, 70_001, 900_000), walk(item.root(), 70_001, 900_000));
    assertEquals(
        content.length, item.newBytes() - store.domainStatistics(target.domainId()).nodeBytes());
    assertEquals(0, put("b", content).newBytes());
    assertEquals(item.root(), store.findItem(target.id(), "b").orElseThrow().root());
    assertArrayEquals(new byte[0], read(put("empty", new byte[0]).root()));
  }

  @Test
  void anUploadGoesOnFromItsLastCheckpointAndGivesTheSameRoot() throws IOException {
    byte[] content = randomBytes(5_000_000);
    ObjectWriter broken = store.openWriter(target.id(), "a", Optional.empty(), Compression.LZ4);
    broken.write(content, 0, 4_000_000);
    assertThrows(
        RefusedException.class, () -> store.abortUpload(Id.random(random), broken.uploadId()));
    broken.close();
    UnfinishedUpload upload = store.unfinishedUploads(target.id()).getFirst();
    assertEquals(broken.durableBytes(), upload.checkpoint().root().lengthBytes());

    try (ObjectWriter resumed =
        store.openWriter(target.id(), "a", Optional.of(broken.uploadId()), Compression.LZ4)) {
      int from = (int) resumed.positionBytes();
      assertTrue(from > 2_000_000 && from == resumed.durableBytes());
      resumed.write(content, from, content.length - from);
      ItemRecord item = resumed.commit(request(CommitMode.IF_ABSENT));
      assertArrayEquals(content, read(item.root()));
      assertEquals(put("b", content).root(), item.root());
    }
    assertEquals(0, store.unfinishedUploads(target.id()).size());
  }

  @Test
  void holesAndSplicesCostNoData() throws IOException {
    byte[] content = randomBytes(500_000);
    ItemRecord base = put("a", content);
    try (ObjectWriter writer =
        store.openWriter(target.id(), "b", Optional.empty(), Compression.LZ4)) {
      writer.hole(1_000_000);
      writer.splice(base.root(), 1, 400_000);
      ItemRecord item = writer.commit(request(CommitMode.IF_ABSENT));
      byte[] expected = new byte[1_400_000];
      System.arraycopy(content, 1, expected, 1_000_000, 400_000);
      assertArrayEquals(expected, read(item.root()));
      assertArrayEquals(
          Arrays.copyOfRange(expected, 999_999, 1_399_999), walk(item.root(), 999_999, 1_399_999));
    }
  }

  @Test
  void aSourceSideUploadIsAskedForWhatIsLacking() throws IOException {
    Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.SET_1);
    byte[] chunk = randomBytes(5000);
    Fingerprint fingerprint = fingerprinter.fingerprint(chunk, 0, chunk.length);
    try (IngestSession session = store.openIngest(target.id(), "a", Optional.empty());
        BlockBuilder block = new BlockBuilder(ChunkKind.DATA, BlockCodec.LZ4, 1)) {
      FingerprintBatch batch = new FingerprintBatch(ChunkKind.DATA, 1);
      batch.add(fingerprint, chunk.length);
      assertArrayEquals(new long[] {0}, session.have(batch));

      Map<String, byte[]> nodes = new HashMap<>();
      RecipeBuilder recipe =
          new RecipeBuilder(
              ParameterSet.SET_1,
              (level, node, length, print) -> nodes.put("root", Arrays.copyOf(node, length)));
      recipe.chunk(fingerprint.toBytes(), 0, chunk.length);
      ObjectRoot root = recipe.finish();
      byte[] node = nodes.getOrDefault("root", new byte[0]);
      assertArrayEquals(new long[] {1}, session.putNode(0, node, 0, node.length));
      assertThrows(
          RefusedException.class, () -> session.commit(root, request(CommitMode.IF_ABSENT)));
      assertThrows(RefusedException.class, () -> session.putNode(1, node, 0, node.length));

      block.add(chunk, 0, chunk.length);
      int length = block.encode();
      assertEquals(fingerprint, session.putBlock(block.bytes(), 0, length).fingerprint(0));
      assertThrows(RefusedException.class, () -> session.putBlock(block.bytes(), 0, length - 1));
      assertArrayEquals(new long[] {0}, session.putNode(0, node, 0, node.length));

      store.forget(target.domainId(), ChunkKind.DATA, fingerprint);
      CommitOutcome.Lacking lacking =
          assertInstanceOf(
              CommitOutcome.Lacking.class, session.commit(root, request(CommitMode.IF_ABSENT)));
      assertEquals(fingerprint, lacking.data().fingerprint(0));
      session.putBlock(block.bytes(), 0, length);
      assertInstanceOf(
          CommitOutcome.Committed.class, session.commit(root, request(CommitMode.IF_ABSENT)));
      assertArrayEquals(chunk, read(root));
    }
  }

  @Test
  void damageAndAFullDiskAreTold() throws IOException {
    ItemRecord item = put("a", randomBytes(100_000));
    for (Fingerprint chunk : store.fingerprints(target.domainId(), ChunkKind.DATA)) {
      store.damage(target.domainId(), chunk);
    }
    assertThrows(CorruptDataException.class, () -> read(item.root()));
    store.setFull(true);
    assertThrows(StoreFullException.class, () -> put("b", randomBytes(100)));
    assertTrue(store.problem().isPresent());
  }

  @Test
  void housekeepingTakesWhatNothingNames() throws IOException {
    put("a", randomBytes(300_000));
    byte[] kept = randomBytes(300_000);
    ItemRecord item = put("b", kept);
    store.deleteItem(Id.random(random), target.id(), "a");
    long before = store.domainStatistics(target.domainId()).uniqueBytes();
    HousekeepingStatus status = store.runHousekeeping(target.domainId());
    assertEquals(1, status.cycle());
    assertTrue(status.reclaimedBytes() >= 300_000);
    assertEquals(before - 300_000, store.domainStatistics(target.domainId()).uniqueBytes());
    assertArrayEquals(kept, read(item.root()));
  }

  @Test
  void aClosedStoreRefuses() throws IOException {
    store.close();
    RefusedException refused =
        assertThrows(
            RefusedException.class, () -> store.deleteItem(new Id(1, 1), target.id(), "a"));
    assertEquals(Reason.SHUTTING_DOWN, refused.reason());
  }
}
