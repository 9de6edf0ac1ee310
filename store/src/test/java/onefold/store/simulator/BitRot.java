package onefold.store.simulator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.CorruptDataException;
import onefold.store.DomainRecord;
import onefold.store.ItemListing;
import onefold.store.ItemPage;
import onefold.store.ItemQuery;
import onefold.store.ItemRecord;
import onefold.store.LostNames;
import onefold.store.ObjectReader;
import onefold.store.StoreRecord;
import onefold.store.container.ContainerSettings;
import onefold.store.engine.EngineSettings;
import onefold.store.simulation.DeviceCall;
import onefold.store.simulation.Faults;
import onefold.store.simulation.Simulation;
import org.jspecify.annotations.Nullable;

/**
 * Damage at rest, one at a time: a data directory that a seed has filled is damaged in one place
 * and opened, and everything in it is asked for.
 *
 * <p>Nothing but these may come of it: all is as it was; or whoever asks for what was damaged is
 * told so with the file. Never another byte, never a name that is silently gone, and what does not
 * stand in the damaged bytes is read whole. Which items those are follows from the reads that each
 * takes while nothing is damaged.
 */
final class BitRot {
  /** What is done to a file. */
  enum Kind {
    FLIPPED_BIT,
    ZEROED_SECTOR,
    ZEROED_PAGE,
    NOISE,
    TRUNCATED,
    MISDIRECTED,
    STALE,
    GONE
  }

  /** Which file it is done to. */
  enum Place {
    SUPERBLOCK,
    JOURNAL,
    DATA,
    NODE,
    INDEX,
    CATALOG,
    CATALOG_INDEX,
    OTHER;

    static Place of(String path) {
      boolean catalog = path.startsWith("domains/" + "0".repeat(32) + "/");
      if (path.startsWith("superblock.")) {
        return SUPERBLOCK;
      } else if (path.startsWith("journal/")) {
        return JOURNAL;
      } else if (path.contains("/index/")) {
        return catalog ? CATALOG_INDEX : INDEX;
      } else if (path.contains("/node/")) {
        return catalog ? CATALOG : NODE;
      }
      return path.contains("/data/") ? DATA : OTHER;
    }
  }

  /** What came of a damage. */
  enum Outcome {
    /** Everything was read and is as it was. */
    HARMLESS,
    /** The store does not open, and says which file is why. */
    TOLD_AT_OPEN,
    /** The store opens and tells whoever asks for what is damaged. */
    TOLD_AT_READ,
    /** As {@link #TOLD_AT_READ}, and the same data sent again has mended it. */
    HEALED
  }

  /**
   * How the name of a container ends that is still written to. A start reads it whole, so that the
   * reads of an item do not tell which of its blocks it needs.
   */
  private static final String OPEN = ".open";

  private static final String SEALED = ".container";
  private static final String SEGMENT = ".journal";

  /** More than the header of a segment takes, and less than it takes with a record. */
  private static final int JOURNAL_HEADER_BYTES = 128;

  private static final int SECTOR_BYTES = 512;
  private static final int PAGE_BYTES = 4096;
  private static final int MAX_HEALING_ROUNDS = 10;

  /** Bytes of a file, from and to. */
  private record Range(String path, long from, long to) {
    boolean meets(Range other) {
      return path.equals(other.path) && from < other.to && other.from < to;
    }
  }

  /** A change of one file, already made. */
  private record Damage(Kind kind, String path, List<Range> ranges) {
    boolean meets(List<Range> reads) {
      return reads.stream().anyMatch(read -> ranges.stream().anyMatch(read::meets));
    }

    @Override
    public String toString() {
      return kind
          + " "
          + path
          + ranges.stream().map(range -> " " + range.from + ".." + range.to).toList();
    }
  }

  private final long seed;
  private final SimulatedProgram.Opener opener;
  private final EngineSettings settings;
  private final World world;
  private final boolean killed;
  private final List<Lane> lanes = new ArrayList<>();
  private final Judge judge;
  private final Map<String, byte[]> older = new TreeMap<>();
  private final Map<Address, List<Range>> readsOf = new HashMap<>();
  private final Map<Outcome, Integer> outcomes = new EnumMap<>(Outcome.class);
  private final Map<String, Integer> details = new TreeMap<>();

  private Simulation simulation;

