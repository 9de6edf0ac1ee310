package onefold.store.engine;

import java.io.IOException;
import java.nio.file.NotDirectoryException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.catalog.Catalog;
import onefold.store.catalog.CatalogCommand;
import onefold.store.catalog.CatalogCommandFormat;
import onefold.store.catalog.CatalogRoot;
import onefold.store.container.ContainerDirectory;
import onefold.store.container.Containers;
import onefold.store.container.DurableEnds;
import onefold.store.device.Device;
import onefold.store.device.DeviceLock;
import onefold.store.device.DevicePaths;
import onefold.store.index.ChunkIndex;
import onefold.store.journal.GroupBarrier;
import onefold.store.journal.Journal;
import onefold.store.journal.JournalPosition;
import onefold.store.journal.JournalVisitor;
import onefold.store.scheduler.Scheduler;
import onefold.store.writeback.Writeback;
import org.jspecify.annotations.Nullable;

/**
 * Makes a data directory anew that no start can open: the superblock, the catalog, the journal and
 * the indexes, from what is left of them and from the containers, which stay where they are.
 *
 * <ol>
 *   <li>Without changing anything: read the pages of the catalog, whichever container holds them,
 *       and choose the newest root of which all pages are there; apply what the journal holds
 *       beyond it, deletions included, as far as it can be read. Where no root is whole, take the
 *       roots of the recipes for items, if that was allowed.
 *   <li>Move the old superblocks, journal, catalog and indexes into a directory of their own.
 *   <li>Write new ones, the superblock last; its being there is what ends the rebuild.
 *   <li>Build the indexes from the containers' directories.
 * </ol>
 *
 * <p>What is interrupted before the superblock is there is put back by the next rebuild, which then
 * begins again; a start refuses the directory until then. One thread.
 */
public final class Rebuild {
  /** Where the old state goes; a number is added if the name is taken. */
  public static final String ASIDE = "before-rebuild";

  private static final String UNFINISHED = "unfinished";

  /** Stands beside the other marker when everything old has been moved, before anything is made. */
  private static final String MOVED = "moved";

  private static final String INDEX = "index";
  private static final String CATALOG_DIRECTORY = Domain.directory(CatalogCommand.NO_ID);

  private final Device layer;
  private final Device target;
  private final Scheduler scheduler;
  private final EngineSettings settings;
  private final Progress progress;
  private final List<String> losses = new ArrayList<>();

  /** What is read until the end: the old catalog's pages. */
  private final List<NodesOnDisk> opened = new ArrayList<>();

  /** Hears how far the rebuild is. */
  @FunctionalInterface
  public interface Progress {
    /**
     * Takes the state of a step.
     *
     * @param step what is done
     * @param done how much of it
     * @param total out of how much; 0 if that is not known
     */
    void at(String step, long done, long total);
  }

  /**
   * What a rebuild came to.
   *
   * @param version commands that the catalog has seen
   * @param itemCount items that have a name now
   * @param applied commands that were taken from the journal
   * @param named false if no catalog could be read and the items are roots of recipes
   * @param losses what is known to be missing, in words; empty if nothing is
   * @param aside where the old state lies, from the data directory
   */
  public record Report(
      long version,
      long itemCount,
      long applied,
      boolean named,
      List<String> losses,
      String aside) {}

  private Rebuild(
      Device layer,
      Device target,
      Scheduler scheduler,
      EngineSettings settings,
      Progress progress) {
    this.layer = layer;
    this.target = target;
    this.scheduler = scheduler;
    this.settings = settings;
    this.progress = progress;
  }

  /**
   * Rebuilds a directory.
   *
   * @param layer shows the directory; what is written to it must not reach {@code target} and is
   *     thrown away by the caller
   * @param target the directory itself
   * @param nameless whether items may be made of recipes if no catalog can be read: what was
   *     deleted and not yet freed comes back then
   * @throws onefold.store.device.DirectoryInUseException if another process has it open
   * @throws CorruptDataException if no catalog can be read and {@code nameless} is false; nothing
   *     has been changed
   */
  public static Report run(
      Device layer,
      Device target,
      Scheduler scheduler,
      EngineSettings settings,
      boolean nameless,
      Progress progress)
      throws IOException {
    try (DeviceLock _ = target.lock(Recovery.LOCK)) {
      Rebuild rebuild = new Rebuild(layer, target, scheduler, settings, progress);
      try {
        return rebuild.rebuild(nameless);
      } finally {
        for (NodesOnDisk nodes : rebuild.opened) {
          nodes.containers().closeUnsealed();
        }
      }
    }
  }

