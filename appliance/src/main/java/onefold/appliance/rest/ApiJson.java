package onefold.appliance.rest;

import java.util.Locale;
import java.util.Map;
import onefold.appliance.MemoryAccountant;
import onefold.appliance.identity.User;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.store.CapacityStatus;
import onefold.store.Damage;
import onefold.store.DeletedItem;
import onefold.store.DiskRecord;
import onefold.store.Disks;
import onefold.store.DomainRecord;
import onefold.store.DomainStatistics;
import onefold.store.HousekeepingStatus;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.ItemSpace;
import onefold.store.LastProven;
import onefold.store.LockKind;
import onefold.store.MemoryUse;
import onefold.store.RecompressionStatus;
import onefold.store.ScrubStatus;
import onefold.store.ShortenedLock;
import onefold.store.SnapshotRecord;
import onefold.store.StoreRecord;
import onefold.store.StoreStatistics;
import onefold.store.UnfinishedUpload;

/**
 * The records of the store's face as JSON. Times are milliseconds of store time since 1970, sizes
 * are bytes.
 */
final class ApiJson {
  private ApiJson() {}

  static JsonObject disk(DiskRecord disk) {
    return new JsonObject()
        .put("id", disk.id().equals(Disks.MAIN) ? "main" : disk.id().toString())
        .put("role", disk.role().name().toLowerCase(Locale.ROOT))
        .put("path", disk.path())
        .put("takes", disk.takes())
        .put("waits", disk.waits())
        .put("freeBytes", disk.freeBytes())
        .put("files", disk.fileCount())
        .put("fileBytes", disk.fileBytes());
  }

  static JsonObject memory(MemoryAccountant memory) {
    JsonArray parts = new JsonArray();
    for (MemoryUse use : memory.uses()) {
      parts.add(
          new JsonObject()
              .put("part", use.part())
              .put("bytes", use.bytes())
              .put("boundBytes", use.boundBytes()));
    }
    return new JsonObject()
        .put("bytes", memory.totalBytes())
        .put("ceilingBytes", memory.ceilingBytes())
        .put("parts", parts);
  }

  static JsonObject domain(DomainRecord domain, boolean parity, boolean verifiesMatches) {
    return new JsonObject()
        .put("id", domain.id().toString())
        .put("name", domain.name())
        .put("parameterSet", domain.parameterSet())
        .put("parity", parity)
        .put("verifyOnMatch", verifiesMatches);
  }

  static JsonObject scrub(String domain, ScrubStatus status) {
    return new JsonObject()
        .put("domain", domain)
        .put("phase", status.phase().name().toLowerCase(Locale.ROOT))
        .put("passes", status.passes())
        .put("begunAt", status.begunAtMillis())
        .put("finishesAt", status.finishesAtMillis())
        .put("readBytes", status.readBytes())
        .put("leftBytes", status.leftBytes())
        .put("lastBegunAt", status.lastBegunAtMillis())
        .put("lastFinishedAt", status.lastFinishedAtMillis())
        .put("lastReadBytes", status.lastReadBytes())
        .put("bytesPerSecond", status.bytesPerSecond())
        .put("damages", status.damageCount())
        .put("missingChunks", status.quarantinedCount())
        .put("repaired", status.repairedCount())
        .put("parity", status.parity())
        .put("withoutParity", status.withoutParityCount())
        .put("problem", status.problem());
  }