  /** Fills a directory; half of them are left as a killed process leaves them. */
  BitRot(long seed, SimulatedProgram.Opener opener) throws Exception {
    this.seed = seed;
    this.opener = opener;
    this.settings = ProgramMaker.make(seed).settings();
    this.world = new World(seed, settings);
    this.judge = new Judge(world);
    this.killed = (seed & 1) == 1;
    for (int i = 0; i < Address.LANES; i++) {
      lanes.add(new Lane(world, i, judge));
    }
    simulation = new Simulation(seed);
    fill();
  }

  /** How often each outcome was seen. */
  Map<Outcome, Integer> outcomes() {
    return outcomes;
  }

  /** How often each outcome was seen for each place and kind. */
  Map<String, Integer> details() {
    return details;
  }

  // ---- filling

  private void fill() throws Exception {
    var random = new SplittableRandom(seed ^ 0x726f74);
    life(() -> {
      var first = world.model.store(0);
      first.record = world.store().findStore(Address.storeName(0)).orElseThrow();
      lanes.getFirst().makeStore(1, first.existing().domainId());
      DomainRecord second = world.store().createDomain(world.newId(), "second", 1);
      lanes.getFirst().makeStore(2, second.id());
      for (int i = 0; i < 8; i++) {
        put(random);
      }
      lanes.getFirst().run(new Step.PutRecord(0, 1, 300));
    });
    for (String path : simulation.device().files()) {
      older.put(path, simulation.device().peek(path));
    }
    life(() -> {
      judge.settle();
      for (int i = 0; i < 3; i++) {
        lanes.getFirst().run(new Step.Delete(address(random), false));
        put(random);
      }
      lanes.getFirst().run(new Step.Housekeeping(0));
      lanes.getFirst().run(new Step.Clone(address(random), address(random), mode(), false));
      lanes.getFirst().run(new Step.Update(address(random), 3, random.nextBoolean(), 0));
      for (int i = 0; i < 4; i++) {
        put(random);
      }
      lanes.getFirst().run(new Step.PutRecord(1, 2, 3000));
      lanes.getFirst().run(new Step.PutRecord(2, 3, 30));
    });
    for (int store = 0; store < Address.STORES; store++) {
      for (int lane = 0; lane < Address.LANES; lane++) {
        for (int name = 0; name < Address.NAMES_PER_LANE; name++) {
          var address = new Address(store, lane, name);
          if (world.model.item(address) != null) {
            readsOf.put(address, readsOf(address));
          }
        }
      }
    }
  }

  private void put(SplittableRandom random) throws IOException {
    Plan.Kind kind = oneOf(random, Plan.Kind.values());
    int length = 1 + random.nextInt(1 << random.nextInt(8, 18));
    lanes
        .getFirst()
        .run(
            new Step.Put(
                address(random),
                new Plan(random.nextInt(3), kind, length, random.nextInt(3), random.nextInt(9), 0),
                oneOf(random, Step.Road.values()),
                oneOf(random, Compression.values()),
                mode(),
                random.nextInt(4),
                random.nextLong(),
                false));
  }

  @SafeVarargs
  private static <T> T oneOf(SplittableRandom random, T... choices) {
    return choices[random.nextInt(choices.length)];
  }

  private static CommitMode mode() {
    return CommitMode.REPLACE;
  }

  private static Address address(SplittableRandom random) {
    return new Address(
        Math.max(0, random.nextInt(-2, Address.STORES)), 0, random.nextInt(Address.NAMES_PER_LANE));
  }

  /** What is done while the store is open. */
  @FunctionalInterface
  private interface Body {
    void run() throws IOException;
  }

  /** A start, something, and an end: a clean one, but for the last one of those that are killed. */
  private void life(Body body) throws Exception {
    boolean again = !older.isEmpty();
    if (again) {
      simulation = simulation.afterProcessEnd(seed + 1);
    }
    world.begin(simulation);
    simulation.run(() -> {
      world.opened(opener.open(simulation.device(), simulation.scheduler(), settings));
      body.run();
      if (!killed || !again) {
        world.store().close();
      }
      return true;
    });
  }

