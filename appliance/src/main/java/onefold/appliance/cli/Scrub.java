package onefold.appliance.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.function.Consumer;
import onefold.store.CorruptDataException;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.StoreRecord;

/** The deep read of a data directory: recovery, then every byte of every item. */
final class Scrub {
  private Scrub() {}

  /**
   * Reads everything.
   *
   * @param onDamage told of each damage
   * @throws IOException if it could not run
   * @throws Failure if the directory is none or in use
   */
  static void run(Path data, Consumer<CorruptDataException> onDamage) throws IOException, Failure {
    try (OfflineStore offline = OfflineStore.open(data)) {
      for (StoreRecord store : offline.store().stores()) {
        for (ItemRecord item : ListVerb.offlineItems(offline, store, "")) {
          try (ObjectReader reader = offline.store().openReader(store.domainId(), item.root())) {
            GetVerb.copy(reader, OutputStream.nullOutputStream());
          } catch (CorruptDataException e) {
            onDamage.accept(e);
          }
        }
      }
    } catch (CorruptDataException e) {
      onDamage.accept(e);
    }
  }
}