  /**
   * A damage.
   *
   * @param stores names of the stores by their ids
   */
  static JsonObject damage(String domain, Damage damage, Map<Id, String> stores) {
    JsonArray items = new JsonArray();
    for (Damage.Item item : damage.items()) {
      JsonArray ranges = new JsonArray();
      for (Damage.Range range : item.ranges()) {
        ranges.add(
            new JsonObject()
                .put("offset", range.offsetBytes())
                .put("lengthBytes", range.lengthBytes()));
      }
      items.add(
          new JsonObject()
              .put("store", stores.getOrDefault(item.storeId(), item.storeId().toString()))
              .put("name", item.name())
              .put("createdAt", item.createdAtMillis())
              .put("kept", item.kept())
              .put("ranges", ranges));
    }
    return new JsonObject()
        .put("domain", domain)
        .put("container", damage.containerNumber())
        .put("kind", damage.kind().name().toLowerCase(Locale.ROOT))
        .put("file", damage.file())
        .put("offset", damage.offsetBytes())
        .put("what", damage.what())
        .put("foundAt", damage.foundAtMillis())
        .put("missingChunks", damage.chunkCount())
        .put("unknownChunks", damage.chunksUnknown())
        .put("first", damage.first())
        .put("mapped", damage.mapped())
        .put("itemCount", damage.itemCount())
        .put("items", items);
  }

  static JsonObject lastProven(LastProven proven) {
    return new JsonObject()
        .put("state", proven.state().name().toLowerCase(Locale.ROOT).replace('_', '-'))
        .put("at", proven.atMillis());
  }

  static JsonObject store(StoreRecord store, String domain, StoreStatistics statistics) {
    return new JsonObject()
        .put("name", store.name())
        .put("id", store.id().toString())
        .put("domain", domain)
        .put("quotaBytes", store.quotaBytes())
        .put("compression", store.compression().name().toLowerCase(Locale.ROOT))
        .put("lockDays", store.lockDays())
        .put("lockKind", lockKind(store.policy().lockKind()))
        .put("undeleteDays", store.policy().undeleteDays())
        .put("softQuotaBytes", store.policy().softQuotaBytes())
        .put("overSoftQuota", isOverSoftQuota(store, statistics))
        .put("createdAt", store.createdAtMillis())
        .put("items", statistics.itemCount())
        .put("logicalBytes", statistics.logicalBytes())
        .put("unfinishedUploads", statistics.unfinishedCount())
        .put("unfinishedBytes", statistics.unfinishedBytes())
        .put("deletedItems", statistics.deletedCount())
        .put("deletedBytes", statistics.deletedBytes());
  }

  static boolean isOverSoftQuota(StoreRecord store, StoreStatistics statistics) {
    long soft = store.policy().softQuotaBytes();
    return soft > 0 && statistics.logicalBytes() > soft;
  }

  static JsonObject capacity(CapacityStatus capacity) {
    JsonObject described =
        new JsonObject()
            .put("usedBytes", capacity.usedBytes())
            .put("usableBytes", capacity.usableBytes())
            .put("freeBytes", capacity.freeBytes())
            .put("reserveBytes", capacity.reserveBytes())
            .put("quotaBytes", capacity.quotaBytes())
            .put("storesWithoutQuota", capacity.storesWithoutQuota())
            .put("overCommit", Math.round(capacity.overCommit() * 100) / 100.0)
            .put("growthBytesPerDay", capacity.growthBytesPerDay());
    capacity.daysUntilFull().ifPresent(days -> described.put("daysUntilFull", days));
    return described;
  }

  static JsonObject snapshot(SnapshotRecord snapshot) {
    return new JsonObject()
        .put("name", snapshot.name())
        .put("store", SnapshotRecord.storeName(snapshot.store().name()))
        .put("readAs", snapshot.store().name())
        .put("id", snapshot.store().id().toString())
        .put("createdAt", snapshot.store().createdAtMillis())
        .put("lockedUntil", snapshot.lockedUntilMillis())
        .put("lockKind", lockKind(snapshot.lockKind()))
        .put("items", snapshot.itemCount())
        .put("logicalBytes", snapshot.logicalBytes());
  }

  static JsonObject item(String store, ItemRecord item) {
    JsonObject tags = new JsonObject();
    item.tags().forEach(tags::put);
    return new JsonObject()
        .put("store", store)
        .put("name", item.name())
        .put("id", item.id().toString())
        .put("version", item.version())
        .put("lengthBytes", item.root().lengthBytes())
        .put("newBytes", item.newBytes())
        .put("root", item.root().node().toString())
        .put("createdAt", item.createdAtMillis())
        .put("lockedUntil", item.lockedUntilMillis())
        .put("lockKind", lockKind(item.lockKind()))
        .put("held", item.held())
        .put("tags", tags);
  }

