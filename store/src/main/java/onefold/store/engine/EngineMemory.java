package onefold.store.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import onefold.store.MemoryUse;
import onefold.store.container.ContainerCaches;
import onefold.store.index.IndexStatistics;
import onefold.store.index.PageCache;
import onefold.store.scheduler.Scheduler;

/**
 * The accountant of an engine's memory. What is kept for speed is kept in caches that all domains
 * share; what the data needs (filters, tables of newest entries, live vectors while a mark runs)
 * grows with it. When the needs pass their part of the whole, the caches give way down to a least
 * size, and what is missing then is told, so that the doors shrink what clients may have under way.
 *
 * <p>Any thread may call it. It is asked to look again when the catalog is folded, when a mark
 * begins and ends, and when somebody wants to see.
 */
final class EngineMemory {
  /** A cache is not made smaller than this; below it every read would be a disk's. */
  static final long LEAST_CACHE_BYTES = 1 << 20;

  /** Part of the whole that what the data needs may take before the caches give way. */
  private static final double NEEDS_PART = 0.45;

  private final ContainerCaches containers;
  private final PageCache indexPages;
  private final long tableBytes;

  /** What the caches may take when nothing presses. */
  record Plan(long wholeBytes, long blockBytes, long layoutBytes, long pageBytes) {
    long cacheBytes() {
      return blockBytes + layoutBytes + pageBytes;
    }
  }

  /** What they may take now. */
  record Bounds(long blockBytes, long layoutBytes, long pageBytes, long missingBytes) {}

  private final Set<Domain> domains = ConcurrentHashMap.newKeySet();
  private volatile Plan plan;
  private volatile Bounds bounds;

  EngineMemory(Scheduler scheduler, EngineSettings settings) {
    plan = plan(0, settings);
    bounds = new Bounds(plan.blockBytes(), plan.layoutBytes(), plan.pageBytes(), 0);
    containers = new ContainerCaches(scheduler, plan.blockBytes(), plan.layoutBytes());
    indexPages = new PageCache(scheduler, plan.pageBytes());
    tableBytes = settings.index().tableBytes();
  }

  static Plan plan(long wholeBytes, EngineSettings settings) {
    return new Plan(
        wholeBytes,
        settings.containers().blockCacheBytes(),
        settings.containers().layoutCacheBytes(),
        settings.index().cacheBytes());
  }

  ContainerCaches containers() {
    return containers;
  }

  PageCache indexPages() {
    return indexPages;
  }

  /** Sets the whole; from now on the caches give way to what the data needs. */
  void setWhole(long wholeBytes) {
    plan = plan(wholeBytes, EngineSettings.ofMemory(wholeBytes));
    rebalance();
  }

  /** Counts what a domain needs from now on. */
  void add(Domain domain) {
    domains.add(domain);
    rebalance();
  }

  /** Counts it no more. */
  void remove(Domain domain) {
    domains.remove(domain);
  }

  /** Bytes that are missing though the caches have given way; 0 if all is well. */
  long missingBytes() {
    return bounds.missingBytes();
  }

  /** What the data of all domains needs now. */
  private record Needs(long filterBytes, long tableBytes, long liveBytes) {
    long bytes() {
      return filterBytes + tableBytes + liveBytes;
    }
  }

  private Needs needs() {
    long filters = 0;
    long tables = 0;
    long live = 0;
    for (Domain each : domains) {
      IndexStatistics index = each.index().statistics();
      filters += index.filterBytes();
      tables += index.tableBytes();
      live += each.housekeeper().liveBytes();
    }
    return new Needs(filters, tables, live);
  }

  /** Looks again what the data needs. */
  void rebalance() {
    if (plan.wholeBytes() > 0) {
      rebalance(needs());
    }
  }

  private void rebalance(Needs needs) {
    Plan now = plan;
    if (now.wholeBytes() == 0) {
      return;
    }
    Bounds next = bounds(now, needs.bytes());
    Bounds before = bounds;
    bounds = next;
    containers.setBounds(next.blockBytes(), next.layoutBytes());
    if (next.pageBytes() != before.pageBytes()) {
      indexPages.setBound(next.pageBytes());
    }
  }

  /** Divides what there is when the data needs so much. */
  static Bounds bounds(Plan plan, long needs) {
    long excess = Math.max(0, needs - (long) (NEEDS_PART * plan.wholeBytes()));
    // In steps, because another bound empties the pages of the index.
    double part = 1 - Math.min(1, Math.ceil(8.0 * excess / plan.cacheBytes()) / 8);
    long blocks = Math.max(LEAST_CACHE_BYTES, (long) (part * plan.blockBytes()));
    long layouts = Math.max(LEAST_CACHE_BYTES, (long) (part * plan.layoutBytes()));
    long pages = Math.max(LEAST_CACHE_BYTES, (long) (part * plan.pageBytes()));
    long given = plan.cacheBytes() - blocks - layouts - pages;
    return new Bounds(blocks, layouts, pages, Math.max(0, excess - Math.max(0, given)));
  }

  /** What each part takes. */
  List<MemoryUse> uses() {
    Needs needs = needs();
    rebalance(needs);
    Bounds now = bounds;
    List<MemoryUse> uses = new ArrayList<>();
    uses.add(new MemoryUse("index filters", needs.filterBytes(), 0));
    uses.add(
        new MemoryUse("index newest entries", needs.tableBytes(), tableBytes * 2 * domains.size()));
    uses.add(new MemoryUse("index pages", indexPages.memoryBytes(), now.pageBytes()));
    uses.add(new MemoryUse("blocks read", containers.blockBytes(), now.blockBytes()));
    uses.add(new MemoryUse("block tables", containers.layoutBytes(), now.layoutBytes()));
    uses.add(new MemoryUse("housekeeping", needs.liveBytes(), 0));
    return uses;
  }
}
