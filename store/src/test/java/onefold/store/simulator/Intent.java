package onefold.store.simulator;

import java.io.IOException;
import java.util.Map;
import java.util.SortedMap;
import onefold.store.ChunkStore;
import onefold.store.Id;
import onefold.store.LockKind;
import onefold.store.ShareEntry;
import org.jspecify.annotations.Nullable;

/** A change that was asked for and not yet answered: after a cut it has happened or it has not. */
sealed interface Intent {
  /** Asks for it once more, with the same command id. */
  @FunctionalInterface
  interface Again {
    void ask(ChunkStore store) throws IOException;

    /** Whether there is a way to ask again. */
    default boolean isPossible() {
      return true;
    }

    /** There is no way to ask again. */
    Again NEVER =
        new Again() {
          @Override
          public void ask(ChunkStore store) {
            throw new IllegalStateException("there is no way to ask again");
          }

          @Override
          public boolean isPossible() {
            return false;
          }
        };
  }

  /**
   * What an item will be.
   *
   * @param lockKind null if it depends on whether an older lock has ended in time
   */
  record Wanted(
      byte[] content,
      SortedMap<String, String> tags,
      boolean held,
      long lockedUntilMillis,
      @Nullable LockKind lockKind) {}

  /**
   * An item is made, changed or deleted.
   *
   * @param after null if it is deleted
   * @param uploadId of the upload that becomes it, or null
   * @param exhumed what it was brought back from, or null
   */
  record ItemChange(
      Address address,
      @Nullable Wanted after,
      @Nullable Id uploadId,
      Model.@Nullable Grave exhumed,
      Again again)
      implements Intent {
    ItemChange(Address address, @Nullable Wanted after, @Nullable Id uploadId, Again again) {
      this(address, after, uploadId, null, again);
    }
  }

  /** A deleted item is given up. */
  record Purge(int store, Model.Grave grave) implements Intent {}

  /** A record is set, or removed if {@code after} is null. */
  record RecordChange(int lane, String key, byte @Nullable [] after, Again again)
      implements Intent {}

  /**
   * A store is made, its settings changed, or it is dropped if {@code exists} is false.
   *
   * @param copied the items it is made with, or null
   */
  record StoreChange(
      int store,
      boolean exists,
      long quotaBytes,
      int undeleteDays,
      @Nullable Map<String, Model.Known> copied)
      implements Intent {
    StoreChange(int store, boolean exists, long quotaBytes, int undeleteDays) {
      this(store, exists, quotaBytes, undeleteDays, null);
    }
  }

  /**
   * A share is made, or deleted if {@code exists} is false.
   *
   * @param copied the entries it is made with, or null
   */
  record MakeShare(int share, boolean exists, @Nullable SortedMap<byte[], ShareEntry> copied)
      implements Intent {}

  /** A snapshot of a share, of these entries, is taken or deleted. */
  record ShareSnapshotChange(
      int share, String name, @Nullable SortedMap<byte[], ShareEntry> entries) implements Intent {}

  /** A snapshot is taken or deleted. */
  record SnapshotChange(int store, String name) implements Intent {}
}