  /** Which bytes of containers an item is read from, and its name found by. */
  private List<Range> readsOf(Address address) throws Exception {
    Simulation fresh = simulation.afterProcessEnd(seed + 2);
    var reads = new ArrayList<Range>();
    fresh.run(() -> {
      try (ChunkStore store = opener.open(fresh.device(), fresh.scheduler(), uncached())) {
        fresh
            .device()
            .setFaults(call -> {
              if (call.kind() == DeviceCall.Kind.READ) {
                long from = call.positionBytes();
                reads.add(new Range(call.path(), from, from + call.lengthBytes()));
              }
              return Faults.Outcome.NONE;
            });
        Model.Known known = known(address);
        StoreRecord record = world.model.store(address).existing();
        var _ = store.findItem(record.id(), address.itemName());
        try (ObjectReader reader = store.openReader(record.domainId(), known.item().root())) {
          byte[] content = new byte[known.content().length];
          readFrom(reader, 0, content);
        }
        fresh.device().setFaults(Faults.none());
      }
      return true;
    });
    return reads;
  }

  /**
   * The settings without a cache of blocks and housekeeping beside, so that reads are an item's.
   */
  private EngineSettings uncached() {
    ContainerSettings with = settings.containers();
    return new EngineSettings(
        new ContainerSettings(
            with.containerBytes(), with.lanes(), 0, with.layoutCacheBytes(), with.openFiles()),
        settings.index(),
        settings.journal(),
        settings.catalogCacheBytes(),
        settings.checkpointJournalBytes(),
        settings.reserveBytes(),
        false);
  }

  private Model.Known known(Address address) {
    Model.Known known = world.model.item(address);
    if (known == null) {
      throw new IllegalStateException(address + " is not there");
    }
    return known;
  }

  // ---- damaging

  /** Damages a copy in one place and looks what comes of it. */
  void damage(int number, Set<Place> places) {
    var random = new SplittableRandom(seed * 1_000_003 + number);
    damageAs(
        number,
        damaged -> {
          Damage damage = null;
          while (damage == null) {
            damage = damage(damaged, places, random);
          }
          return damage;
        },
        random);
  }

  /**
   * Cuts the journal of a copy where its last records stand, and looks what comes of it.
   *
   * @param bytes how much of what was written is cut off
   */
  void cutJournal(int bytes) {
    damageAs(
        bytes,
        damaged -> {
          String newest = null;
          int written = 0;
          for (String path : damaged.device().files()) {
            int end =
                Place.of(path) == Place.JOURNAL && path.endsWith(SEGMENT)
                    ? writtenBytes(damaged.device().peek(path))
                    : 0;
            // The newest one may have been made ready and hold its header only.
            if (end > JOURNAL_HEADER_BYTES && (newest == null || path.compareTo(newest) > 0)) {
              newest = path;
              written = end;
            }
          }
          if (newest == null) {
            throw new IllegalStateException("no segment of the journal holds a record");
          }
          int end = Math.max(0, written - bytes);
          damaged.device().truncateAtRest(newest, end);
          return new Damage(
              Kind.TRUNCATED, newest, List.of(new Range(newest, end, Long.MAX_VALUE)));
        },
        new SplittableRandom(seed * 1_000_003 + bytes));
  }

  /** Up to the last byte that is not zero. */
  private static int writtenBytes(byte[] content) {
    int end = content.length;
    while (end > 0 && content[end - 1] == 0) {
      end--;
    }
    return end;
  }

  /** Makes a damage. */
  @FunctionalInterface
  private interface Damaging {
    Damage of(Simulation damaged) throws IOException;
  }

  private void damageAs(int number, Damaging damaging, SplittableRandom random) {
    Damage[] done = new Damage[1];
    try {
      Simulation damaged = simulation.afterProcessEnd(seed + 3);
      Damage damage = damaging.of(damaged);
      done[0] = damage;
      var trial = new Trial(damaged, damage, random);
      Outcome outcome = damaged.run(trial::run);
      outcomes.merge(outcome, 1, Integer::sum);
      details.merge(Place.of(damage.path) + " " + damage.kind + " " + outcome, 1, Integer::sum);
    } catch (Exception | AssertionError e) {
      throw new AssertionError(
          "onefold.seed=%d, damage %d, %s, after a %s: %s"
              .formatted(seed, number, done[0], killed ? "kill" : "clean end", e),
          e);
    }
  }

