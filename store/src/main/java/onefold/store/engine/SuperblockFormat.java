package onefold.store.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;

/**
 * The superblock's bytes, as {@code docs/formats/superblock.md} has them: one file of {@value
 * #FILE_BYTES} bytes, little-endian.
 */
final class SuperblockFormat {
  static final int FILE_BYTES = 4096;
  static final int VERSION = 1;

  /** Incompatible flags that this release knows. */
  static final int KNOWN_FLAGS = Superblock.SHARES;

  /** Most bytes of the catalog's root, whose shape is the catalog's business. */
  static final int MAX_CATALOG_ROOT_BYTES = 1024;

  private static final byte[] MAGIC = "ONEFOLDS".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION_AT = 8;
  private static final int INCOMPATIBLE_AT = 12;
  private static final int READ_COMPATIBLE_AT = 16;
  private static final int ROOT_LENGTH_AT = 20;
  private static final int SEQUENCE_AT = 24;
  private static final int APPLIANCE_AT = 32;
  private static final int EPOCH_AT = 48;
  private static final int JOURNAL_AT = 56;
  private static final int STORE_TIME_AT = 64;
  private static final int ROOT_AT = 72;
  private static final int CRC_AT = FILE_BYTES - 4;

  private SuperblockFormat() {}

  static byte[] encode(Superblock superblock) {
    byte[] root = superblock.catalogRoot();
    if (root.length > MAX_CATALOG_ROOT_BYTES) {
      throw new IllegalArgumentException("catalog root of " + root.length + " bytes");
    }
    ByteBuffer out = ByteBuffer.allocate(FILE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.put(0, MAGIC);
    out.putInt(VERSION_AT, VERSION);
    out.putInt(INCOMPATIBLE_AT, superblock.flags());
    out.putInt(ROOT_LENGTH_AT, root.length);
    out.putLong(SEQUENCE_AT, superblock.sequence());
    out.putLong(APPLIANCE_AT, superblock.applianceId().high());
    out.putLong(APPLIANCE_AT + 8, superblock.applianceId().low());
    out.putLong(EPOCH_AT, superblock.epoch());
    out.putLong(JOURNAL_AT, superblock.journalPosition());
    out.putLong(STORE_TIME_AT, superblock.storeTimeMillis());
    out.put(ROOT_AT, root);
    out.putInt(CRC_AT, crc(out.array()));
    return out.array();
  }

  /**
   * Reads a superblock.
   *
   * @param file named in errors
   * @param bytes what stands in the file, whatever its length
   * @throws CorruptDataException if it is truncated, damaged or something else
   * @throws RefusedException {@code READ_ONLY} if a newer release wrote it
   */
  static Superblock decode(String file, byte[] bytes)
      throws CorruptDataException, RefusedException {
    if (bytes.length != FILE_BYTES) {
      throw new CorruptDataException(
          file, 0, FILE_BYTES + " bytes of superblock", bytes.length + " bytes");
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < MAGIC.length; i++) {
      if (bytes[i] != MAGIC[i]) {
        throw new CorruptDataException(file, 0, "the magic ONEFOLDS", "other bytes");
      }
    }
    int expected = crc(bytes);
    if (in.getInt(CRC_AT) != expected) {
      throw new CorruptDataException(
          file,
          CRC_AT,
          "CRC32C " + Integer.toHexString(expected),
          Integer.toHexString(in.getInt(CRC_AT)));
    }
    int version = in.getInt(VERSION_AT);
    int incompatible = in.getInt(INCOMPATIBLE_AT);
    int readCompatible = in.getInt(READ_COMPATIBLE_AT);
    if (version != VERSION || (incompatible & ~KNOWN_FLAGS) != 0 || readCompatible != 0) {
      throw new RefusedException(
          Reason.READ_ONLY,
          file
              + " was written by a newer release: format version "
              + Integer.toUnsignedString(version)
              + ", flags "
              + Integer.toHexString(incompatible)
              + " and "
              + Integer.toHexString(readCompatible)
              + "; this release knows version 1 with the flags "
              + Integer.toHexString(KNOWN_FLAGS)
              + " and 0. Start the newer release.");
    }
    int rootLength = in.getInt(ROOT_LENGTH_AT);
    if (rootLength < 0 || rootLength > MAX_CATALOG_ROOT_BYTES) {
      throw new CorruptDataException(
          file,
          ROOT_LENGTH_AT,
          "a root of at most 1024 bytes",
          Integer.toUnsignedString(rootLength));
    }
    for (int at : new int[] {SEQUENCE_AT, EPOCH_AT, JOURNAL_AT}) {
      if (in.getLong(at) < 1) {
        throw new CorruptDataException(file, at, "a number from 1", "" + in.getLong(at));
      }
    }
    byte[] root = new byte[rootLength];
    in.get(ROOT_AT, root);
    return new Superblock(
        in.getLong(SEQUENCE_AT),
        new Id(in.getLong(APPLIANCE_AT), in.getLong(APPLIANCE_AT + 8)),
        in.getLong(EPOCH_AT),
        in.getLong(JOURNAL_AT),
        in.getLong(STORE_TIME_AT),
        root,
        incompatible);
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, CRC_AT);
    return (int) crc.getValue();
  }
}