  /**
   * Puts back what an interrupted rebuild has moved away. To be called, under no lock, before the
   * layer for {@link #run} is made.
   */
  public static void putBack(Device device) throws IOException {
    try (DeviceLock _ = device.lock(Recovery.LOCK)) {
      for (String name : device.list("")) {
        if (name.startsWith(ASIDE) && device.exists(name + "/" + UNFINISHED)) {
          boolean moved = device.exists(name + "/" + MOVED);
          boolean done = moved && isReadable(device);
          if (!done) {
            if (moved) {
              deleteNew(device);
            }
            deleteMarker(device, name, MOVED);
            moveAll(device, name, "");
          }
          deleteMarkers(device, name);
        }
      }
    }
  }

  /** Deletes what a rebuild has written where the old state stood. */
  private static void deleteNew(Device device) throws IOException {
    for (String directory : remade(device)) {
      deleteAll(device, directory);
    }
    for (String name : List.of(Superblocks.FIRST, Superblocks.SECOND)) {
      if (device.exists(name)) {
        device.delete(name);
      }
    }
    device.forceDirectory("");
  }

  private static void deleteAll(Device device, String directory) throws IOException {
    for (String name : device.list(directory)) {
      String path = directory + "/" + name;
      if (isDirectory(device, path)) {
        deleteAll(device, path);
      } else {
        device.delete(path);
      }
    }
    device.forceDirectory(directory);
  }

  /** The directories whose files are made anew. */
  private static List<String> remade(Device device) throws IOException {
    List<String> remade = new ArrayList<>();
    if (device.exists(Recovery.JOURNAL)) {
      remade.add(Recovery.JOURNAL);
    }
    if (device.exists(Domain.DIRECTORY)) {
      for (String domain : device.list(Domain.DIRECTORY)) {
        String directory = Domain.DIRECTORY + "/" + domain;
        String made = directory.equals(CATALOG_DIRECTORY) ? directory : directory + "/" + INDEX;
        if (device.exists(made)) {
          remade.add(made);
        }
      }
    }
    return remade;
  }

  private static void deleteMarkers(Device device, String aside) throws IOException {
    deleteMarker(device, aside, MOVED);
    deleteMarker(device, aside, UNFINISHED);
  }

  private static void deleteMarker(Device device, String aside, String marker) throws IOException {
    if (device.exists(aside + "/" + marker)) {
      device.delete(aside + "/" + marker);
      device.forceDirectory(aside);
    }
  }

  private static boolean isReadable(Device device) throws IOException {
    try {
      new Superblocks(device).read();
      return true;
    } catch (CorruptDataException e) {
      return false;
    }
  }

  private Report rebuild(boolean nameless) throws IOException {
    Old old = readOld();
    Salvage salvage = salvage(old, nameless);
    Catalog catalog = salvage.catalog();
    long items = 0;
    for (var store : catalog.view().stores()) {
      items += catalog.view().statistics(store.id()).map(s -> s.itemCount()).orElse(0L);
    }
    String aside = moveAside();
    write(old, salvage);
    deleteMarkers(target, aside);
    return new Report(
        catalog.view().version(), items, salvage.applied(), salvage.named(), losses, aside);
  }

  // ---- what is left

  /** What could be read of the old state. */
  private static final class Old {
    @Nullable Superblock superblock;
    Id applianceId = CatalogCommand.NO_ID;
    long epoch = 1;
    long storeTimeMillis;
    long nextPosition = 1;

    /** Whether every record from the superblock's position on can be read. */
    boolean journalWhole = true;

    /** Where the journal's last checkpoint stands; -1 if it cannot be read. */
    long checkpoint = -1;

    /** Everything that the journal still has. */
    final List<Kept> records = new ArrayList<>();