  /** Answers null if nothing has changed by it. */
  private @Nullable Damage damage(Simulation damaged, Set<Place> wanted, SplittableRandom random)
      throws IOException {
    List<String> files =
        damaged.device().files().stream().filter(path -> wanted.contains(Place.of(path))).toList();
    Map<Place, List<String>> byPlace = new EnumMap<>(Place.class);
    files.forEach(
        path -> byPlace.computeIfAbsent(Place.of(path), p -> new ArrayList<>()).add(path));
    var places = new ArrayList<>(byPlace.values());
    List<String> some = random.nextBoolean() ? files : places.get(random.nextInt(places.size()));
    String path = some.get(random.nextInt(some.size()));
    Kind kind = oneOf(random, Kind.values());
    byte[] before = damaged.device().peek(path);
    if (kind == Kind.GONE) {
      damaged.device().deleteAtRest(path);
      return new Damage(kind, path, List.of(new Range(path, 0, Long.MAX_VALUE)));
    }
    if (before.length == 0) {
      return null;
    }
    int at = random.nextInt(before.length);
    byte[] after = before.clone();
    switch (kind) {
      case FLIPPED_BIT -> after[at] ^= (byte) (1 << random.nextInt(8));
      case ZEROED_SECTOR -> fill(after, at - at % SECTOR_BYTES, new byte[SECTOR_BYTES]);
      case ZEROED_PAGE -> fill(after, at - at % PAGE_BYTES, new byte[PAGE_BYTES]);
      case NOISE -> {
        byte[] noise = new byte[64];
        random.nextBytes(noise);
        fill(after, at, noise);
      }
      case TRUNCATED -> after = Arrays.copyOf(before, at);
      case MISDIRECTED -> {
        int size = random.nextBoolean() ? SECTOR_BYTES : PAGE_BYTES;
        byte[] other =
            random.nextBoolean()
                ? before
                : damaged.device().peek(files.get(random.nextInt(files.size())));
        int from = other.length == 0 ? 0 : random.nextInt(other.length);
        from -= from % size;
        fill(
            after,
            at - at % size,
            Arrays.copyOfRange(other, from, Math.min(other.length, from + size)));
      }
      case STALE -> {
        byte[] old = older.get(path);
        int size = random.nextBoolean() ? SECTOR_BYTES : PAGE_BYTES;
        int from = random.nextInt(4) == 0 ? 0 : at - at % size;
        if (old != null && from < old.length) {
          int to = random.nextInt(4) == 0 ? old.length : Math.min(old.length, from + size);
          fill(after, from, Arrays.copyOfRange(old, from, to));
        }
      }
      case GONE -> throw new IllegalStateException("done above");
    }
    if (Arrays.equals(before, after)) {
      return null;
    }
    damaged.device().truncateAtRest(path, after.length);
    damaged.device().overwriteAtRest(path, 0, after);
    return new Damage(kind, path, changes(path, before, after));
  }

  private static void fill(byte[] target, int at, byte[] bytes) {
    System.arraycopy(bytes, 0, target, at, Math.min(bytes.length, target.length - at));
  }

  /** From the first byte that differs to the last one. */
  private static List<Range> changes(String path, byte[] before, byte[] after) {
    if (after.length < before.length) {
      return List.of(new Range(path, after.length, Long.MAX_VALUE));
    }
    int first = Arrays.mismatch(before, after);
    int last = before.length - 1;
    while (before[last] == after[last]) {
      last--;
    }
    return List.of(new Range(path, first, last + 1L));
  }

  // ---- looking

  /** What one damage does. */
  private final class Trial {
    private final Simulation damaged;
    private final Damage damage;
    private final SplittableRandom random;
    private final Set<Address> failed = new HashSet<>();
    private final Model model = world.model;
    private final Place place;
    private boolean told;
    private boolean fileNamed;

    Trial(Simulation damaged, Damage damage, SplittableRandom random) {
      this.damaged = damaged;
      this.damage = damage;
      this.place = Place.of(damage.path);
      this.random = random;
    }

    Outcome run() throws IOException {
      ChunkStore store;
      try {
        store = open();
      } catch (IOException e) {
        mustBeNamed(e);
        Wrong.unless(
            place != Place.INDEX && place != Place.CATALOG_INDEX && place != Place.OTHER,
            () -> "does not open for what can be made anew: " + e);
        return Outcome.TOLD_AT_OPEN;
      }
      checkAll(store);
      boolean healed = false;
      int next = random.nextInt(4);
      switch (failed.isEmpty() || random.nextInt(3) == 0 ? next : 1) {
        case 0 -> {
          housekeep(store);
          checkAll(store);
        }
        case 1 -> healed = heal(store);
        case 2 -> {
          close(store);
          try {
            store = open();
          } catch (IOException e) {
            mustBeNamed(e);
            return Outcome.TOLD_AT_OPEN;
          }
          checkAll(store);
        }
        default -> {}
      }
      close(store);
      if (told) {
        details.merge(
            "= " + place + (fileNamed ? " names the file" : " names what was in it"),
            1,
            Integer::sum);
      }
      return healed ? Outcome.HEALED : told ? Outcome.TOLD_AT_READ : Outcome.HARMLESS;
    }

