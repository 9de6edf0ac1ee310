package onefold.store.engine;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.StoreFullException;
import onefold.store.catalog.Catalog;
import onefold.store.catalog.CatalogCommand;
import onefold.store.catalog.CatalogReply;
import onefold.store.catalog.CatalogView;
import onefold.store.catalog.QuarantinedChunk;
import onefold.store.housekeeping.Ground;
import onefold.store.scrub.ScrubGround;
import org.jspecify.annotations.Nullable;

/** What domains ask of the engine. Made before it, because recovery opens the domains first. */
final class DomainNames implements Domain.Names {
  /** Roots handed to a visitor at once. */
  private static final int BATCH = 1024;

  private final StoreClock clock;
  private volatile @Nullable Parts parts;

  /** What there is when the engine is ready. */
  private record Parts(
      Committer committer,
      Catalog catalog,
      CatalogPages pages,
      long epoch,
      Consumer<String> problem,
      SpaceGuard space,
      Settled settled) {}

  /** Is told that a domain has nothing left on a disk that is drained. */
  @FunctionalInterface
  interface Settled {
    void settled() throws IOException;
  }

  /** Bytes that uploads and readers have moved. */
  private final LongAdder moved = new LongAdder();

  /** For commands that nobody waits for: what is lost with them is found again. */
  private static final Committer.Listener UNHEARD =
      new Committer.Listener() {
        @Override
        public void replied(CatalogReply reply) {}

        @Override
        public void failed(Throwable failure) {}
      };

  /** The catalog's pages as they were before the last fold, for views that are still read. */
  private volatile @Nullable CatalogView previous;

  /** Views that a mark is walking, which may take longer than two folds. */
  private final Set<CatalogView> walked = ConcurrentHashMap.newKeySet();

  /**
   * Damage that was found before the engine was ready; no more than the catalog's pages that are
   * read until then.
   */
  private final Set<Early> early = ConcurrentHashMap.newKeySet();

  private record Early(Domain domain, QuarantinedChunk chunk) {}

  DomainNames(StoreClock clock) {
    this.clock = clock;
  }

  void ready(
      Committer committer,
      Catalog catalog,
      CatalogPages pages,
      long epoch,
      Consumer<String> problem,
      SpaceGuard space,
      Settled settled) {
    parts = new Parts(committer, catalog, pages, epoch, problem, space, settled);
    tellEarly();
  }

  private void tellEarly() {
    for (Early each : List.copyOf(early)) {
      if (early.remove(each)) {
        damaged(each.domain(), each.chunk());
      }
    }
  }

  /** Says that the catalog has been put on other pages; the committer's task only. */
  void folded(CatalogView before) {
    previous = before;
    parts().pages().named();
  }

  private Parts parts() {
    Parts ready = parts;
    if (ready == null) {
      throw new IllegalStateException("the store is being recovered");
    }
    return ready;
  }

  private CatalogCommand.Stamp stamp() {
    return new CatalogCommand.Stamp(CatalogCommand.NO_ID, clock.millis(), parts().epoch());
  }

  @Override
  public void damaged(Domain domain, QuarantinedChunk chunk) {
    if (parts == null) {
      early.add(new Early(domain, chunk));
      if (parts != null) { // Since the question.
        tellEarly();
      }
      return;
    }
    submit(
        null,
        new CatalogCommand.QuarantineChunk(
            stamp(),
            domain.id(),
            chunk.kind(),
            chunk.fingerprint(),
            chunk.lengthBytes(),
            chunk.containerNumber(),
            chunk.slot()));
  }

  @Override
  public void healed(Domain domain, ChunkKind kind, Fingerprint fingerprint) {
    // With the domain: the sound copy must not be lost behind this.
    submit(domain, new CatalogCommand.ReleaseChunk(stamp(), domain.id(), kind, fingerprint));
  }

  private void submit(@Nullable Domain appendedTo, CatalogCommand command) {
    try {
      parts().committer().submit(appendedTo, command, UNHEARD);
    } catch (IOException e) {
      // The store is closing or broken. What is damaged is found again by the next read.
      UNHEARD.failed(e);
    }
  }

  @Override
  public void commitAppended(Domain domain) throws IOException {
    parts()
        .committer()
        .submit(domain, new CatalogCommand.AdvanceStoreTime(stamp()))
        .await()
        .orThrow();
  }

  @Override
  public void visitRoots(Domain domain, Ground.RootVisitor visitor) throws IOException {
    Roots roots = new Roots(visitor);
    if (domain.id().equals(CatalogCommand.NO_ID)) {
      visitor.sessionRoots(parts().pages().unnamed());
      CatalogView before = previous;
      CatalogView now = parts().catalog().view();
      if (before != null) {
        before.visitPages(roots::addPage);
      }
      now.visitPages(roots::addPage);
      for (CatalogView view : walked) {
        view.visitPages(roots::addPage);
      }
    } else {
      visitObjects(domain.id(), roots);
    }
    roots.flush();
  }

