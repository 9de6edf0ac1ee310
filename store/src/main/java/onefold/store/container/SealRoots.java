package onefold.store.container;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;

/**
 * The two roots of a seal, both SHA-256; {@code docs/formats/container.md} says what they cover.
 *
 * <p>Chunks go into the content root {@value #LEAF_CHUNKS} at a time, which costs a seventeenth of
 * one leaf a chunk: {@code docs/decisions/0031-seal-roots.md}.
 */
final class SealRoots {
  static final int LEAF_CHUNKS = 64;

  private static final int ENTRY_BYTES = 37;
  private static final byte LEAF = 0;
  private static final byte INNER = 1;

  private SealRoots() {}

  /** The root over (kind, length, fingerprint) in order of slots; the same in each generation. */
  static byte[] content(FingerprintBatch chunks) {
    MessageDigest sha = sha256();
    int leaves = Math.max(1, (chunks.count() + LEAF_CHUNKS - 1) / LEAF_CHUNKS);
    byte[][] level = new byte[leaves][];
    byte[] leaf = new byte[LEAF_CHUNKS * ENTRY_BYTES];
    for (int i = 0; i < leaves; i++) {
      int first = i * LEAF_CHUNKS;
      int end = Math.min(first + LEAF_CHUNKS, chunks.count());
      int at = 0;
      for (int slot = first; slot < end; slot++) {
        leaf[at] = (byte) chunks.kind().code();
        ContainerFormat.setInt(leaf, at + 1, chunks.lengths()[slot]);
        System.arraycopy(
            chunks.fingerprints(), slot * Fingerprint.BYTES, leaf, at + 5, Fingerprint.BYTES);
        at += ENTRY_BYTES;
      }
      sha.update(LEAF);
      sha.update(leaf, 0, at);
      level[i] = sha.digest();
    }
    int count = leaves;
    while (count > 1) {
      int pairs = count / 2;
      for (int i = 0; i < pairs; i++) {
        sha.update(INNER);
        sha.update(level[2 * i]);
        sha.update(level[2 * i + 1]);
        level[i] = sha.digest();
      }
      if (count % 2 == 1) {
        level[pairs] = level[count - 1]; // An odd node goes up as it is.
      }
      count = (count + 1) / 2;
    }
    return level[0];
  }

  /** The root over length and checksum of each stored block, in order. */
  static byte[] stored(byte[] blockTable) {
    MessageDigest sha = sha256();
    sha.update(LEAF);
    for (int at = 0; at < blockTable.length; at += ContainerFormat.TABLE_ROW_BYTES) {
      sha.update(blockTable, at, 4);
      sha.update(blockTable, at + 12, 4);
    }
    return sha.digest();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java has no SHA-256, which every Java must have", e);
    }
  }
}
