package onefold.nas;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import onefold.store.ShareChange;

/**
 * Gives out numbers that are never used again, for files and for places in directories. A limit is
 * kept in the share's tree ahead of them; after a restart they go on from there.
 */
final class FileIds {
  private static final int AHEAD = 1 << 16;

  private final Entries entries;
  private final long rootId;
  private final ReentrantLock lock = new ReentrantLock();
  private long next; // guarded by lock
  private long limit; // guarded by lock

  /** Goes on where the tree says. */
  FileIds(Entries entries, ShareTreeFormat.ShareValue share) {
    this.entries = entries;
    this.rootId = share.rootId();
    this.next = share.idLimit();
    this.limit = share.idLimit();
  }

  /** Returns a new number. Whatever is changed with it later is durable later than the limit. */
  long next() throws IOException {
    lock.lock();
    try {
      if (next > SnapshotIds.MAX_FILE_ID) {
        throw new FileException(FileError.NO_SPACE, "the share has used up its file ids");
      }
      if (next == limit) {
        long raised = limit + AHEAD;
        // Nobody waits for this: a later change of the tree is not durable before it.
        var _ =
            entries.change(
                List.of(
                    new ShareChange.SetValue(
                        ShareTreeFormat.shareKey(),
                        ShareTreeFormat.share(new ShareTreeFormat.ShareValue(rootId, raised)))));
        limit = raised;
      }
      return next++;
    } finally {
      lock.unlock();
    }
  }
}
