package onefold.chunker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every release reads the nodes and blocks of every release before it, and nodes never change. */
class SampleFilesTest {
  private static final String TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(100);

  private static byte[] sample(String name) {
    String path = "/onefold/samples/0.1.0/" + name;
    try (InputStream in = SampleFilesTest.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new AssertionError("no sample " + path);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] fingerprintOf(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return new Fingerprinter(ParameterSet.SET_1).fingerprint(bytes, 0, bytes.length).toBytes();
  }

  private static byte[] rootNode(Map<Fingerprint, byte[]> nodes, ObjectRoot root) {
    byte[] node = nodes.get(root.node());
    if (node == null) {
      throw new AssertionError("the root was not handed out");
    }
    return node;
  }

  private static NodeSink into(Map<Fingerprint, byte[]> nodes) {
    return (level, node, length, fingerprint) ->
        nodes.put(Fingerprint.of(fingerprint, 0), Arrays.copyOf(node, length));
  }

  @Test
  void theEmptyNode() throws IOException {
    NodeReader reader = new NodeReader().reset(sample("node-empty.bin"), 0, 6);
    assertEquals(0, reader.level());
    assertEquals(0, reader.coveredBytes());
    assertFalse(reader.next());
    Map<Fingerprint, byte[]> nodes = new HashMap<>();
    ObjectRoot root = new RecipeBuilder(ParameterSet.SET_1, into(nodes)).finish();
    assertArrayEquals(sample("node-empty.bin"), rootNode(nodes, root));
    assertEquals(
        "86a2e77f630bfd5d859765889fa297e3893e9fb4dd2011242116fdfc48aabfcd", root.node().toString());
  }

  @Test
  void theLeaf() throws IOException {
    byte[] leaf = sample("node-leaf.bin");
    NodeReader reader = new NodeReader().reset(leaf, 0, leaf.length);
    assertEquals(4, reader.entryCount());
    assertEquals(8192 + 300 + (1 << 20) + 15, reader.coveredBytes());
    assertTrue(reader.next());
    assertEquals(EntryType.CHUNK, reader.entryType());
    assertEquals(8192, reader.lengthBytes());
    assertEquals(Fingerprint.of(fingerprintOf("a"), 0), reader.fingerprint());
    assertTrue(reader.next());
    assertEquals(EntryType.SLICE, reader.entryType());
    assertEquals(300, reader.lengthBytes());
    assertEquals(1000, reader.skipBytes());
    assertEquals(10000, reader.chunkLengthBytes());
    assertEquals(Fingerprint.of(fingerprintOf("b"), 0), reader.fingerprint());
    assertTrue(reader.next());
    assertEquals(EntryType.HOLE, reader.entryType());
    assertEquals(1 << 20, reader.lengthBytes());
    assertTrue(reader.next());
    assertEquals(EntryType.RESERVED, reader.entryType());
    assertEquals(15, reader.lengthBytes());
    assertFalse(reader.next());
    Map<Fingerprint, byte[]> nodes = new HashMap<>();
    RecipeBuilder builder = new RecipeBuilder(ParameterSet.SET_1, into(nodes));
    builder.chunk(fingerprintOf("a"), 0, 8192);
    builder.slice(fingerprintOf("b"), 0, 10000, 1000, 300);
    builder.hole(1 << 20);
    builder.reserved(15);
    assertArrayEquals(leaf, rootNode(nodes, builder.finish()));
  }

  @Test
  void theInnerNode() throws IOException {
    byte[] inner = sample("node-inner.bin");
    NodeReader reader = new NodeReader().reset(inner, 0, inner.length);
    assertEquals(1, reader.level());
    assertEquals(ParameterSet.SET_1, reader.parameterSet());
    assertTrue(reader.next());
    assertEquals(EntryType.CHILD, reader.entryType());
    assertEquals(1 << 20, reader.lengthBytes());
    assertTrue(reader.next());
    assertEquals(1_500_000, reader.lengthBytes());
    assertEquals(Fingerprint.of(fingerprintOf("second leaf"), 0), reader.fingerprint());
    Map<Fingerprint, byte[]> nodes = new HashMap<>();
    RecipeBuilder builder = new RecipeBuilder(ParameterSet.SET_1, into(nodes));
    assertTrue(builder.subtree(0, fingerprintOf("first leaf"), 0, 1 << 20));
    assertTrue(builder.subtree(0, fingerprintOf("second leaf"), 0, 1_500_000));
    assertArrayEquals(inner, rootNode(nodes, builder.finish()));
  }

  @Test
  void theTreeOfThousandsOfChunksIsWhatItAlwaysWas() throws IOException {
    byte[] data = Probe.sampleData(30_000_000);
    int[] lengths = new int[20_000];
    int count = Cutter.of(ParameterSet.SET_1).cut(data, 0, data.length, true, lengths, 0);
    byte[] fingerprints = new byte[count * Fingerprint.BYTES];
    new Fingerprinter(ParameterSet.SET_1).fingerprint(data, 0, lengths, 0, count, fingerprints, 0);
    RecipeBuilder builder = new RecipeBuilder(ParameterSet.SET_1, into(new HashMap<>()));
    for (int i = 0; i < count; i++) {
      builder.chunk(fingerprints, i * Fingerprint.BYTES, lengths[i]);
      if (i % 100 == 0) {
        builder.hole(i);
        builder.slice(fingerprints, i * Fingerprint.BYTES, lengths[i], 1, 1);
        builder.reserved(i);
      }
    }
    assertEquals(
        "1b2ff933333522b97d7ef8ddd9f0ad270e5a028a2e3b3e7fa3857fecd3e47cf1",
        builder.finish().node().toString());
  }

  @ParameterizedTest
  @EnumSource(BlockCodec.class)
  void theDataBlocks(BlockCodec codec) throws IOException {
    byte[] block =
        switch (codec) {
          case NONE -> sample("block-none.bin");
          case LZ4 -> sample("block-lz4.bin");
          case ZSTD -> sample("block-zstd.bin");
        };
    String plain = codec == BlockCodec.NONE ? "Hello, Onefold" : TEXT;
    int first = codec == BlockCodec.NONE ? 7 : 1000;
    try (BlockReader reader = new BlockReader()) {
      assertEquals(block.length, BlockReader.totalBytes(block, 0, 32));
      reader.parse(block, 0, block.length);
      assertEquals(codec, reader.codec());
      assertEquals(ChunkKind.DATA, reader.kind());
      assertEquals(2, reader.chunkCount());
      assertEquals(first, reader.chunkLengths()[0]);
      assertEquals(plain.length() - first, reader.chunkLengths()[1]);
      assertEquals(
          plain, new String(reader.decompress(), 0, reader.rawBytes(), StandardCharsets.US_ASCII));
    }
  }

  @Test
  void theNodeBlock() throws IOException {
    byte[] block = sample("block-none-node.bin");
    byte[] leaf = sample("node-leaf.bin");
    try (BlockReader reader = new BlockReader();
        BlockBuilder builder = new BlockBuilder(ChunkKind.NODE, BlockCodec.NONE, 0)) {
      reader.parse(block, 0, block.length);
      assertEquals(ChunkKind.NODE, reader.kind());
      assertArrayEquals(leaf, Arrays.copyOf(reader.decompress(), reader.rawBytes()));
      builder.add(leaf, 0, leaf.length);
      int length = builder.encode();
      assertArrayEquals(block, Arrays.copyOf(builder.bytes(), length));
    }
  }
}
