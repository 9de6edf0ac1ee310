package onefold.replication;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** Keeps mappings as long as the test runs. */
final class MemoryShelf implements MappingShelf {
  private final Map<String, Kept> all = new ConcurrentSkipListMap<>();

  @Override
  public List<Kept> load() {
    return List.copyOf(all.values());
  }

  @Override
  public void save(Kept kept) {
    all.put(kept.mapping().name(), kept);
  }

  @Override
  public void remove(String name) {
    all.remove(name);
  }
}