    private ChunkStore open() throws IOException {
      return opener.open(damaged.device(), damaged.scheduler(), settings);
    }

    private void close(ChunkStore store) {
      try {
        store.close();
      } catch (IOException e) {
        mustBeNamed(e);
        told = true;
      }
    }

    private void housekeep(ChunkStore store) throws IOException {
      for (DomainRecord domain : domains(store)) {
        try {
          store.runHousekeeping(domain.id());
        } catch (IOException e) {
          mustBeNamed(e);
          told = true;
        }
      }
    }

    private List<DomainRecord> domains(ChunkStore store) {
      try {
        return store.domains();
      } catch (IOException e) {
        mustBeNamed(e);
        told = true;
        return List.of();
      }
    }

    private void mustBeNamed(IOException e) {
      if (!(e instanceof CorruptDataException corrupt)) {
        throw new Wrong("no damage told, but " + e, e);
      }
      Wrong.unless(!corrupt.file().isEmpty(), () -> "no file named: " + e);
      fileNamed |= String.valueOf(e.getMessage()).contains(name(damage.path));
    }

    /** What errors must name: of a container not the generation, which its loss takes along. */
    private static String name(String path) {
      return path.endsWith(OPEN) || path.endsWith(SEALED)
          ? path.substring(0, path.lastIndexOf('-'))
          : path;
    }

    // ---- everything

    private void checkAll(ChunkStore store) throws IOException {
      for (int i = 0; i < Address.STORES; i++) {
        checkStore(store, i);
      }
      for (int lane = 0; lane < Address.LANES; lane++) {
        checkRecords(store, lane);
      }
      for (Address address : readsOf.keySet()) {
        checkItem(store, address);
      }
    }

    private void checkStore(ChunkStore store, int index) {
      Model.StoreState state = model.store(index);
      try {
        StoreRecord found = store.findStore(Address.storeName(index)).orElse(null);
        Wrong.unless(
            state.existing().equals(found), () -> "store " + found + ", not " + state.existing());
        var listed = new ArrayList<ItemRecord>();
        String after = "";
        boolean more = true;
        while (more) {
          ItemPage page = store.listItems(state.existing().id(), "", after, 5);
          listed.addAll(page.items());
          more = page.more();
          after = more ? page.items().getLast().name() : after;
        }
        List<ItemRecord> expected = state.items.values().stream().map(Model.Known::item).toList();
        Wrong.unless(listed.equals(expected), () -> "listed " + listed + ", not " + expected);
      } catch (IOException e) {
        mustBeNamed(e);
        told = true;
      }
      try {
        checkListing(store, state);
      } catch (IOException e) {
        mustBeNamed(e);
        told = true;
      }
    }

    /** Lists by a query, which goes on behind damage: what is not listed stands in what is lost. */
    private void checkListing(ChunkStore store, Model.StoreState state) throws IOException {
      var query = new ItemQuery(ItemQuery.Order.NAME, "", new TreeMap<>());
      var listed = new HashSet<ItemRecord>();
      var lost = new HashSet<LostNames>();
      ItemQuery.Place next = ItemQuery.Place.START;
      while (next != null) {
        ItemListing page = store.listItems(state.existing().id(), query, next, 5);
        listed.addAll(page.items());
        lost.addAll(page.lost());
        next = page.next();
      }
      told |= !lost.isEmpty();
      for (LostNames each : lost) {
        fileNamed |= each.damage().contains(name(damage.path));
      }
      for (Model.Known known : state.items.values()) {
        String name = known.item().name();
        boolean hole =
            lost.stream()
                .anyMatch(each ->
                    each.from().compareTo(name) <= 0
                        && (each.until() == null || name.compareTo(each.until()) < 0));
        Wrong.unless(
            listed.remove(known.item()) || hole,
            () -> known.item() + " is neither listed nor lost, lost are " + lost);
      }
      Wrong.unless(listed.isEmpty(), () -> "listed " + listed + ", which are not there");
    }

