package onefold.store;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What a share's names are kept in: entries in order of key (unsigned bytes), of the file layer's
 * own making, in the catalog. What stands in it keeps the objects it names alive.
 */
public interface ShareTree {
  /** Most bytes of a key; the least is 1. */
  int MAX_KEY_BYTES = 1024;

  /** Most bytes of a value. */
  int MAX_VALUE_BYTES = 64 << 10;

  /** Most changes in one call, and most entries in one page of a scan. */
  int MAX_CHANGES = 1000;

  /** Most bytes of keys, values and notes in one call. */
  int MAX_CHANGE_BYTES = 512 << 10;

  /**
   * Finds an entry.
   *
   * @throws RefusedException {@code NOT_FOUND} if the share is gone
   */
  Optional<ShareEntry> find(byte[] key) throws IOException;

  /**
   * Lists entries whose key begins with {@code prefix} and follows {@code after}, in order, as they
   * are at one moment.
   *
   * @param after exclusive; empty for the start
   * @param limit 1 to {@link #MAX_CHANGES}; fewer are returned only at the end
   */
  List<ShareEntry> scan(byte[] prefix, byte[] after, int limit) throws IOException;

  /**
   * Changes entries, all or none, in the order of the list. {@link #find} and {@link #scan} show
   * the change when the method has returned; it is durable when the stage completes, and then so
   * are all changes that were made before it. The stage completes exceptionally with an {@link
   * IOException} if the change cannot be made durable; then every later call of this tree throws
   * one, and nothing but a new start helps.
   *
   * <p>The method waits while too many changes are on their way to the disk. What hangs on the
   * stage runs on a task of the store's: it must neither wait nor take long.
   *
   * @param changes 1 to {@link #MAX_CHANGES}; an object that one brings in is stored in the share's
   *     domain
   * @throws RefusedException {@code READ_ONLY} for a snapshot; {@code NOT_FOUND} if the share is
   *     gone, or an object is not in the domain
   * @throws StoreFullException if there is no space, unless an entry is removed by the way
   */
  CompletionStage<Void> change(List<ShareChange> changes) throws IOException;
}
