package onefold.chunker;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Objects;

/**
 * Computes fingerprints: SHA-256 in parameter set 1. One thread at a time uses it; makes no garbage
 * per chunk.
 */
public final class Fingerprinter {
  private final MessageDigest digest;

  /** Makes a fingerprinter for the algorithm of {@code set}. */
  public Fingerprinter(ParameterSet set) {
    Objects.requireNonNull(set, "set");
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java has no SHA-256, which every Java must have", e);
    }
  }

  /**
   * Writes the 32-byte fingerprint of {@code source[offset, offset + lengthBytes)} to {@code
   * target}.
   */
  public void fingerprint(
      byte[] source, int offset, int lengthBytes, byte[] target, int targetOffset) {
    digest.update(source, offset, lengthBytes);
    try {
      int written = digest.digest(target, targetOffset, Fingerprint.BYTES);
      if (written != Fingerprint.BYTES) {
        throw new IllegalStateException("SHA-256 of " + written + " bytes");
      }
    } catch (DigestException e) {
      digest.reset();
      throw new IllegalArgumentException(
          "no room for a fingerprint at " + targetOffset + " of " + target.length, e);
    }
  }

  /**
   * Fingerprints {@code count} chunks that lie one behind another from {@code source[start]}.
   *
   * @param lengths their lengths in bytes, from index {@code at}
   * @param target takes {@code count} times 32 bytes from {@code targetOffset}
   */
  public void fingerprint(
      byte[] source, int start, int[] lengths, int at, int count, byte[] target, int targetOffset) {
    int chunkStart = start;
    for (int i = 0; i < count; i++) {
      fingerprint(
          source, chunkStart, lengths[at + i], target, targetOffset + i * Fingerprint.BYTES);
      chunkStart += lengths[at + i];
    }
  }

  /** Returns the fingerprint of {@code source[offset, offset + lengthBytes)} as a record. */
  public Fingerprint fingerprint(byte[] source, int offset, int lengthBytes) {
    byte[] bytes = new byte[Fingerprint.BYTES];
    fingerprint(source, offset, lengthBytes, bytes, 0);
    return Fingerprint.of(bytes, 0);
  }
}