    final Set<Id> domains = new TreeSet<>();
  }

  /** A record of the journal; its container bytes only if it is not before the checkpoint. */
  private record Kept(long position, CommitRecord commit) {}

  private record Salvage(Catalog catalog, SalvagedPages pages, long applied, boolean named) {}

  private Old readOld() throws IOException {
    Old old = new Old();
    try {
      Superblock superblock = new Superblocks(layer).read();
      old.superblock = superblock;
      old.applianceId = superblock.applianceId();
      old.epoch = superblock.epoch();
      old.storeTimeMillis = superblock.storeTimeMillis();
    } catch (CorruptDataException e) {
      losses.add("no superblock can be read: " + e.getMessage());
    }
    for (String name :
        layer.exists(Domain.DIRECTORY) ? layer.list(Domain.DIRECTORY) : List.<String>of()) {
      if (name.matches("[0-9a-f]{32}") && !name.equals(CatalogCommand.NO_ID.toString())) {
        old.domains.add(Id.ofHex(name));
      }
    }
    readJournal(old);
    if (old.applianceId.equals(CatalogCommand.NO_ID)) {
      old.applianceId = Id.random(scheduler.random());
    }
    return old;
  }

  private void readJournal(Old old) throws IOException {
    Superblock superblock = old.superblock;
    Optional<Id> owner = Journal.ownerOf(layer, Recovery.JOURNAL);
    if (owner.isPresent() && superblock == null) {
      old.applianceId = owner.get();
    }
    long from = superblock == null ? 1 : superblock.journalPosition();
    try (Journal journal =
        Journal.open(
            layer,
            scheduler,
            Recovery.JOURNAL,
            old.applianceId,
            old.epoch,
            from,
            settings.journal(),
            GroupBarrier.NONE)) {
      Optional<CorruptDataException> damage = journal.damage();
      if (damage.isPresent()) {
        if (superblock != null || owner.isEmpty()) {
          losses.add("the journal is not whole: " + damage.get().getMessage());
        }
        old.journalWhole = false;
        journal.acceptLoss();
      }
      journal.replay(
          from,
          new JournalVisitor() {
            @Override
            public void record(JournalPosition position, int type, byte[] payload)
                throws IOException {
              CommitRecord commit = Recovery.decode(position.position(), type, payload);
              if (commit.checkpoint()) {
                old.checkpoint = position.position();
                old.records.clear();
              }
              old.records.add(new Kept(position.position(), commit));
              old.storeTimeMillis = Math.max(old.storeTimeMillis, commit.storeTimeMillis());
            }

            @Override
            public void lost(long fromPosition, long toPosition, CorruptDataException why) {
              // Told above with a superblock; without, what comes first was given back.
              if (superblock == null && !old.records.isEmpty()) {
                losses.add("the journal is not whole: " + why.getMessage());
              }
            }
          });
      old.nextPosition = journal.nextPosition();
    }
  }

  // ---- the catalog

