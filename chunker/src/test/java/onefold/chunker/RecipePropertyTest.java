package onefold.chunker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class RecipePropertyTest {
  private static final ParameterSet SET = ParameterSet.SET_1;

  /** One entry as a test pushes it: a whole chunk, a slice, a hole or a reserved range. */
  private record Entry(
      EntryType type, Fingerprint fingerprint, int chunkBytes, int skip, long length) {
    static Entry chunk(Fingerprint fingerprint, int bytes) {
      return new Entry(EntryType.CHUNK, fingerprint, bytes, 0, bytes);
    }

    static Entry zeros(EntryType type, long bytes) {
      return new Entry(type, new Fingerprint(0, 0, 0, 0), 0, 0, bytes);
    }

    Entry part(long from, long bytes) {
      if (type == EntryType.HOLE || type == EntryType.RESERVED) {
        return zeros(type, bytes);
      }
      int newSkip = (int) (skip + from);
      return new Entry(
          bytes == chunkBytes ? EntryType.CHUNK : EntryType.SLICE,
          fingerprint,
          chunkBytes,
          newSkip,
          bytes);
    }

    void pushTo(RecipeBuilder builder) throws IOException {
      switch (type) {
        case CHUNK -> builder.chunk(fingerprint.toBytes(), 0, chunkBytes);
        case SLICE -> builder.slice(fingerprint.toBytes(), 0, chunkBytes, skip, (int) length);
        case HOLE -> builder.hole(length);
        case RESERVED -> builder.reserved(length);
        case CHILD -> throw new IllegalStateException();
      }
    }
  }

  /** Keeps nodes in memory and checks each one as it comes. */
  private static final class Nodes implements NodeSink, NodeSource {
    final Map<Fingerprint, byte[]> nodes = new HashMap<>();
    int reads;

    @Override
    public void node(int level, byte[] node, int lengthBytes, byte[] fingerprint) {
      byte[] copy = java.util.Arrays.copyOf(node, lengthBytes);
      assertEquals(
          Fingerprint.of(fingerprint, 0), new Fingerprinter(SET).fingerprint(copy, 0, lengthBytes));
      NodeReader reader = new NodeReader().reset(copy, 0, lengthBytes);
      assertEquals(level, reader.level());
      while (level > 0 && reader.next()) {
        assertTrue(nodes.containsKey(reader.fingerprint()), "a child comes before its parent");
      }
      nodes.put(Fingerprint.of(fingerprint, 0), copy);
    }

    @Override
    public byte[] node(byte[] fingerprints, int offset) throws IOException {
      reads++;
      byte[] node = nodes.get(Fingerprint.of(fingerprints, offset));
      if (node == null) {
        throw new IOException("absent");
      }
      return node;
    }

    List<Entry> entries(ObjectRoot root) throws IOException {
      List<Entry> entries = new ArrayList<>();
      walk(root.node(), root.level(), root.lengthBytes(), entries);
      return entries;
    }

    private void walk(Fingerprint at, int level, long covered, List<Entry> into)
        throws IOException {
      byte[] node = node(at.toBytes(), 0);
      NodeReader reader = new NodeReader().reset(node, 0, node.length);
      assertEquals(level, reader.level());
      assertEquals(covered, reader.coveredBytes());
      while (reader.next()) {
        switch (reader.entryType()) {
          case CHILD -> walk(reader.fingerprint(), level - 1, reader.lengthBytes(), into);
          case CHUNK, SLICE ->
              into.add(
                  new Entry(
                      reader.entryType(),
                      reader.fingerprint(),
                      reader.chunkLengthBytes(),
                      reader.skipBytes(),
                      reader.lengthBytes()));
          case HOLE, RESERVED -> into.add(Entry.zeros(reader.entryType(), reader.lengthBytes()));
        }
      }
    }
  }

  private static ObjectRoot build(Nodes nodes, List<Entry> entries) throws IOException {
    RecipeBuilder builder = new RecipeBuilder(SET, nodes);
    for (Entry entry : entries) {
      entry.pushTo(builder);
    }
    return builder.finish();
  }

  private static List<Entry> randomEntries(SplittableRandom random, int count, int zerosIn100) {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if (random.nextInt(100) < zerosIn100) {
        long bytes =
            random.nextInt(20) == 0 ? random.nextLong(1L << 43) + 1 : random.nextInt(9) + 1;
        entries.add(Entry.zeros(random.nextBoolean() ? EntryType.HOLE : EntryType.RESERVED, bytes));
      } else {
        Entry chunk =
            Entry.chunk(
                new Fingerprint(
                    random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong()),
                random.nextInt(1, SET.maxBytes() + 1));
        if (random.nextInt(100) < zerosIn100 && chunk.length > 1) {
          long take = random.nextLong(1, chunk.length);
          chunk = chunk.part(random.nextLong(chunk.length - take + 1), take);
        }
        entries.add(chunk);
      }
    }
    return entries;
  }

  private static long total(List<Entry> entries) {
    return entries.stream().mapToLong(Entry::length).sum();
  }

  /** The entries of a range, the first and last one cut. */
  private static List<Entry> range(List<Entry> entries, long from, long to) {
    List<Entry> part = new ArrayList<>();
    long position = 0;
    for (Entry entry : entries) {
      long first = Math.max(from, position);
      long last = Math.min(to, position + entry.length);
      if (first < last) {
        part.add(entry.part(first - position, last - first));
      }
      position += entry.length;
    }
    return part;
  }

  @Test
  void anEmptyObjectIsALeafWithoutEntries() throws IOException {
    Nodes nodes = new Nodes();
    ObjectRoot root = build(nodes, List.of());
    assertEquals(0, root.level());
    assertEquals(0, root.lengthBytes());
    assertEquals(RecipeNodeFormat.HEAD_BYTES, nodes.node(root.node().toBytes(), 0).length);
    assertEquals(List.of(), nodes.entries(root));
  }

  @RepeatedTest(10)
  void whatIsPushedIsReadBack() throws IOException {
    SplittableRandom random = Seeds.random();
    List<Entry> entries = randomEntries(random, random.nextInt(1, 20_000), 0);
    Nodes nodes = new Nodes();
    ObjectRoot root = build(nodes, entries);
    assertEquals(entries, nodes.entries(root));
    assertEquals(total(entries), root.lengthBytes());
  }

  @RepeatedTest(12)
  void spliceGivesTheTreeOfItsEntries() throws IOException {
    SplittableRandom random = Seeds.random();
    Nodes nodes = new Nodes();
    int zeros = random.nextInt(3) * 20;
    List<List<Entry>> sources = new ArrayList<>();
    List<ObjectRoot> roots = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      sources.add(randomEntries(random, random.nextInt(1, 30_000), zeros));
      roots.add(build(nodes, sources.get(i)));
    }
    RecipeBuilder spliced = new RecipeBuilder(SET, nodes);
    RecipeBuilder pushed = new RecipeBuilder(SET, new Nodes());
    for (int i = 0; i < 8; i++) {
      int source = random.nextInt(3);
      long length = roots.get(source).lengthBytes();
      long from = random.nextInt(4) == 0 ? 0 : random.nextLong(length);
      long to = random.nextInt(4) == 0 ? length : random.nextLong(from, length + 1);
      spliced.splice(nodes, roots.get(source), from, to - from);
      for (Entry entry : range(sources.get(source), from, to)) {
        entry.pushTo(pushed);
      }
      if (random.nextBoolean()) {
        assertEquals(pushed.peek(), spliced.peek());
      }
    }
    assertEquals(pushed.finish(), spliced.finish());
  }

  @Test
  void spliceOfAWholeObjectIsTheObject() throws IOException {
    SplittableRandom random = Seeds.random();
    Nodes nodes = new Nodes();
    ObjectRoot root = build(nodes, randomEntries(random, 50_000, 5));
    RecipeBuilder copy = new RecipeBuilder(SET, nodes);
    nodes.reads = 0;
    long seam = random.nextLong(root.lengthBytes());
    copy.splice(nodes, root, 0, seam);
    copy.splice(nodes, root, seam, root.lengthBytes() - seam);
    assertEquals(root, copy.finish());
    assertTrue(nodes.reads < 60, "reads " + nodes.reads);
  }

  @RepeatedTest(5)
  void peekLeavesTheTreeAsItWouldBe() throws IOException {
    SplittableRandom random = Seeds.random();
    List<Entry> entries = randomEntries(random, 3_000, random.nextInt(2) * 30);
    Nodes nodes = new Nodes();
    RecipeBuilder peeked = new RecipeBuilder(SET, nodes);
    for (int i = 0; i < entries.size(); i++) {
      if (random.nextInt(50) == 0) {
        assertEquals(build(new Nodes(), entries.subList(0, i)), peeked.peek());
      }
      entries.get(i).pushTo(peeked);
    }
    assertEquals(build(new Nodes(), entries), peeked.finish());
  }

  @Test
  void neighboursMergeHoweverTheyArePushed() throws IOException {
    byte[] chunk = new Fingerprint(1, 2, 3, 4).toBytes();
    RecipeBuilder one = new RecipeBuilder(SET, new Nodes());
    one.hole(RecipeNodeFormat.MAX_HOLE_BYTES * 2 + 30);
    one.chunk(chunk, 0, 5000);
    one.reserved(20);
    RecipeBuilder many = new RecipeBuilder(SET, new Nodes());
    many.hole(10);
    many.peek();
    many.hole(RecipeNodeFormat.MAX_HOLE_BYTES);
    many.hole(0);
    many.hole(RecipeNodeFormat.MAX_HOLE_BYTES + 20);
    many.slice(chunk, 0, 5000, 0, 1);
    many.slice(chunk, 0, 5000, 1, 4000);
    many.peek();
    many.slice(chunk, 0, 5000, 4001, 999);
    many.reserved(1);
    many.reserved(19);
    assertEquals(one.finish(), many.finish());
  }

  @Test
  void aHoleOfThePetabytesCostsFewDistinctNodes() throws IOException {
    Nodes nodes = new Nodes();
    RecipeBuilder builder = new RecipeBuilder(SET, nodes);
    builder.hole(1L << 60);
    ObjectRoot root = builder.finish();
    assertEquals(1L << 60, root.lengthBytes());
    assertTrue(nodes.nodes.size() < 20, "distinct nodes " + nodes.nodes.size());
  }

  @Test
  void anEntryMoreAtTheFrontLeavesMostNodesAlone() throws IOException {
    SplittableRandom random = Seeds.random();
    List<Entry> entries = randomEntries(random, 100_000, 0);
    Nodes nodes = new Nodes();
    build(nodes, entries);
    int before = nodes.nodes.size();
    entries.addFirst(Entry.chunk(new Fingerprint(1, 1, 1, 1), 1));
    build(nodes, entries);
    assertTrue(nodes.nodes.size() - before < 30, "new nodes " + (nodes.nodes.size() - before));
    double mean = 100_000.0 / before;
    assertTrue(mean > 110 && mean < 145, "entries a node " + mean);
  }

  @Test
  void nodesStayBelowTheirLimit() throws IOException {
    // The same child or slice again and again never ends a node before the maximum count.
    Nodes nodes = new Nodes();
    RecipeBuilder builder = new RecipeBuilder(SET, nodes);
    Fingerprint child = new Fingerprint(-1, -1, -1, -1);
    nodes.nodes.put(child, new byte[0]);
    byte[] never = child.toBytes();
    for (int i = 0; i < 600; i++) {
      assertTrue(builder.subtree(0, never, 0, 1L << 52));
    }
    assertFalse(RecipeNodeFormat.endsNode(SET, 500, -1));
    int longest = nodes.nodes.values().stream().mapToInt(node -> node.length).max().orElse(0);
    assertTrue(longest > 512 * 40 && longest < RecipeNodeFormat.MAX_NODE_BYTES, "" + longest);
    assertTrue(
        SET.nodeMaxEntries() * RecipeNodeFormat.MAX_ENTRY_BYTES + RecipeNodeFormat.HEAD_BYTES
            <= RecipeNodeFormat.MAX_NODE_BYTES);
  }

  @Test
  void nonsenseIsRefused() {
    RecipeBuilder builder = new RecipeBuilder(SET, new Nodes());
    byte[] chunk = new byte[32];
    assertThrows(IllegalArgumentException.class, () -> builder.chunk(chunk, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> builder.chunk(chunk, 0, 65537));
    assertThrows(IllegalArgumentException.class, () -> builder.slice(chunk, 0, 100, 1, 100));
    assertThrows(IllegalArgumentException.class, () -> builder.hole(-1));
    assertThrows(
        IllegalArgumentException.class,
        () -> {
          builder.hole(Long.MAX_VALUE >> 20);
          builder.hole(Long.MAX_VALUE);
        });
  }

  @RepeatedTest(2)
  void damagedNodesAreRefusedOrReadWithinTheirBounds() throws IOException {
    SplittableRandom random = Seeds.random();
    Nodes nodes = new Nodes();
    build(nodes, randomEntries(random, 400, 30));
    build(nodes, randomEntries(random, 5_000, 0));
    NodeReader reader = new NodeReader();
    for (byte[] node : nodes.nodes.values()) {
      for (int i = 0; i < 1_000; i++) {
        byte[] damaged = node.clone();
        int length = damaged.length;
        if (random.nextInt(4) == 0) {
          length = random.nextInt(length);
        } else {
          for (int flips = random.nextInt(3); flips >= 0; flips--) {
            int at =
                random.nextBoolean()
                    ? random.nextInt(Math.min(80, length))
                    : random.nextInt(length);
            damaged[at] ^= (byte) (1 << random.nextInt(8));
          }
        }
        try {
          reader.reset(damaged, 0, length);
        } catch (NodeFormatException e) {
          assertFalse(reader.next());
          continue;
        }
        long sum = 0;
        while (reader.next()) {
          sum += reader.lengthBytes();
          assertTrue(reader.lengthBytes() > 0);
          if (reader.chunkLengthBytes() > 0) {
            assertTrue(reader.fingerprintOffset() + 32 <= length);
            assertTrue(reader.skipBytes() + reader.lengthBytes() <= reader.chunkLengthBytes());
          }
        }
        assertEquals(reader.coveredBytes(), sum);
      }
    }
  }
}
