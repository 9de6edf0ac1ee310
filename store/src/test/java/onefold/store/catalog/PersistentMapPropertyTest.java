package onefold.store.catalog;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.RepeatedTest;

class PersistentMapPropertyTest {
  private record Kept(PersistentMap<Integer, Integer> map, TreeMap<Integer, Integer> model) {}

  @RepeatedTest(10)
  void everyVersionStaysAsItWas() {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    PersistentMap<Integer, Integer> map = PersistentMap.empty(Comparator.<Integer>naturalOrder());
    TreeMap<Integer, Integer> model = new TreeMap<>();
    List<Kept> kept = new ArrayList<>();
    boolean ascending = random.nextBoolean();
    for (int i = 0; i < 3000; i++) {
      int key = ascending ? i : random.nextInt(1000);
      if (random.nextInt(3) == 0) {
        int gone = ascending && !model.isEmpty() ? model.firstKey() : key;
        map = map.remove(gone);
        model.remove(gone);
      } else {
        map = map.put(key, i);
        model.put(key, i);
      }
      if (i % 250 == 0) {
        kept.add(new Kept(map, new TreeMap<>(model)));
      }
    }
    kept.add(new Kept(map, model));
    for (Kept version : kept) {
      assertEquals(version.model.size(), version.map.size(), "onefold.seed=" + seed);
      int from = random.nextInt(1200) - 100;
      assertEquals(List.copyOf(version.model.tailMap(from).entrySet()), walked(version.map, from));
      for (int key = 0; key < 1000; key += 17) {
        assertEquals(version.model.get(key), version.map.get(key));
      }
    }
  }

  private static List<Map.Entry<Integer, Integer>> walked(
      PersistentMap<Integer, Integer> map, int from) {
    List<Map.Entry<Integer, Integer>> entries = new ArrayList<>();
    PersistentMap.Walk<Integer, Integer> walk = map.from(from);
    while (walk.next()) {
      entries.add(Map.entry(walk.key(), walk.value()));
    }
    return entries;
  }
}
