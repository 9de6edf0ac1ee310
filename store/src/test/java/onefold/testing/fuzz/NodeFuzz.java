package onefold.testing.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.NodeFormatException;
import onefold.chunker.NodeReader;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;

/** Recipe nodes, docs/formats/recipe-node.md. They have no checksum: their fingerprint is one. */
public final class NodeFuzz implements FuzzTarget {
  private final NodeReader reader = new NodeReader();

  @Override
  public String name() {
    return "node";
  }

  @Override
  public List<byte[]> samples() throws IOException {
    List<byte[]> samples = new ArrayList<>();
    RecipeBuilder nothing = builder(samples);
    nothing.finish();
    byte[] fingerprint = new byte[Fingerprint.BYTES];
    RecipeBuilder each = builder(samples);
    each.chunk(fingerprint, 0, 8192);
    each.slice(fingerprint, 0, 60_000, 17, 300);
    each.hole(1L << 33);
    each.reserved(4096);
    each.chunk(fingerprint, 0, 15);
    each.finish();
    List<byte[]> tree = new ArrayList<>();
    RecipeBuilder many = builder(tree);
    for (int i = 0; i < 2000; i++) {
      fingerprint[i & 31] += (byte) (i * 31);
      many.chunk(fingerprint, 0, 2048 + i);
    }
    many.finish();
    samples.add(tree.getLast());
    return samples;
  }

  private static RecipeBuilder builder(List<byte[]> nodes) {
    return new RecipeBuilder(
        ParameterSet.SET_1,
        (level, node, lengthBytes, fingerprint) -> nodes.add(Arrays.copyOf(node, lengthBytes)));
  }

  @Override
  public void decode(byte[] input) {
    reader.reset(input, 0, input.length);
    long covered = 0;
    int count = 0;
    while (reader.next()) {
      covered += reader.lengthBytes();
      assertEquals(count++, reader.index());
      boolean names =
          switch (reader.entryType()) {
            case CHILD, CHUNK, SLICE -> true;
            case HOLE, RESERVED -> false;
          };
      if (names) {
        assertEquals(Fingerprint.of(input, reader.fingerprintOffset()), reader.fingerprint());
      }
      if (reader.entryType() == EntryType.SLICE) {
        assertTrue(reader.skipBytes() + reader.lengthBytes() <= reader.chunkLengthBytes());
      }
      assertEquals(reader.level() > 0, reader.entryType() == EntryType.CHILD);
    }
    assertFalse(reader.next());
    assertEquals(reader.entryCount(), count);
    assertEquals(reader.coveredBytes(), covered);
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof NodeFormatException;
  }
}
