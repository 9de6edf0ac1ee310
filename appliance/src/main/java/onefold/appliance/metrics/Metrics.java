package onefold.appliance.metrics;

import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import onefold.store.CapacityStatus;
import onefold.store.ChunkStore;
import onefold.store.DomainRecord;
import onefold.store.DomainStatistics;
import onefold.store.HousekeepingStatus;
import onefold.store.MemoryUse;
import onefold.store.RecompressionStatus;
import onefold.store.ScrubStatus;
import onefold.store.StoreRecord;
import onefold.store.StoreStatistics;
import org.jspecify.annotations.Nullable;

/**
 * The figures, read from the store at each scrape so that those of one scrape fit together. All are
 * gauges: the store counts from its start or since the domain was made, as the name says.
 */
public final class Metrics {
  private final ChunkStore store;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, MultiGauge> gauges = new LinkedHashMap<>(); // guarded by lock
  private @Nullable PrometheusMeterRegistry registry; // guarded by lock

  public Metrics(ChunkStore store) {
    this.store = store;
  }

  /** Returns all figures as Prometheus text. */
  public String scrape() throws IOException {
    Map<String, List<Row<?>>> rows = new LinkedHashMap<>();
    for (DomainRecord domain : store.domains()) {
      Tags tags = Tags.of("domain", domain.name());
      DomainStatistics statistics = store.domainStatistics(domain.id());
      add(rows, "onefold.domain.logical.bytes", tags, statistics.logicalBytes());
      add(rows, "onefold.domain.unique.bytes", tags, statistics.uniqueBytes());
      add(rows, "onefold.domain.node.bytes", tags, statistics.nodeBytes());
      add(rows, "onefold.domain.compressed.bytes", tags, statistics.compressedBytes());
      add(rows, "onefold.domain.physical.bytes", tags, statistics.physicalBytes());
      add(rows, "onefold.domain.chunks", tags, statistics.chunkCount());
      add(rows, "onefold.domain.containers", tags, statistics.containerCount());
      add(rows, "onefold.index.lookups", tags, statistics.lookupCount());
      add(rows, "onefold.index.hits", tags, statistics.hitCount());
      add(rows, "onefold.index.page.reads", tags, statistics.indexPageReadCount());
      HousekeepingStatus housekeeping = store.housekeepingStatus(domain.id());
      add(rows, "onefold.housekeeping.cycles", tags, housekeeping.cycle());
      add(rows, "onefold.housekeeping.backlog.bytes", tags, housekeeping.backlogBytes());
      add(rows, "onefold.housekeeping.reclaimed.bytes", tags, housekeeping.reclaimedBytes());
      add(
          rows,
          "onefold.housekeeping.last.finished.milliseconds",
          tags,
          housekeeping.lastFinishedAtMillis());
      add(rows, "onefold.housekeeping.running", tags, housekeeping.startedAtMillis() == 0 ? 0 : 1);
      add(rows, "onefold.housekeeping.progress.permille", tags, housekeeping.progressPermille());
      add(rows, "onefold.housekeeping.copy.read.bytes", tags, housekeeping.copyReadBytes());
      add(rows, "onefold.housekeeping.copy.freed.bytes", tags, housekeeping.copyFreedBytes());
      add(rows, "onefold.housekeeping.rested.milliseconds", tags, housekeeping.restedMillis());
      add(
          rows,
          "onefold.housekeeping.paused",
          tags,
          housekeeping.phase() == HousekeepingStatus.Phase.PAUSED ? 1 : 0);
      RecompressionStatus recompression = store.recompressionStatus(domain.id());
      add(rows, "onefold.recompression.running", tags, recompression.running() ? 1 : 0);
      add(rows, "onefold.recompression.waiting.bytes", tags, recompression.waitingBytes());
      add(rows, "onefold.recompression.containers", tags, recompression.doneCount());
      add(
          rows,
          "onefold.recompression.saved.bytes",
          tags,
          recompression.beforeBytes() - recompression.afterBytes());
      add(rows, "onefold.housekeeping.stopped", tags, housekeeping.problem().isEmpty() ? 0 : 1);
      addScrub(rows, tags, store.scrubbing(domain.id()).status());
    }
    addScrub(rows, Tags.of("domain", "(catalog)"), store.scrubbing(ChunkStore.CATALOG).status());
    for (StoreRecord found : store.stores()) {
      Tags tags = Tags.of("store", found.name());
      StoreStatistics statistics = store.statistics(found.id());
      add(rows, "onefold.store.items", tags, statistics.itemCount());
      add(rows, "onefold.store.logical.bytes", tags, statistics.logicalBytes());
      add(rows, "onefold.store.unfinished.uploads", tags, statistics.unfinishedCount());
      add(rows, "onefold.store.unfinished.bytes", tags, statistics.unfinishedBytes());
      add(rows, "onefold.store.quota.bytes", tags, found.quotaBytes());
      add(rows, "onefold.store.soft.quota.bytes", tags, found.policy().softQuotaBytes());
      add(rows, "onefold.store.deleted.items", tags, statistics.deletedCount());
      add(rows, "onefold.store.deleted.bytes", tags, statistics.deletedBytes());
    }
    add(rows, "onefold.free.bytes", Tags.empty(), store.freeBytes());
    for (MemoryUse use : store.memory()) {
      add(rows, "onefold.memory.bytes", Tags.of("part", use.part()), use.bytes());
    }
    CapacityStatus capacity = store.capacity();
    add(rows, "onefold.capacity.used.bytes", Tags.empty(), capacity.usedBytes());
    add(rows, "onefold.capacity.usable.bytes", Tags.empty(), capacity.usableBytes());
    add(rows, "onefold.capacity.reserve.bytes", Tags.empty(), capacity.reserveBytes());
    add(rows, "onefold.capacity.over.commit", Tags.empty(), capacity.overCommit());
    add(rows, "onefold.capacity.growth.bytes.per.day", Tags.empty(), capacity.growthBytesPerDay());
    if (capacity.daysUntilFull().isPresent()) {
      add(
          rows,
          "onefold.capacity.days.until.full",
          Tags.empty(),
          capacity.daysUntilFull().getAsLong());
    }
    add(rows, "onefold.healthy", Tags.empty(), store.problem().isEmpty() ? 1 : 0);
    lock.lock();
    try {
      PrometheusMeterRegistry target = registry();
      for (var row : rows.entrySet()) {
        gauges
            .computeIfAbsent(row.getKey(), name -> MultiGauge.builder(name).register(target))
            .register(row.getValue(), true);
      }
      return target.scrape();
    } finally {
      lock.unlock();
    }
  }