  private Salvage salvage(Old old, boolean nameless) throws IOException {
    NodesOnDisk catalogNodes = open(layer, CatalogCommand.NO_ID, Long.MAX_VALUE, new Ends(null, 1));
    opened.add(catalogNodes);
    SalvagedPages pages = new SalvagedPages(catalogNodes);
    Superblock superblock = old.superblock;
    if (superblock != null && old.journalWhole) {
      byte[] named = superblock.catalogRoot();
      Optional<Catalog> whole =
          named.length > 0
              ? pages.wholeCatalog(CatalogRoot.of(named, 0), settings.catalogCacheBytes())
              : Optional.of(Catalog.create(pages, settings.catalogCacheBytes()));
      if (whole.isPresent()) {
        return new Salvage(whole.get(), pages, replay(old, whole.get()), true);
      }
      losses.add("the catalog that the superblock names cannot be read: pages are missing");
    }
    for (CatalogRoot root : rootsAmong(pages, Math.max(-1, old.checkpoint - 1))) {
      Optional<Catalog> whole = pages.wholeCatalog(root, settings.catalogCacheBytes());
      if (whole.isPresent()) {
        return new Salvage(whole.get(), pages, replay(old, whole.get()), true);
      }
      losses.add(
          "the catalog as of its change "
              + root.version()
              + " cannot be read: pages are missing;"
              + " what was changed after an older one is as it was then");
    }
    if (!old.records.isEmpty() && old.records.getFirst().position() == 1) {
      // There never was a checkpoint: the journal has everything.
      Catalog empty = Catalog.create(pages, settings.catalogCacheBytes());
      return new Salvage(empty, pages, replay(old, empty), true);
    }
    if (!nameless) {
      throw new CorruptDataException(
          CATALOG_DIRECTORY,
          -1,
          "a root of the catalog with all its pages",
          pages.fingerprints().size() + " pages and none that is a whole root");
    }
    losses.add("no catalog can be read: stores, names, tags, locks, holds and users are lost");
    Catalog made = Catalog.create(pages, settings.catalogCacheBytes());
    old.storeTimeMillis = Math.max(old.storeTimeMillis, scheduler.clock().millis());
    RecipeRoots roots = new RecipeRoots(made, scheduler, old.storeTimeMillis);
    writeAgain(layer, old);
    for (Id domain : old.domains) {
      try (NodesOnDisk nodes = open(layer, domain, Long.MAX_VALUE, new Ends(null, 1))) {
        roots.name(domain, old.domains.size() == 1, nodes, progress);
      }
    }
    return new Salvage(made, pages, 0, false);
  }

  /**
   * The roots that only their pages speak for, the newest first. Which of the journal's records
   * they hold is not known: those before the last checkpoint, for it is made after its pages. If
   * one holds more, these are applied again, and are known by their commands' ids.
   */
  private List<CatalogRoot> rootsAmong(SalvagedPages pages, long position) throws IOException {
    List<CatalogRoot> found = new ArrayList<>();
    long done = 0;
    for (Fingerprint page : pages.fingerprints()) {
      if (done++ % 1000 == 0) {
        progress.at("reading the catalog's pages", done, pages.fingerprints().size());
      }
      Catalog.rootAt(pages, page, position).ifPresent(found::add);
    }
    found.sort(
        Comparator.comparingLong(CatalogRoot::version)
            .thenComparingInt(CatalogRoot::level)
            .reversed());
    return found;
  }

  /** Applies what the journal holds beyond the catalog's root. */
  private static long replay(Old old, Catalog catalog) throws IOException {
    long applied = 0;
    for (Kept record : old.records) {
      if (record.position() > catalog.position()) {
        for (byte[] command : record.commit().commands()) {
          catalog.stage(CatalogCommandFormat.decode(command, 0, command.length));
          applied++;
        }
        catalog.publish(record.position());
      }
    }
    return applied;
  }

  // ---- aside

  /** Moves what is to be made anew away, each file by one rename. */
  private String moveAside() throws IOException {
    String aside = ASIDE;
    for (int i = 2; target.exists(aside); i++) {
      aside = ASIDE + "-" + i;
    }
    target.createDirectories(aside);
    target.create(aside + "/" + UNFINISHED).close();
    target.forceDirectory(aside);
    target.forceDirectory("");
    for (String name : List.of(Superblocks.FIRST, Superblocks.SECOND)) {
      if (target.exists(name)) {
        target.rename(name, aside + "/" + name);
      }
    }
    // Without a superblock no start touches what follows.
    target.forceDirectory(aside);
    target.forceDirectory("");
    for (String directory : remade(target)) {
      moveAll(target, directory, aside + "/" + directory);
    }
    target.create(aside + "/" + MOVED).close();
    target.forceDirectory(aside);
    return aside;
  }

  /** Moves every file below a directory, as far as there is one, and forces the names. */
  private static void moveAll(Device device, String from, String to) throws IOException {
    if (!device.exists(from)) {
      return;
    }
    boolean moved = false;
    for (String name : device.list(from)) {
      String path = from.isEmpty() ? name : from + "/" + name;
      String newPath = to.isEmpty() ? name : to + "/" + name;
      if (name.equals(UNFINISHED) || name.equals(MOVED)) {
        continue;
      }
      if (isDirectory(device, path)) {
        moveAll(device, path, newPath);
      } else {
        if (!moved && !to.isEmpty()) {
          device.createDirectories(to);
          for (String up = to; !up.isEmpty(); up = DevicePaths.parent(up)) {
            device.forceDirectory(DevicePaths.parent(up));
          }
        }
        device.rename(path, newPath);
        moved = true;
      }
    }
    if (moved) {
      device.forceDirectory(to);
      device.forceDirectory(from);
    }
  }