    private void checkRecords(ChunkStore store, int lane) {
      try {
        var found = store.records(Lane.recordKind(lane));
        var expected = model.records(lane);
        Wrong.unless(
            found.keySet().equals(expected.keySet()),
            () -> "records " + found.keySet() + ", not " + expected.keySet());
        expected.forEach((key, value) ->
            Wrong.unless(
                Arrays.equals(value, found.get(key)), () -> "record " + key + " is another"));
      } catch (IOException e) {
        mustBeNamed(e);
        told = true;
      }
    }

    private void checkItem(ChunkStore store, Address address) {
      Model.Known known = known(address);
      StoreRecord record = world.model.store(address).existing();
      try {
        Optional<ItemRecord> found = store.findItem(record.id(), address.itemName());
        Wrong.unless(
            found.map(known.item()::equals).orElse(false),
            () -> address + " is " + found + ", not " + known.item());
        try (ObjectReader reader = store.openReader(record.domainId(), known.item().root())) {
          compare(reader, address, known.content());
        }
        failed.remove(address);
      } catch (IOException e) {
        mustBeNamed(e);
        told = true;
        failed.add(address);
        Wrong.unless(
            damage.path.endsWith(OPEN) || damage.meets(readsOf.getOrDefault(address, List.of())),
            () -> address + " has nothing in the damaged place and is not read: " + e);
      }
    }

    /** Reads what can be read, all of it compared; throws the first that cannot. */
    private void compare(ObjectReader reader, Address address, byte[] expected) throws IOException {
      CorruptDataException first = null;
      int at = 0;
      byte[] some = new byte[32 << 10];
      while (at < expected.length) {
        try {
          int from = at;
          int n = reader.read(from, some, 0, Math.min(some.length, expected.length - from));
          int differs = n > 0 ? Arrays.mismatch(some, 0, n, expected, at, at + n) : 0;
          Wrong.unless(
              differs < 0,
              () ->
                  "%s has other bytes: read %d at %d, differs at %d"
                      .formatted(address, n, from, differs));
          at += n;
        } catch (CorruptDataException e) {
          first = first == null ? e : first;
          at += 4 << 10;
        }
      }
      if (first != null) {
        throw first;
      }
    }

    // ---- sending it again

    /** Puts what cannot be read a second time; then that must be right, and the old one mended. */
    private boolean heal(ChunkStore store) throws IOException {
      if (failed.isEmpty()) {
        return false;
      }
      for (Address address : List.copyOf(failed)) {
        Model.Known known = known(address);
        StoreRecord record = world.model.store(address).existing();
        boolean right = false;
        String last = "";
        for (int round = 0; round < MAX_HEALING_ROUNDS && !right; round++) {
          try {
            ItemRecord again = putAgain(store, record, "again " + address, known.content(), round);
            try (ObjectReader reader = store.openReader(record.domainId(), again.root())) {
              compare(reader, address, known.content());
            }
            try (ObjectReader reader = store.openReader(record.domainId(), known.item().root())) {
              compare(reader, address, known.content());
            }
            right = true;
          } catch (IOException e) {
            mustBeNamed(e);
            last = e.toString();
          }
        }
        boolean names = place == Place.CATALOG;
        String why = last;
        Wrong.unless(right || names, () -> address + " sent again stays damaged: " + why);
        if (!right) {
          return false;
        }
      }
      for (Address address : readsOf.keySet()) {
        checkItem(store, address);
      }
      Wrong.unless(
          failed.isEmpty() || place == Place.CATALOG,
          () -> failed + " are not healed with the others");
      return true;
    }

    private ItemRecord putAgain(
        ChunkStore store, StoreRecord record, String name, byte[] content, int round)
        throws IOException {
      try (var writer = store.openWriter(record.id(), name, Optional.empty(), Compression.LZ4)) {
        writer.write(content, 0, content.length);
        return writer.commit(
            new onefold.store.CommitRequest(
                new onefold.store.Id(
                    seed, ((((round + 1L) << 32) | (name.hashCode() & 0xffffffffL)) << 1) | 1),
                CommitMode.REPLACE,
                new TreeMap<>(),
                0));
      }
    }
  }

  private static void readFrom(ObjectReader reader, int from, byte[] target) throws IOException {
    int at = from;
    while (at < target.length) {
      at += reader.read(at, target, at, target.length - at);
    }
  }
}
