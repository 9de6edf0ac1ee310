package onefold.store.engine;

import onefold.store.Id;

/**
 * Where recovery begins.
 *
 * @param sequence counts the superblocks written; the higher of the two files counts
 * @param applianceId random, made with the directory
 * @param epoch event counter of who may write; 1 until there are several
 * @param journalPosition of the checkpoint record, the first that is replayed
 * @param storeTimeMillis store time when it was written
 * @param catalogRoot what the catalog's last fold answered; its shape is the catalog's business
 */
record Superblock(
    long sequence,
    Id applianceId,
    long epoch,
    long journalPosition,
    long storeTimeMillis,
    byte[] catalogRoot) {
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
