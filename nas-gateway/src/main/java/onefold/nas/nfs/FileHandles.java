package onefold.nas.nfs;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import onefold.store.Id;

/**
 * File handles: what a client holds to come back to a file, for years and over restarts. A handle
 * names share and file and carries a code that only this appliance can make, so that nobody reaches
 * by guessing what he was not shown.
 *
 * <p>48 bytes, big-endian: version, kind, six zero bytes, share id (16), file id (8), the first 16
 * bytes of HMAC-SHA-256 over what comes before. File ids are never used again, which is why there
 * is no generation.
 */
final class FileHandles {
  /** Bytes of a handle, within the 64 of NFSv3. */
  static final int BYTES = 48;

  static final int KEY_BYTES = 32;

  private static final byte VERSION = 1;
  private static final byte FILE = 1;
  private static final byte PSEUDO_ROOT = 2;
  // Never in a handle that somebody is given.
  private static final byte SERVER = 3;
  private static final int CODE_AT = 32;
  private static final int CODE_BYTES = 16;
  private static final Id NO_SHARE = new Id(0, 0);

  private final Mac mac;

  /**
   * What a handle names.
   *
   * @param pseudoRoot whether it is the directory above the shares, in which case the rest is zero
   */
  record Place(boolean pseudoRoot, Id shareId, long fileId) {
    static final Place ROOT = new Place(true, NO_SHARE, 0);
  }

  /** Makes handles with a key of {@link #KEY_BYTES}, which must be the same after each start. */
  FileHandles(byte[] key) {
    if (key.length != KEY_BYTES) {
      throw new IllegalArgumentException("key of " + key.length + " bytes");
    }
    try {
      mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has HmacSHA256", e);
    }
  }

  /**
   * Returns a name of this appliance that no other has: equal on all connections, so that clients
   * use them together, and after every start. A client of version 4.1 that finds another scope
   * takes it for another server and reclaims nothing.
   */
  byte[] serverName() {
    byte[] named = new byte[CODE_AT];
    named[0] = VERSION;
    named[1] = SERVER;
    return ("onefold-" + HexFormat.of().formatHex(code(named, 0)))
        .getBytes(StandardCharsets.US_ASCII);
  }

  byte[] handle(Id shareId, long fileId) {
    return seal(FILE, shareId, fileId);
  }

  byte[] pseudoRoot() {
    return seal(PSEUDO_ROOT, NO_SHARE, 0);
  }

  byte[] handle(Place place) {
    return place.pseudoRoot() ? pseudoRoot() : handle(place.shareId(), place.fileId());
  }

  /** Returns what a handle names; empty if it is none of ours. */
  Optional<Place> open(byte[] array, int offset, int length) {
    if (length != BYTES || array[offset] != VERSION) {
      return Optional.empty();
    }
    byte[] expected = code(array, offset);
    byte[] found = Arrays.copyOfRange(array, offset + CODE_AT, offset + BYTES);
    if (!MessageDigest.isEqual(expected, found)) {
      return Optional.empty();
    }
    ByteBuffer in = ByteBuffer.wrap(array, offset + 8, BYTES - 8);
    Id shareId = new Id(in.getLong(), in.getLong());
    long fileId = in.getLong();
    return switch (array[offset + 1]) {
      case FILE -> Optional.of(new Place(false, shareId, fileId));
      case PSEUDO_ROOT -> Optional.of(Place.ROOT);
      default -> Optional.empty();
    };
  }

  private byte[] seal(byte kind, Id shareId, long fileId) {
    byte[] handle = new byte[BYTES];
    ByteBuffer out = ByteBuffer.wrap(handle);
    out.put(VERSION).put(kind).position(8);
    out.putLong(shareId.high()).putLong(shareId.low()).putLong(fileId);
    out.put(code(handle, 0));
    return handle;
  }

  private byte[] code(byte[] array, int offset) {
    try {
      // The initialised one is cloned: cheaper than a new one, and free for this thread.
      Mac own = (Mac) mac.clone();
      own.update(array, offset, CODE_AT);
      return Arrays.copyOf(own.doFinal(), CODE_BYTES);
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("the JDK's HmacSHA256 can be cloned", e);
    }
  }
}