  private static boolean isDirectory(Device device, String path) throws IOException {
    try {
      device.list(path);
      return true;
    } catch (NotDirectoryException e) {
      return false;
    }
  }

  // ---- the new state

  /** Containers that the journal says nothing of count as far as they can be read. */
  private static final class Ends implements DurableEnds {
    private final @Nullable CommittedEnds known;
    private final long leastNumber;

    Ends(@Nullable CommittedEnds known, long leastNumber) {
      this.known = known;
      this.leastNumber = leastNumber;
    }

    @Override
    public long nextContainerNumber() {
      return known == null ? leastNumber : Math.max(leastNumber, known.nextContainerNumber());
    }

    @Override
    public long endBytes(long containerNumber) {
      return known == null ? Long.MAX_VALUE : known.endBytes(containerNumber);
    }
  }

  private void write(Old old, Salvage salvage) throws IOException {
    Recovery committed = writeAgain(target, old);
    List<CommitRecord.DomainPart> parts = new ArrayList<>();
    for (Id domain : old.domains) {
      // The last record names every domain if it is a checkpoint, and each that grew if it is not.
      CommittedEnds ends = old.checkpoint < 0 ? null : committed.endsOf(domain);
      try (NodesOnDisk nodes =
          open(target, domain, old.epoch, new Ends(ends, aboveGone(salvage, domain)))) {
        parts.add(part(domain, nodes.containers()));
        for (CorruptDataException damage : nodes.containers().recoveryDamages()) {
          losses.add(String.valueOf(damage.getMessage()));
        }
        buildIndex(domain, nodes, salvage.catalog());
      }
      giveUpLostChanges(old, domain, salvage.catalog());
    }
    StoreClock clock = new StoreClock(scheduler, old.storeTimeMillis);
    Catalog catalog = salvage.catalog();
    CommittedEnds catalogEnds = new CommittedEnds();
    catalogEnds.take(
        new CommitRecord.DomainPart(
            CatalogCommand.NO_ID,
            Math.max(
                opened.getFirst().containers().nextContainerNumber(),
                aboveGone(salvage, CatalogCommand.NO_ID)),
            List.of()));
    Domain domain =
        Domain.open(
            target,
            scheduler,
            settings,
            CatalogCommand.NO_ID,
            ParameterSet.SET_1,
            old.epoch,
            catalogEnds,
            new DomainNames(clock),
            new EngineMemory(scheduler, settings),
            true);
    boolean done = false;
    try {
      CatalogRoot root = salvage.pages().writeTo(catalog, new CatalogPages(domain, scheduler));
      Domain.Growth growth = domain.growth();
      Domain.force(scheduler, List.of(growth));
      parts.add(growth.part(false));
      long position = startJournal(old, parts, clock);
      new Superblocks(target)
          .write(
              new Superblock(
                  old.superblock == null ? 1 : old.superblock.sequence() + 1,
                  old.applianceId,
                  old.epoch,
                  position,
                  clock.millis(),
                  new CatalogRoot(
                          root.page(), root.level(), position - 1, root.epoch(), root.version())
                      .toBytes(),
                  Superblock.flags(
                      old.superblock == null ? 0 : old.superblock.flags(), catalog.view())));
      growth.committed();
      domain.checkpointIndex();
      done = true;
    } finally {
      if (done) {
        domain.close();
      } else {
        domain.abandon();
      }
    }
  }

  /** Writes the bytes again that only the journal is sure to have, but for the catalog's. */
  private Recovery writeAgain(Device device, Old old) throws IOException {
    Recovery committed = new Recovery(device, scheduler, settings);
    for (Kept record : old.records) {
      committed.readEnds(record.commit());
    }
    for (Kept record : old.records) {
      CommitRecord commit = record.commit();
      committed.writeAgain(
          new CommitRecord(
              commit.checkpoint(),
              commit.storeTimeMillis(),
              commit.domains().stream()
                  .filter(part -> !part.domainId().equals(CatalogCommand.NO_ID))
                  .toList(),
              List.of()));
    }
    committed.forceWrittenAgain();
    return committed;
  }

