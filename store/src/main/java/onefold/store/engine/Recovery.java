package onefold.store.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.catalog.Catalog;
import onefold.store.catalog.CatalogCommand;
import onefold.store.catalog.CatalogCommandFormat;
import onefold.store.catalog.CatalogRoot;
import onefold.store.catalog.CatalogView;
import onefold.store.catalog.QuarantinedChunk;
import onefold.store.container.Containers;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DeviceLock;
import onefold.store.device.SpreadDevice;
import onefold.store.engine.CommitRecord.ContainerEnd;
import onefold.store.engine.CommitRecord.DomainPart;
import onefold.store.journal.GroupBarrier;
import onefold.store.journal.Journal;
import onefold.store.scheduler.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * From whatever a crash has left to a store that goes on, in this order:
 *
 * <ol>
 *   <li>lock the directory; read the superblock, or make one in an empty directory;
 *   <li>open the journal, which cuts its torn tail;
 *   <li>read its records from the superblock's position on: how far each container is committed,
 *       which are gone, and the bytes that it carries itself; write those bytes into the containers
 *       and force them;
 *   <li>open each domain's containers, which cuts what lies behind their committed ends, and its
 *       index, which learns what it had not on disk;
 *   <li>open the catalog at the superblock's root and apply the journal's commands;
 *   <li>delete the files of containers that are gone, and take quarantined chunks out of the index.
 * </ol>
 *
 * <p>Every step may be interrupted and done again: none changes what the steps before it read.
 */
final class Recovery {
  static final String LOCK = "lock";
  static final String JOURNAL = "journal";

  /** Names that other parts of the appliance may have put into an empty directory before. */
  private static final Set<String> FOREIGN_NAMES =
      Set.of(
          "log",
          "keys",
          "mappings",
          "onefold.yaml",
          "context.json",
          "ports.json",
          "appliance",
          "lost+found");

  private static final Set<String> OWN_NAMES =
      Set.of(
          LOCK,
          JOURNAL,
          Domain.DIRECTORY,
          Superblocks.FIRST,
          Superblocks.SECOND,
          Rebuild.ASIDE,
          SpreadDevice.LIST);

  private final Device device;
  private final Scheduler scheduler;
  private final EngineSettings settings;
  private final Map<Id, CommittedEnds> ends = new HashMap<>();
  private final Map<Id, Set<Long>> gone = new HashMap<>();
  private final EngineMemory memory;
  private long storeTimeMillis;
  private final StoreClock clock;
  private final DomainNames names;

  /** What must be closed if a later step fails, the last opened first. */
  private final Deque<Engine.Part> opened = new ArrayDeque<>();

  Recovery(Device device, Scheduler scheduler, EngineSettings settings) {
    this.device = device;
    this.scheduler = scheduler;
    this.settings = settings;
    this.clock = new StoreClock(scheduler, 0);
    this.names = new DomainNames(clock);
    this.memory = new EngineMemory(scheduler, settings);
  }

  static Engine.Recovered recover(Device device, Scheduler scheduler, EngineSettings settings)
      throws IOException {
    Recovery recovery = new Recovery(device, scheduler, settings);
    try {
      return recovery.run();
    } catch (IOException | RuntimeException e) {
      recovery.closeOpened(e);
      throw e;
    }
  }

  private Engine.Recovered run() throws IOException {
    boolean fresh = isFresh();
    DeviceLock lock = device.lock(LOCK);
    opened.push(lock::close);
    if (device.spread().isPresent()) {
      device.spread().get().begin();
    }
    Superblocks superblocks = new Superblocks(device);
    if (fresh) {
      device.forceDirectory("");
      superblocks.write(
          new Superblock(
              1, Id.random(scheduler.random()), 1, 1, scheduler.clock().millis(), new byte[0], 0));
    }
    Superblock superblock = superblocks.read();
    superblocks.writeAgain();
    storeTimeMillis = superblock.storeTimeMillis();
    Journal journal =
        Journal.open(
            device,
            scheduler,
            JOURNAL,
            superblock.applianceId(),
            superblock.epoch(),
            superblock.journalPosition(),
            settings.journal(),
            GroupBarrier.NONE);
    opened.push(journal::close);
    var damage = journal.damage();
    if (damage.isPresent()) {
      throw damage.get();
    }
    journal.replay(
        superblock.journalPosition(),
        (position, type, payload) -> readEnds(decode(position.position(), type, payload)));
    journal.replay(
        superblock.journalPosition(),
        (position, type, payload) -> writeAgain(decode(position.position(), type, payload)));
    forceWrittenAgain();

    Domain catalogDomain = openDomain(CatalogCommand.NO_ID, ParameterSet.SET_1, superblock.epoch());
    CatalogPages pages = new CatalogPages(catalogDomain, scheduler);
    Catalog catalog =
        superblock.catalogRoot().length == 0
            ? Catalog.create(pages, settings.catalogCacheBytes())
            : Catalog.open(
                pages, CatalogRoot.of(superblock.catalogRoot(), 0), settings.catalogCacheBytes());
    journal.replay(
        superblock.journalPosition(),
        (position, type, payload) -> {
          if (position.position() > catalog.position()) {
            for (byte[] command : decode(position.position(), type, payload).commands()) {
              catalog.stage(CatalogCommandFormat.decode(command, 0, command.length));
            }
            catalog.publish(position.position());
          }
        });

    Map<Id, Domain> domains = new HashMap<>();
    CatalogView view = catalog.view();
    Map<Id, List<Long>> unlinked = new HashMap<>();
    deleteGone(catalogDomain, view, unlinked);
    for (DomainRecord record : view.domains()) {
      Domain domain =
          openDomain(record.id(), ParameterSet.of(record.parameterSet()), superblock.epoch());
      deleteGone(domain, view, unlinked);
      domains.put(record.id(), domain);
      for (QuarantinedChunk chunk : view.quarantined(record.id())) {
        domain.keepQuarantined(chunk);
      }
    }
    clock.notBefore(storeTimeMillis);
    return new Engine.Recovered(
        device,
        scheduler,
        settings,
        lock,
        superblocks,
        superblock,
        journal,
        catalogDomain,
        domains,
        catalog,
        pages,
        names,
        memory,
        clock,
        unlinked);
  }

