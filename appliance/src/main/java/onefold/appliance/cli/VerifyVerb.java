package onefold.appliance.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.CatalystException;
import onefold.catalyst.client.ItemReader;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.StoreInfo;
import onefold.store.CorruptDataException;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.SnapshotRecord;
import onefold.store.StoreRecord;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Reads items back and proves every byte. */
@Command(
    name = "verify",
    description =
        "Read items back, each byte checked against its fingerprint; exit code 1 if one is"
            + " damaged.",
    footer = {
      "",
      "Example:",
      "  ./onefold verify",
      "  ./onefold verify default/monday",
      "  ./onefold verify --data ./onefold-data"
    })
final class VerifyVerb extends ApplianceVerb {
  @Parameters(
      paramLabel = "STORE[/ITEM]",
      arity = "0..1",
      description = "What to read; everything when not said.")
  private Optional<String> what = Optional.empty();

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Read a data directory, without its server.")
  private Optional<Path> data = Optional.empty();

  private final JsonArray outcomes = new JsonArray();
  private int damaged;

  VerifyVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    if (data.isPresent()) {
      try (OfflineStore offline = OfflineStore.read(data.orElseThrow(), terminal())) {
        offline(offline);
      }
    } else {
      try (CatalystClient client = Catalyst.open(context())) {
        online(client);
      }
    }
    int count = outcomes.values().size();
    say(count + " items read, " + damaged + " damaged");
    result(new JsonObject().put("items", outcomes).put("damaged", (long) damaged));
    return damaged == 0 ? Exit.DONE : Exit.FAILED;
  }

  private Optional<String> storeName() {
    return what.map(w -> w.indexOf('/') < 0 ? w : w.substring(0, w.indexOf('/')));
  }

  private Optional<String> itemName() throws Failure {
    return what.isPresent() && what.orElseThrow().indexOf('/') >= 0
        ? Optional.of(ItemReference.parse(what.orElseThrow(), environment().now()).item())
        : Optional.empty();
  }

  private void online(CatalystClient client) throws IOException, Failure {
    List<String> stores = new ArrayList<>();
    if (isSnapshot()) {
      stores.add(storeName().orElseThrow());
    }
    for (StoreInfo store : client.stores()) {
      if (storeName().isEmpty() || storeName().orElseThrow().equals(store.name())) {
        stores.add(store.name());
      }
    }
    if (stores.isEmpty() && storeName().isPresent()) {
      throw Catalyst.noSuchStore(storeName().orElseThrow(), new Throwable("not listed"));
    }
    for (String store : stores) {
      if (itemName().isPresent()) {
        read(client, new ItemReference(store, itemName().orElseThrow()));
      } else {
        for (ItemInfo item : client.items(store, "")) {
          read(client, new ItemReference(store, item.name()));
        }
      }
    }
  }

  /** Whether a snapshot is asked for, which is not listed among the stores. */
  private boolean isSnapshot() {
    return storeName().filter(name -> name.indexOf(SnapshotRecord.MARK) >= 0).isPresent();
  }

  private void read(CatalystClient client, ItemReference item) throws IOException, Failure {
    try (ItemReader reader = GetVerb.open(client, item);
        Progress progress =
            new Progress(
                terminal(),
                !json(),
                item.toString(),
                reader.lengthBytes(),
                environment().nanoTime())) {
      byte[] buffer = new byte[1 << 20];
      long read = 0;
      int n = reader.read(buffer, 0, buffer.length);
      while (n > 0) {
        read += n;
        progress.at(read);
        n = reader.read(buffer, 0, buffer.length);
      }
      progress.clear();
      good(item, read);
    } catch (CatalystException e) {
      if (e.code() != ErrorCode.CORRUPT_DATA) {
        throw e;
      }
      bad(item, String.valueOf(e.getMessage()));
    }
  }

  private void offline(OfflineStore offline) throws IOException, Failure {
    boolean found = false;
    List<StoreRecord> stores = new ArrayList<>(offline.store().stores());
    if (isSnapshot()) {
      offline.store().findStore(storeName().orElseThrow()).ifPresent(stores::add);
    }
    for (StoreRecord store : stores) {
      if (storeName().isEmpty() || storeName().orElseThrow().equals(store.name())) {
        for (ItemRecord record : ListVerb.offlineItems(offline, store, itemName().orElse(""))) {
          if (itemName().isEmpty() || itemName().orElseThrow().equals(record.name())) {
            found = true;
            ItemReference item = new ItemReference(store.name(), record.name());
            try (ObjectReader reader =
                offline.store().openReader(store.domainId(), record.root())) {
              good(item, GetVerb.copy(reader, OutputStream.nullOutputStream()));
            } catch (CorruptDataException e) {
              bad(item, String.valueOf(e.getMessage()));
            }
          }
        }
      }
    }
    if (!found && what.isPresent()) {
      throw Failure.failed(what.orElseThrow() + " does not exist");
    }
  }

  private void good(ItemReference item, long bytes) {
    say("OK " + item + " " + Size.format(bytes));
    outcomes.add(new JsonObject().put("item", item.toString()).put("ok", true).put("bytes", bytes));
  }

  private void bad(ItemReference item, String why) {
    damaged++;
    say("DAMAGED " + item + " " + why);
    outcomes.add(new JsonObject().put("item", item.toString()).put("ok", false).put("damage", why));
  }
}