  static JsonObject deleted(String store, DeletedItem deleted) {
    return item(store, deleted.item())
        .put("deletedAt", deleted.deletedAtMillis())
        .put("purgeAt", deleted.purgeAtMillis());
  }

  static String lockKind(LockKind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  static JsonObject shortenedLock(ShortenedLock lock) {
    return new JsonObject()
        .put("store", lock.storeName())
        .put("item", lock.itemName())
        .put("itemId", lock.itemId().toString())
        .put("at", lock.atMillis())
        .put("before", lock.beforeMillis())
        .put("after", lock.afterMillis())
        .put("user", lock.by().user())
        .put("reason", lock.by().reason());
  }

  static JsonObject space(ItemSpace space) {
    return new JsonObject()
        .put("asOf", space.asOfMillis())
        .put("exact", space.exact())
        .put("uniqueBytes", space.uniqueBytes())
        .put("freedBytes", space.freedBytes())
        .put("freedAtOnceBytes", space.freedAtOnceBytes())
        .put("freedBy", space.freedByMillis());
  }

  static JsonObject upload(String store, UnfinishedUpload upload) {
    return new JsonObject()
        .put("id", upload.checkpoint().uploadId().toString())
        .put("store", store)
        .put("item", upload.itemName())
        .put("durableBytes", upload.checkpoint().root().lengthBytes())
        .put("createdAt", upload.createdAtMillis());
  }

  static JsonObject statistics(DomainRecord domain, DomainStatistics statistics) {
    return new JsonObject()
        .put("domain", domain.name())
        .put("logicalBytes", statistics.logicalBytes())
        .put("uniqueBytes", statistics.uniqueBytes())
        .put("nodeBytes", statistics.nodeBytes())
        .put("compressedBytes", statistics.compressedBytes())
        .put("physicalBytes", statistics.physicalBytes())
        .put("chunks", statistics.chunkCount())
        .put("containers", statistics.containerCount())
        .put("lookups", statistics.lookupCount())
        .put("hits", statistics.hitCount())
        .put("indexPageReads", statistics.indexPageReadCount());
  }

  static JsonObject housekeeping(DomainRecord domain, HousekeepingStatus status) {
    return new JsonObject()
        .put("domain", domain.name())
        .put("phase", status.phase().name().toLowerCase(Locale.ROOT))
        .put("cycle", status.cycle())
        .put("startedAt", status.startedAtMillis())
        .put("progressPermille", status.progressPermille())
        .put("wanted", status.wanted())
        .put("lastFinishedAt", status.lastFinishedAtMillis())
        .put("liveChunks", status.liveChunkCount())
        .put("backlogBytes", status.backlogBytes())
        .put("reclaimedBytes", status.reclaimedBytes())
        .put("copyReadBytes", status.copyReadBytes())
        .put("copyFreedBytes", status.copyFreedBytes())
        .put("restedMillis", status.restedMillis())
        .put("problem", status.problem());
  }

  static JsonObject recompression(RecompressionStatus status) {
    return new JsonObject()
        .put("on", status.on())
        .put("running", status.running())
        .put("waiting", status.waitingCount())
        .put("waitingBytes", status.waitingBytes())
        .put("done", status.doneCount())
        .put("beforeBytes", status.beforeBytes())
        .put("afterBytes", status.afterBytes())
        .put("kept", status.keptCount())
        .put("problem", status.problem());
  }

  /** A user without anything secret. */
  static JsonObject user(User user) {
    JsonObject stores = new JsonObject();
    user.stores().forEach((store, access) -> stores.put(store, access.label()));
    return new JsonObject()
        .put("name", user.name())
        .put("tenant", user.tenant())
        .put("administrator", user.administrator())
        .put("enabled", user.enabled())
        .put("stores", stores)
        .put("shortensLocks", user.shortensLocks())
        .put("changedAt", user.changedAtMillis());
  }
}