  private static void deleteGone(Domain domain, CatalogView view, Map<Id, List<Long>> unlinked)
      throws IOException {
    long[] numbers = view.goneContainers(domain.id());
    if (numbers.length > 0) {
      domain.deleteGone(numbers);
      unlinked.put(domain.id(), LongStream.of(numbers).boxed().toList());
    }
  }

  /** Whether a data directory is to be made here. */
  private boolean isFresh() throws IOException {
    boolean superblock = false;
    boolean content = false;
    for (String name : device.list("")) {
      if (!OWN_NAMES.contains(name) && !FOREIGN_NAMES.contains(name) && !name.startsWith(".")) {
        if (Superblocks.present(device)) {
          continue;
        }
        throw new RefusedException(
            Reason.CONFLICT,
            "the directory holds '"
                + name
                + "' and no superblock: it is not empty and no data directory of Onefold;"
                + " name an empty one");
      }
      superblock |= name.equals(Superblocks.FIRST) || name.equals(Superblocks.SECOND);
      content |=
          name.equals(JOURNAL) || name.equals(Domain.DIRECTORY) || name.equals(SpreadDevice.LIST);
    }
    if (!superblock && content) {
      throw new CorruptDataException(
          Superblocks.FIRST,
          0,
          "a superblock",
          "neither " + Superblocks.FIRST + " nor " + Superblocks.SECOND + ", though there is data");
    }
    // Nothing but a superblock is written before the first superblock is whole, so one that is not,
    // with nothing beside it, is a creation that was interrupted.
    return !superblock || (!content && !isReadable());
  }

  private boolean isReadable() throws IOException {
    try {
      new Superblocks(device).read();
      return true;
    } catch (CorruptDataException e) {
      return false;
    }
  }

  private Domain openDomain(Id id, ParameterSet set, long epoch) throws IOException {
    Domain domain =
        Domain.open(
            device,
            scheduler,
            settings,
            id,
            set,
            epoch,
            ends.getOrDefault(id, new CommittedEnds()),
            names,
            memory,
            id.equals(CatalogCommand.NO_ID));
    opened.push(domain::abandon);
    return domain;
  }

  static CommitRecord decode(long position, int type, byte[] payload) throws CorruptDataException {
    String where = "journal record " + position;
    if (type != CommitRecordFormat.JOURNAL_TYPE) {
      throw new CorruptDataException(
          where, -1, "type " + CommitRecordFormat.JOURNAL_TYPE, "type " + type);
    }
    return CommitRecordFormat.decode(where, payload);
  }

  /** Takes how far a commit reaches; those of all commits, before any is written again. */
  void readEnds(CommitRecord commit) throws IOException {
    storeTimeMillis = Math.max(storeTimeMillis, commit.storeTimeMillis());
    for (DomainPart part : commit.domains()) {
      ends.computeIfAbsent(part.domainId(), id -> new CommittedEnds()).take(part);
    }
    for (byte[] command : commit.commands()) {
      if (CatalogCommandFormat.decode(command, 0, command.length)
          instanceof CatalogCommand.ContainersGone(var stamp, Id domainId, long[] numbers)) {
        Set<Long> ofDomain = gone.computeIfAbsent(domainId, id -> new HashSet<>());
        for (long number : numbers) {
          ofDomain.add(number);
        }
      }
    }
  }

  /** How far a domain is committed, as far as the commits read say. */
  @Nullable CommittedEnds endsOf(Id domain) {
    return ends.get(domain);
  }

  private final Set<String> writtenAgain = new HashSet<>();

  /** Writes bytes that only the journal is sure to have. */
  void writeAgain(CommitRecord commit) throws IOException {
    for (DomainPart part : commit.domains()) {
      for (ContainerEnd end : part.ends()) {
        if (end.redo().length == 0
            || gone.getOrDefault(part.domainId(), Set.of()).contains(end.containerNumber())) {
          continue;
        }
        String path =
            Containers.path(Domain.directory(part.domainId()), end.kind(), end.containerNumber());
        String directory = path.substring(0, path.lastIndexOf('/'));
        device.createDirectories(directory);
        boolean exists = device.exists(path);
        try (DeviceFile file = exists ? device.open(path, true) : device.create(path)) {
          file.write(end.endBytes() - end.redo().length, ByteBuffer.wrap(end.redo()));
        }
        writtenAgain.add(path);
      }
    }
  }

  void forceWrittenAgain() throws IOException {
    Set<String> directories = new HashSet<>();
    for (String path : writtenAgain) {
      try (DeviceFile file = device.open(path, true)) {
        file.force();
      }
      for (String up = path; up.contains("/"); ) {
        up = up.substring(0, up.lastIndexOf('/'));
        directories.add(up);
      }
    }
    for (String directory : directories) {
      device.forceDirectory(directory);
    }
    if (!directories.isEmpty()) {
      device.forceDirectory("");
    }
  }

  private void closeOpened(Exception reason) {
    for (Engine.Part part : opened) {
      try {
        part.close();
      } catch (IOException | RuntimeException e) {
        if (!e.equals(
            reason)) { // A device whose force has failed throws the same one at every call.
          reason.addSuppressed(e);
        }
      }
    }
  }
}