  private NodesOnDisk open(Device device, Id domain, long epoch, DurableEnds ends)
      throws IOException {
    return NodesOnDisk.open(device, scheduler, settings, domain, epoch, ends, progress);
  }

  /** No number is given again of a container that the catalog says may still be unlinked. */
  private static long aboveGone(Salvage salvage, Id domain) throws IOException {
    long above = 1;
    for (long gone : salvage.catalog().view().goneContainers(domain)) {
      above = Math.max(above, gone + 1);
    }
    return above;
  }

  private static CommitRecord.DomainPart part(Id domain, Containers containers) {
    List<CommitRecord.ContainerEnd> ends = new ArrayList<>();
    for (ChunkKind kind : ChunkKind.values()) {
      for (Map.Entry<Long, Long> end : containers.unsealedEnds(kind).entrySet()) {
        ends.add(new CommitRecord.ContainerEnd(end.getKey(), kind, end.getValue(), new byte[0]));
      }
    }
    return new CommitRecord.DomainPart(domain, containers.nextContainerNumber(), ends);
  }

  /** Lets the changes of files in shares begin where they can be read. */
  private void giveUpLostChanges(Old old, Id domain, Catalog catalog) throws IOException {
    Optional<byte[]> kept = catalog.view().record(WritebackGround.KIND, domain.toString());
    Writeback.acceptLoss(
            target,
            scheduler,
            WritebackGround.directory(domain),
            domain,
            old.epoch,
            WritebackGround.keptFrom(domain, kept),
            settings.writeback())
        .ifPresent(lost -> losses.add("the last changes of files in shares: " + lost.getMessage()));
  }

  /** Begins a journal beyond every position that the old one can have given. */
  private long startJournal(Old old, List<CommitRecord.DomainPart> parts, StoreClock clock)
      throws IOException {
    try (Journal journal =
        Journal.open(
            target,
            scheduler,
            Recovery.JOURNAL,
            old.applianceId,
            old.epoch,
            Math.max(2, old.nextPosition),
            settings.journal(),
            GroupBarrier.NONE)) {
      journal.acceptLoss();
      byte[] record =
          CommitRecordFormat.encode(new CommitRecord(true, clock.millis(), parts, List.of()));
      return journal.append(CommitRecordFormat.JOURNAL_TYPE, record).await().position();
    }
  }

  // ---- indexes

  /**
   * Builds an index. A node that nothing refers to is left out: what lies below it may have been
   * freed, and whoever finds a node takes all below it for present.
   */
  private void buildIndex(Id domain, NodesOnDisk nodes, Catalog catalog) throws IOException {
    Set<Fingerprint> reached = new HashSet<>();
    catalog
        .view()
        .visitObjects(
            domain, (store, name, root) -> RecipeRoots.addReachable(nodes, root, reached));
    Containers containers = nodes.containers();
    try (ChunkIndex index =
        ChunkIndex.open(
            target,
            scheduler,
            Domain.directory(domain) + "/" + INDEX,
            settings.index(),
            what -> {})) {
      List<Long> numbers = new ArrayList<>();
      for (ChunkKind kind : ChunkKind.values()) {
        numbers.addAll(containers.numbers(kind));
      }
      long done = 0;
      for (long number : numbers) {
        progress.at("building the index", done++, numbers.size());
        ContainerDirectory directory;
        try {
          directory = containers.directory(number);
        } catch (CorruptDataException e) {
          losses.add(String.valueOf(e.getMessage()));
          continue;
        }
        Domain.publish(
            index,
            directory,
            slot ->
                directory.kind() == ChunkKind.DATA
                    || reached.contains(directory.chunks().fingerprint(slot)));
        if (containers.isSealed(number)) {
          index.sealed(number);
        }
      }
      index.checkpoint();
      index.writeDown();
      progress.at("building the index", done, numbers.size());
    }
  }
}