  /** Walks all objects of a domain through one view, whose pages stay until the walk is over. */
  private void visitObjects(Id domainId, Roots roots) throws IOException {
    boolean done = false;
    while (!done) {
      CatalogView view = parts().catalog().view();
      walked.add(view);
      try {
        // A cycle that did not see the view in the list saw its pages as the catalog's own, unless
        // the catalog has been folded since they were looked up: then another view is taken.
        if (view.rootPage().equals(parts().catalog().view().rootPage())) {
          view.visitObjects(domainId, (storeId, name, root) -> roots.add(root.node()));
          done = true;
        }
      } finally {
        walked.remove(view);
      }
    }
  }

  /** Gathers roots into batches. */
  private static final class Roots {
    private final Ground.RootVisitor visitor;
    private final FingerprintBatch batch = new FingerprintBatch(ChunkKind.NODE, BATCH);
    private @Nullable IOException failure;

    Roots(Ground.RootVisitor visitor) {
      this.visitor = visitor;
    }

    void add(Fingerprint node) throws IOException {
      batch.add(node, 0);
      if (batch.count() == BATCH) {
        flush();
      }
    }

    /** As {@link #add}; the failure is thrown by {@link #flush}. */
    void addPage(Fingerprint page) {
      try {
        add(page);
      } catch (IOException e) {
        failure = e;
      }
    }

    void flush() throws IOException {
      if (failure != null) {
        throw failure;
      }
      visitor.namedRoots(batch);
      batch.clear();
    }
  }

  @Override
  public void gone(Domain domain, List<Long> containerNumbers) throws IOException {
    for (int at = 0; at < containerNumbers.size(); at += CatalogCommand.MAX_CONTAINERS) {
      parts()
          .committer()
          .submit(
              domain,
              new CatalogCommand.ContainersGone(stamp(), domain.id(), part(containerNumbers, at)))
          .await()
          .orThrow();
    }
  }

  @Override
  public void unlinked(Domain domain, List<Long> containerNumbers) throws IOException {
    unlinked(domain.id(), containerNumbers);
  }

  void unlinked(Id domainId, List<Long> containerNumbers) throws IOException {
    for (int at = 0; at < containerNumbers.size(); at += CatalogCommand.MAX_CONTAINERS) {
      parts()
          .committer()
          .submit(
              null,
              new CatalogCommand.ContainersUnlinked(stamp(), domainId, part(containerNumbers, at)))
          .await()
          .orThrow();
    }
  }

  private static long[] part(List<Long> numbers, int from) {
    return numbers
        .subList(from, Math.min(numbers.size(), from + CatalogCommand.MAX_CONTAINERS))
        .stream()
        .mapToLong(Long::longValue)
        .toArray();
  }

  @Override
  public void visitObjects(Domain domain, ScrubGround.ItemVisitor visitor) throws IOException {
    boolean done = false;
    while (!done) {
      CatalogView view = parts().catalog().view();
      walked.add(view);
      try {
        // As above: a view whose pages housekeeping does not know of is not walked.
        if (view.rootPage().equals(parts().catalog().view().rootPage())) {
          view.visitObjects(domain.id(), visitor::object);
          done = true;
        }
      } finally {
        walked.remove(view);
      }
    }
  }

  @Override
  public Optional<ItemRecord> item(Id storeId, String name) throws IOException {
    return parts().catalog().view().item(storeId, name);
  }

  @Override
  public SortedMap<String, byte[]> records(String kind) throws IOException {
    return parts().catalog().view().records(kind);
  }

  @Override
  public void putRecord(String kind, String key, Optional<byte[]> value) throws IOException {
    parts()
        .committer()
        .submit(
            null,
            value.isPresent()
                ? new CatalogCommand.PutRecord(stamp(), kind, key, value.orElseThrow())
                : new CatalogCommand.RemoveRecord(stamp(), kind, key))
        .await()
        .orThrow();
  }

  @Override
  public void problem(String what, IOException why) {
    Parts ready = parts;
    if (ready != null) { // Else it is found again when the store is open.
      ready.problem().accept(what + ": " + why.getMessage());
    }
  }

  @Override
  public long storeTimeMillis() {
    return clock.millis();
  }

  @Override
  public void finished(Domain domain, Ground.FinishedCycle cycle) throws IOException {
    if (domain.id().equals(CatalogCommand.NO_ID)) {
      return; // Nobody is shown the catalog's own.
    }
    try {
      parts()
          .committer()
          .submit(
              null,
              new CatalogCommand.PutRecord(
                  stamp(),
                  HousekeepingRecords.KIND,
                  domain.id().toString(),
                  HousekeepingRecords.encode(cycle)))
          .await()
          .orThrow();
    } catch (StoreFullException e) {
      UNHEARD.failed(e); // The cycle is no less finished; the next one says so too.
    }
  }

  @Override
  public void settled() throws IOException {
    parts().settled().settled();
  }

  @Override
  public void moved(long bytes) {
    moved.add(bytes);
  }

  @Override
  public long movedBytes() {
    return moved.sum();
  }

  @Override
  public boolean isSpaceShort() {
    return parts().space().isShort();
  }

  @Override
  public boolean hasRoom(long bytes) {
    return parts().space().hasRoom(bytes);
  }
}
