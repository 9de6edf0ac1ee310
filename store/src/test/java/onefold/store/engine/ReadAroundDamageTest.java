package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.StoreRecord;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** A damaged item comes out but for what is damaged, in data and in the recipe. */
class ReadAroundDamageTest {
  private static final int LENGTH = 6_000_000;

  /** What could not be read. */
  private record Hole(long offsetBytes, long lengthBytes) {}

  @Test
  void everythingButTheDamagedPiecesIsRead() throws Exception {
    long seed = Simulation.seed();
    byte[] content = Walk.content(3, LENGTH);
    for (String kind : List.of("data", "node")) {
      int damaged = 0;
      for (int round = 0; round < 6; round++) {
        damaged += readAround(seed + round, kind, content).size();
      }
      assertTrue(damaged > 0, kind + ": no round met damage, onefold.seed=" + seed);
    }
  }

  private static List<Hole> readAround(long seed, String kind, byte[] content) throws Exception {
    Simulation before = new Simulation(seed);
    before.run(() -> {
      try (Engine engine = Engine.open(before.device(), before.scheduler(), Walk.small(0))) {
        Walk.put(engine, "item", content);
      }
      return true;
    });
    Simulation after = before.afterProcessEnd(seed);
    SplittableRandom random = new SplittableRandom(seed);
    List<String> files = new ArrayList<>();
    for (String file : after.device().files()) {
      if (file.contains("/" + kind + "/") && !file.contains("/" + new Id(0, 0) + "/")) {
        files.add(file);
      }
    }
    String file = files.get(random.nextInt(files.size()));
    List<Hole> holes = new ArrayList<>();
    after.run(() -> {
      long size = after.device().sizeBytes(file);
      after.device().flipBit(file, random.nextLong(64, size * 3 / 4), 3);
      try (Engine engine = Engine.open(after.device(), after.scheduler(), Walk.small(0))) {
        StoreRecord store = Walk.defaultStore(engine);
        ItemRecord item = engine.findItem(store.id(), "item").orElseThrow();
        try (ObjectReader reader = engine.openReader(store.domainId(), item.root())) {
          holes.addAll(compare(reader, content, seed));
        } catch (CorruptDataException e) {
          holes.add(new Hole(0, content.length)); // The root itself.
        }
      }
      return true;
    });
    return holes;
  }

  private static List<Hole> compare(ObjectReader reader, byte[] content, long seed)
      throws IOException {
    List<Hole> holes = new ArrayList<>();
    byte[] buffer = new byte[700_001];
    long position = 0;
    while (position < content.length) {
      int n;
      try {
        n = reader.read(position, buffer, 0, buffer.length);
      } catch (CorruptDataException e) {
        long end = reader.endOfPart(position);
        assertTrue(end > position && end <= content.length, position + " to " + end);
        holes.add(new Hole(position, end - position));
        position = end;
        continue;
      }
      for (int i = 0; i < n; i++) {
        assertEquals(content[(int) position + i], buffer[i], "onefold.seed=" + seed);
      }
      position += n;
    }
    assertEquals(content.length, position);
    long lost = holes.stream().mapToLong(Hole::lengthBytes).sum();
    // A node of the lowest level stands for about a megabyte.
    assertTrue(lost < content.length, lost + " bytes lost, onefold.seed=" + seed);
    return holes;
  }
}
