package onefold.catalyst.server;

import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import onefold.catalyst.wire.CompressionChoice;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.StoreInfo;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireId;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.StoreRecord;

/**
 * What one user sees of the appliance: checks rights and turns the store's records into those of
 * the wire. Called by the threads of all his streams.
 */
final class Doors {
  private final ChunkStore store;
  private final Authenticator authenticator;
  private final String user;

  Doors(ChunkStore store, Authenticator authenticator, String user) {
    this.store = store;
    this.authenticator = authenticator;
    this.user = user;
  }

  ChunkStore store() {
    return store;
  }

  String user() {
    return user;
  }

  boolean sees(String storeName) throws IOException {
    return authenticator.permits(user, Right.READ, storeName);
  }

  /** Finds a store the user has this right in; one he may not see does not exist for him. */
  StoreRecord open(String storeName, Right right) throws IOException {
    Optional<StoreRecord> found = sees(storeName) ? store.findStore(storeName) : Optional.empty();
    if (found.isEmpty()) {
      throw new WireException(ErrorCode.NOT_FOUND, "there is no store '" + shown(storeName) + "'");
    }
    if (!authenticator.permits(user, right, storeName)) {
      throw new WireException(
          ErrorCode.NOT_PERMITTED,
          "user '"
              + user
              + "' may not "
              + switch (right) {
                case READ -> "read";
                case APPEND -> "write";
                case WRITE -> "replace, delete or change items";
                case RELEASE -> "release held items";
              }
              + " in store '"
              + storeName
              + "'");
    }
    return found.get();
  }

  /** Finds an item; {@code id} other than NONE must be its version's. */
  ItemRecord item(StoreRecord in, String name, WireId id) throws IOException {
    Optional<ItemRecord> found = store.findItem(in.id(), name);
    if (found.isEmpty()) {
      throw new WireException(
          ErrorCode.NOT_FOUND,
          "there is no item '" + shown(name) + "' in store '" + in.name() + "'");
    }
    if (!id.equals(WireId.NONE) && !wire(found.get().id()).equals(id)) {
      throw new WireException(
          ErrorCode.CONFLICT, "item '" + shown(name) + "' was replaced by another version");
    }
    return found.get();
  }

  /** Refuses early what a commit would refuse, so that nothing is sent in vain. */
  void checkTarget(StoreRecord in, String name, boolean replace) throws IOException {
    Optional<ItemRecord> found = store.findItem(in.id(), name);
    if (found.isEmpty()) {
      return;
    }
    ItemRecord item = found.get();
    if (!replace) {
      throw new WireException(
          ErrorCode.EXISTS,
          "item '"
              + shown(name)
              + "' exists in store '"
              + in.name()
              + "', from "
              + Instant.ofEpochMilli(item.createdAtMillis()).truncatedTo(ChronoUnit.SECONDS));
    }
    if (item.held() || item.lockedUntilMillis() > store.storeTimeMillis()) {
      throw new WireException(
          ErrorCode.LOCKED,
          "item '"
              + shown(name)
              + "' is "
              + (item.held()
                  ? "held"
                  : "locked until "
                      + Instant.ofEpochMilli(item.lockedUntilMillis())
                          .truncatedTo(ChronoUnit.SECONDS)));
    }
  }

  /** Returns what whoever has written to a store should know, or nothing. */
  String warning(StoreRecord in) throws IOException {
    long soft = in.policy().softQuotaBytes();
    long logicalBytes = soft == 0 ? 0 : store.statistics(in.id()).logicalBytes();
    return logicalBytes <= soft
        ? ""
        : "store '"
            + in.name()
            + "' holds "
            + logicalBytes
            + " bytes, more than its soft quota of "
            + soft;
  }

  int parameterSet(Id domainId) throws IOException {
    for (DomainRecord domain : store.domains()) {
      if (domain.id().equals(domainId)) {
        return domain.parameterSet();
      }
    }
    throw new IOException("domain " + domainId + " of a store is not in the catalog");
  }

  static CommitMode mode(boolean replace) {
    return replace ? CommitMode.REPLACE : CommitMode.IF_ABSENT;
  }

  static Compression compression(CompressionChoice choice, StoreRecord in) {
    return switch (choice) {
      case STORE_DEFAULT -> in.compression();
      case LZ4 -> Compression.LZ4;
      case ZSTD -> Compression.ZSTD;
      case NONE -> Compression.NONE;
    };
  }

  static CompressionChoice choice(Compression compression) {
    return switch (compression) {
      case LZ4 -> CompressionChoice.LZ4;
      case ZSTD -> CompressionChoice.ZSTD;
      case NONE -> CompressionChoice.NONE;
    };
  }

  StoreInfo info(StoreRecord record) throws IOException {
    return new StoreInfo(
        record.name(),
        wire(record.domainId()),
        parameterSet(record.domainId()),
        record.quotaBytes(),
        choice(record.compression()),
        record.lockDays());
  }

  static ItemInfo info(ItemRecord record) {
    return new ItemInfo(
        record.name(),
        wire(record.id()),
        record.version(),
        record.root(),
        record.createdAtMillis(),
        record.lockedUntilMillis(),
        record.held(),
        record.newBytes(),
        record.tags());
  }

  static WireId wire(Id id) {
    return new WireId(id.high(), id.low());
  }

  static Id id(WireId id) {
    return new Id(id.high(), id.low());
  }

  /** Returns a name fit for a message: no control characters, not endless. */
  static String shown(String name) {
    String plain =
        name.codePoints()
            .map(c -> Character.isISOControl(c) ? 0xfffd : c)
            .limit(200)
            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
            .toString();
    return name.length() > 200 ? plain + "…" : plain;
  }
}
