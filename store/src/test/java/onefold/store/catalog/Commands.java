package onefold.store.catalog;

import java.util.Collections;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.StoreRecord;
import onefold.store.catalog.CatalogCommand.Stamp;

/** Short ways to make commands for tests; every command gets an id of its own. */
final class Commands {
  static final DomainRecord DOMAIN = new DomainRecord(new Id(1, 1), "default", 1);
  static final StoreRecord STORE = store(new Id(2, 1), "default", 0, 0);

  private long next = 1;
  long timeMillis = 1_000_000;

  static StoreRecord store(Id id, String name, long quotaBytes, int lockDays) {
    return new StoreRecord(id, name, DOMAIN.id(), quotaBytes, Compression.LZ4, lockDays, 0);
  }

  static ObjectRoot root(long number, long lengthBytes) {
    return new ObjectRoot(
        new Fingerprint(number * 0x9E3779B97F4A7C15L, number, 3, 4),
        (int) (number & 3),
        lengthBytes);
  }

  static Fingerprint fingerprint(SplittableRandom random) {
    return new Fingerprint(
        random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong());
  }

  Stamp stamp() {
    return new Stamp(new Id(77, next++), timeMillis, 1);
  }

  CatalogCommand createDomain() {
    return new CatalogCommand.CreateDomain(stamp(), DOMAIN);
  }

  CatalogCommand createStore(StoreRecord store) {
    return new CatalogCommand.CreateStore(stamp(), store);
  }

  CatalogCommand commit(String name, long number, long lengthBytes, CommitMode mode) {
    return commit(STORE.id(), name, number, lengthBytes, mode, 0, CatalogCommand.NO_ID);
  }

  CatalogCommand commit(
      Id storeId,
      String name,
      long number,
      long lengthBytes,
      CommitMode mode,
      int lockDays,
      Id uploadId) {
    return new CatalogCommand.CommitItem(
        stamp(),
        storeId,
        name,
        new Id(5, number),
        root(number, lengthBytes),
        mode,
        Collections.emptySortedMap(),
        lockDays,
        lengthBytes / 2,
        uploadId);
  }

  CatalogCommand delete(String name) {
    return new CatalogCommand.DeleteItem(stamp(), STORE.id(), name);
  }

  CatalogCommand checkpoint(Id uploadId, String name, long lengthBytes, long sequence) {
    return new CatalogCommand.CheckpointUpload(
        stamp(), uploadId, STORE.id(), name, root(sequence, lengthBytes), sequence, timeMillis);
  }

  CatalogCommand update(String name, boolean held, long lockedUntilMillis) {
    TreeMap<String, String> tags = new TreeMap<>();
    tags.put("job", "nightly");
    return new CatalogCommand.UpdateItem(stamp(), STORE.id(), name, tags, held, lockedUntilMillis);
  }
}
