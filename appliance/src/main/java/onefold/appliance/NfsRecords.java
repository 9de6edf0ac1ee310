package onefold.appliance;

import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import onefold.nas.nfs.ClientRecords;
import onefold.store.ChunkStore;
import onefold.store.Id;

/** What the NFS front-end keeps over a restart, as records in the catalog. */
final class NfsRecords implements ClientRecords {
  private static final String KIND = "nfs-client";

  private final ChunkStore store;
  private final RandomGenerator random;

  /** Safe for many threads if the store and the generator are. */
  NfsRecords(ChunkStore store, RandomGenerator random) {
    this.store = store;
    this.random = random;
  }

  @Override
  public Set<String> keys() throws IOException {
    return Set.copyOf(store.records(KIND).keySet());
  }

  @Override
  public void put(String key, Optional<byte[]> value) throws IOException {
    store.putRecord(Id.random(random), KIND, key, value);
  }
}
