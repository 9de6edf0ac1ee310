package onefold.store.engine;

import java.io.IOException;
import onefold.store.Id;
import onefold.store.catalog.CatalogView;

/**
 * Where recovery begins.
 *
 * @param sequence counts the superblocks written; the higher of the two files counts
 * @param applianceId random, made with the directory
 * @param epoch event counter of who may write; 1 until there are several
 * @param journalPosition of the checkpoint record, the first that is replayed
 * @param storeTimeMillis store time when it was written
 * @param catalogRoot what the catalog's last fold answered; its shape is the catalog's business
 * @param flags what a release must know to open the directory; once set, one stays
 */
record Superblock(
    long sequence,
    Id applianceId,
    long epoch,
    long journalPosition,
    long storeTimeMillis,
    byte[] catalogRoot,
    int flags) {
  /** The catalog has or had shares, whose objects housekeeping must know. */
  static final int SHARES = 1;

  /** The flags to be set when the catalog is as a view shows it. */
  static int flags(int before, CatalogView view) throws IOException {
    return before | (view.shares().isAny() ? SHARES : 0);
  }

  Superblock {
    if (sequence < 1) {
      throw new IllegalArgumentException("sequence " + sequence);
    }
    if (epoch < 1) {
      throw new IllegalArgumentException("epoch " + epoch);
    }
    if (journalPosition < 1) {
      throw new IllegalArgumentException("journalPosition " + journalPosition);
    }
  }
}
