package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import onefold.appliance.Size;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.ItemReader;
import onefold.store.ItemListing;
import onefold.store.ItemPage;
import onefold.store.ItemQuery;
import onefold.store.ItemRecord;
import onefold.store.LostNames;
import onefold.store.ObjectReader;
import onefold.store.StoreRecord;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists stores, items, or one item. */
@Command(
    name = "ls",
    description =
        "List stores, the items of a store, one item, or a directory of a backed-up tree.",
    footer = {
      "",
      "Example:",
      "  ./onefold ls",
      "  ./onefold ls default",
      "  ./onefold ls default --tag host=mail --sort size --limit 10",
      "  ./onefold ls default --deleted",
      "  ./onefold ls default/monday",
      "  ./onefold ls default/monday etc/ssl"
    })
final class ListVerb extends ApplianceVerb {
  private static final int PAGE = 1000;

  @Parameters(
      index = "0",
      paramLabel = "STORE[/ITEM]",
      arity = "0..1",
      description = "What to list; the stores when not said.")
  private Optional<String> what = Optional.empty();

  @Parameters(
      index = "1",
      paramLabel = "PATH",
      arity = "0..1",
      description = "A path of a tree that 'backup' wrote; / for its own directory.")
  private Optional<String> path = Optional.empty();

  @Option(names = "--prefix", paramLabel = "P", description = "Only items whose name begins so.")
  private String prefix = "";

  @Option(
      names = "--tag",
      paramLabel = "K=V",
      description = "Only items with this tag; may be repeated.")
  private Map<String, String> tags = new LinkedHashMap<>();

  @Option(
      names = "--sort",
      paramLabel = "ORDER",
      description = "name, age (the youngest first) or size (the largest first).")
  private String sort = "name";

  @Option(
      names = "--deleted",
      description = "The items that were deleted or replaced and can be brought back.")
  private boolean deleted;

  @Option(names = "--limit", paramLabel = "N", description = "At most so many items.")
  private Optional<Integer> limit = Optional.empty();

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Look into a data directory, without its server.")
  private Optional<Path> data = Optional.empty();

  /** What could not be read of a listing; two pages may tell the same. */
  private final Set<JsonObject> lost = new LinkedHashSet<>();

  ListVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    if (room() < 1) {
      throw Failure.misused("--limit " + room() + " is less than 1");
    }
    boolean listsItems = what.isPresent() && what.orElseThrow().indexOf('/') < 0;
    if (!listsItems && (!tags.isEmpty() || limit.isPresent() || !sort.equals("name"))) {
      throw Failure.misused("--tag, --sort and --limit list the items of a store: ls STORE …");
    }
    order();
    if (deleted && (!listsItems || data.isPresent() || !tags.isEmpty() || !sort.equals("name"))) {
      throw Failure.misused("--deleted lists those of a store, by name: ls STORE --deleted");
    }
    if (path.isPresent()) {
      tree(ItemReference.parse(what.orElseThrow(), environment().now()), path.orElseThrow());
      return Exit.DONE;
    }
    if (data.isPresent()) {
      offline(data.orElseThrow());
      return lost.isEmpty() ? Exit.DONE : Exit.GAPS;
    }
    try (RestClient rest = rest()) {
      if (what.isEmpty()) {
        JsonObject stores = rest.get("/stores");
        StoreVerb.table(stores.array("stores").objects()).forEach(this::say);
        result(stores);
      } else if (deleted) {
        deletedItems(rest, what.orElseThrow());
      } else if (what.orElseThrow().indexOf('/') < 0) {
        items(rest, what.orElseThrow());
      } else {
        ItemReference item = ItemReference.parse(what.orElseThrow(), environment().now());
        JsonObject found = rest.get(RestClient.itemPath(item));
        show(found);
        result(found);
      }
    }
    return lost.isEmpty() ? Exit.DONE : Exit.GAPS;
  }

  private void tree(ItemReference item, String directory) throws IOException, Failure {
    TreeListing listing;
    if (data.isPresent()) {
      try (OfflineStore offline = OfflineStore.read(data.orElseThrow(), terminal());
          ObjectReader reader = GetVerb.openOffline(offline, item)) {
        listing = TreeListing.of(item, new OfflineTree(reader), directory);
      }
    } else {
      try (CatalystClient client = Catalyst.openBriefly(context());
          ItemReader reader = GetVerb.open(client, item)) {
        listing = TreeListing.of(item, new OnlineTree(reader), directory);
      }
    }
    listing.lines().forEach(this::say);
    result(listing.json());
  }

  private void items(RestClient rest, String store) throws IOException, Failure {
    JsonArray all = new JsonArray();
    Table table = itemTable();
    StringBuilder asked = new StringBuilder("/stores/" + RestClient.encoded(store) + "/items");
    asked.append("?sort=").append(order().name().toLowerCase(Locale.ROOT));
    asked.append("&prefix=").append(RestClient.encoded(prefix));
    tags.forEach(
        (key, value) -> asked.append("&tag=").append(RestClient.encoded(key + "=" + value)));
    int room = room();
    String after = "";
    boolean more = true;
    while (more && room > 0) {
      JsonObject page =
          rest.get(
              asked + "&limit=" + Math.min(PAGE, room) + "&after=" + RestClient.encoded(after));
      for (JsonObject item : page.array("items").objects()) {
        all.add(item);
        row(table, item);
        room--;
      }
      lost.addAll(page.array("lost").objects());
      more = page.bool("more", false);
      after = page.optionalText("next").orElse("");
    }
    tell(table, all, more);
  }

  private void deletedItems(RestClient rest, String store) throws IOException, Failure {
    JsonArray all = new JsonArray();
    Table table = new Table("ITEM", ">VERSION", ">LENGTH", "CREATED", "DELETED", "GONE FROM");
    for (JsonObject item : Deleted.list(rest, store, prefix, room())) {
      all.add(item);
      table.row(
          item.text("name"),
          Long.toString(item.number("version")),
          Size.format(item.number("lengthBytes")),
          Times.show(item.number("createdAt")),
          Times.show(item.number("deletedAt")),
          Times.show(item.number("purgeAt")));
    }
    table.lines().forEach(this::say);
    result(new JsonObject().put("deleted", all));
  }

  private void tell(Table table, JsonArray items, boolean more) {
    table.lines().forEach(this::say);
    if (more) {
      say("… and more, past --limit " + room());
    }
    JsonObject result = new JsonObject().put("items", items).put("more", more);
    if (!lost.isEmpty()) {
      JsonArray told = new JsonArray();
      for (JsonObject names : lost) {
        told.add(names);
        String from = names.text("from");
        say(
            "DAMAGED names from "
                + (from.isEmpty() ? "the first" : "'" + from + "'")
                + names.optionalText("until").map(name -> " up to '" + name + "'").orElse(" on")
                + ": "
                + names.text("damage"));
      }
      result.put("lost", told);
    }
    result(result);
  }

  private ItemQuery.Order order() throws Failure {
    return switch (sort) {
      case "name" -> ItemQuery.Order.NAME;
      case "age" -> ItemQuery.Order.AGE;
      case "size" -> ItemQuery.Order.SIZE;
      default ->
          throw Failure.misused(
              "--sort '" + sort + "' does not exist; there are name, age and size");
    };
  }

  private int room() {
    return limit.orElse(Integer.MAX_VALUE);
  }

  private static Table itemTable() {
    return new Table("ITEM", ">LENGTH", ">NEW", "CREATED", "STATE");
  }

  private static void row(Table table, JsonObject item) {
    table.row(
        item.text("name"),
        Size.format(item.number("lengthBytes")),
        Size.format(item.number("newBytes")),
        Times.show(item.number("createdAt")),
        state(item));
  }

  private static String state(JsonObject item) {
    List<String> state = new ArrayList<>();
    if (item.has("lastProven") && item.object("lastProven").text("state").equals("damaged")) {
      state.add("damaged");
    }
    if (item.number("lockedUntil") > 0) {
      String kind = item.optionalText("lockKind").filter("compliance"::equals).orElse("");
      state.add(
          "locked until "
              + Times.show(item.number("lockedUntil"))
              + (kind.isEmpty() ? "" : " (compliance)"));
    }
    if (item.bool("held", false)) {
      state.add("held");
    }
    return String.join(", ", state);
  }

  /** When it was last read back; what that means is in docs/operations.md. */
  private static String proven(JsonObject proven) {
    return switch (proven.text("state")) {
      case "proven" -> "readable " + Times.show(proven.number("at"));
      case "not-yet" -> "not read back yet";
      case "damaged" -> "DAMAGED: ./onefold scrub --damages";
      default -> "not known: damage is being looked into";
    };
  }

  private void show(JsonObject item) {
    say("item     " + item.text("store") + "/" + item.text("name"));
    say(
        "length   "
            + Size.format(item.number("lengthBytes"))
            + " ("
            + item.number("lengthBytes")
            + " bytes)");
    say("new      " + Size.format(item.number("newBytes")));
    say("created  " + Times.show(item.number("createdAt")));
    String state = state(item);
    if (!state.isEmpty()) {
      say("state    " + state);
    }
    if (item.has("lastProven")) {
      say("proven   " + proven(item.object("lastProven")));
    }
    if (item.has("provenOn") && !item.array("provenOn").texts().isEmpty()) {
      say("also by  mapping " + String.join(", ", item.array("provenOn").texts()));
    }
    JsonObject tags = item.object("tags");
    for (String key : tags.fields().keySet()) {
      say("tag      " + key + "=" + tags.text(key));
    }
    say("version  " + item.text("id") + ", root " + item.text("root"));
  }

  private void offline(Path directory) throws IOException, Failure {
    try (OfflineStore offline = OfflineStore.read(directory, terminal())) {
      if (what.isEmpty()) {
        JsonArray names = new JsonArray();
        for (StoreRecord store : offline.store().stores()) {
          say(store.name());
          names.add(new JsonObject().put("name", store.name()));
        }
        result(new JsonObject().put("stores", names));
        return;
      }
      String asked = what.orElseThrow();
      int slash = asked.indexOf('/');
      String name = slash < 0 ? asked : asked.substring(0, slash);
      StoreRecord store =
          offline
              .store()
              .findStore(name)
              .orElseThrow(() -> Failure.failed("store '" + name + "' does not exist"));
      Table table = itemTable();
      JsonArray all = new JsonArray();
      if (slash >= 0) {
        String item = asked.substring(slash + 1);
        ItemRecord found =
            offline
                .store()
                .findItem(store.id(), item)
                .orElseThrow(() -> Failure.failed(asked + " does not exist"));
        add(all, table, store, found);
        tell(table, all, false);
        return;
      }
      ItemQuery query = new ItemQuery(order(), prefix, new TreeMap<>(tags));
      ItemQuery.Place next = ItemQuery.Place.START;
      while (next != null && all.values().size() < room()) {
        ItemListing page =
            offline
                .store()
                .listItems(store.id(), query, next, Math.min(PAGE, room() - all.values().size()));
        page.items().forEach(item -> add(all, table, store, item));
        page.lost().forEach(names -> lost.add(describe(names)));
        next = page.next();
      }
      tell(table, all, next != null);
    }
  }

  private static void add(JsonArray all, Table table, StoreRecord store, ItemRecord item) {
    JsonObject described = describe(store.name(), item);
    all.add(described);
    row(table, described);
  }

  private static JsonObject describe(String store, ItemRecord item) {
    return new JsonObject()
        .put("store", store)
        .put("name", item.name())
        .put("lengthBytes", item.root().lengthBytes())
        .put("newBytes", item.newBytes())
        .put("createdAt", item.createdAtMillis())
        .put("lockedUntil", item.lockedUntilMillis())
        .put("lockKind", item.lockKind().name().toLowerCase(Locale.ROOT))
        .put("held", item.held());
  }

  private static JsonObject describe(LostNames names) {
    JsonObject described = new JsonObject().put("from", names.from());
    if (names.until() != null) {
      described.put("until", names.until());
    }
    return described.put("damage", names.damage());
  }

  /** Returns all items of a store whose name begins with a prefix. */
  static List<ItemRecord> offlineItems(OfflineStore offline, StoreRecord store, String prefix)
      throws IOException {
    List<ItemRecord> items = new ArrayList<>();
    String after = "";
    boolean more = true;
    while (more) {
      ItemPage page = offline.store().listItems(store.id(), prefix, after, PAGE);
      items.addAll(page.items());
      more = page.more();
      after = items.isEmpty() ? "" : items.getLast().name();
    }
    return items;
  }
}