  private static void addScrub(Map<String, List<Row<?>>> rows, Tags tags, ScrubStatus scrub) {
    add(rows, "onefold.scrub.passes", tags, scrub.passes());
    add(rows, "onefold.scrub.read.bytes", tags, scrub.readBytes());
    add(rows, "onefold.scrub.left.bytes", tags, scrub.leftBytes());
    add(rows, "onefold.scrub.finishes.milliseconds", tags, scrub.finishesAtMillis());
    add(rows, "onefold.scrub.last.finished.milliseconds", tags, scrub.lastFinishedAtMillis());
    add(rows, "onefold.scrub.damages", tags, scrub.damageCount());
    add(rows, "onefold.scrub.missing.chunks", tags, scrub.quarantinedCount());
    add(rows, "onefold.scrub.repaired", tags, scrub.repairedCount());
    add(rows, "onefold.scrub.without.parity", tags, scrub.withoutParityCount());
    add(rows, "onefold.scrub.stopped", tags, scrub.problem().isEmpty() ? 0 : 1);
  }

  private PrometheusMeterRegistry registry() {
    PrometheusMeterRegistry found = registry;
    if (found == null) {
      found = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
      new JvmMemoryMetrics().bindTo(found);
      new JvmThreadMetrics().bindTo(found);
      new ProcessorMetrics().bindTo(found);
      new UptimeMetrics().bindTo(found);
      registry = found;
    }
    return found;
  }

  private static void add(Map<String, List<Row<?>>> rows, String name, Tags tags, Number value) {
    rows.computeIfAbsent(name, n -> new ArrayList<>()).add(Row.of(tags, value));
  }
}
