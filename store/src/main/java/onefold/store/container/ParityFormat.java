package onefold.store.container;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import onefold.store.CorruptDataException;
import onefold.store.container.ContainerFormat.Identity;

/** The bytes of a parity file: {@code docs/formats/parity.md}. */
final class ParityFormat {
  static final long MAGIC = ContainerFormat.ascii("ONEFPARI");
  static final int HEADER_BYTES = 128;

  /** What has a checksum, and is made again if that does not fit. */
  static final int SECTOR_BYTES = 4 << 10;

  /** Any run of bytes as long as this may be lost. */
  static final int SURVIVED_BYTES = 1 << 20;

  /** Sectors that such a run touches at most, so that it hits no column twice. */
  static final int SEGMENT_SECTORS = SURVIVED_BYTES / SECTOR_BYTES + 1;

  private static final String WHAT = "parity header";

  private ParityFormat() {}

  /**
   * How a container and its parity are laid out.
   *
   * @param containerBytes length of the container's file
   */
  record Shape(long containerBytes) {
    Shape {
      if (containerBytes < 1 || containerBytes > Integer.MAX_VALUE) {
        throw new IllegalArgumentException("a container of " + containerBytes + " bytes");
      }
    }

    /** Sectors of the container; the last one may be short. */
    int sectors() {
      return Math.toIntExact((containerBytes + SECTOR_BYTES - 1) / SECTOR_BYTES);
    }

    /** Columns: sectors of a segment, and of the parity. */
    int columns() {
      return Math.min(SEGMENT_SECTORS, sectors());
    }

    int sectorBytes(int sector) {
      return (int) Math.min(SECTOR_BYTES, containerBytes - (long) sector * SECTOR_BYTES);
    }

    /** A checksum for each sector of the container, then for each of the parity. */
    int tableBytes() {
      return Integer.BYTES * (sectors() + columns());
    }

    long parityOffset() {
      return (long) HEADER_BYTES + tableBytes();
    }

    int parityBytes() {
      return columns() * SECTOR_BYTES;
    }

    long secondTableOffset() {
      return parityOffset() + parityBytes();
    }

    long secondHeaderOffset() {
      return secondTableOffset() + tableBytes();
    }

    long fileBytes() {
      return secondHeaderOffset() + HEADER_BYTES;
    }
  }

  /**
   * What a header says.
   *
   * @param tableCrc CRC32C of the table
   */
  record Header(Shape shape, int tableCrc) {}

  static byte[] encodeHeader(Identity identity, Header header) {
    ByteBuffer b = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(MAGIC).putInt(ContainerFormat.VERSION).putInt(0).putInt(0).putInt(HEADER_BYTES);
    ContainerFormat.putIdentity(b, identity);
    b.putInt(0).putInt(SECTOR_BYTES);
    b.putLong(header.shape().containerBytes());
    b.putInt(header.shape().sectors()).putInt(header.shape().columns());
    b.putInt(header.tableCrc());
    byte[] bytes = b.array();
    ContainerFormat.setInt(
        bytes, HEADER_BYTES - 4, ContainerFormat.crc(bytes, 0, HEADER_BYTES - 4));
    return bytes;
  }

  /**
   * Reads one of the two headers.
   *
   * @param at where it stands, for messages
   * @throws CorruptDataException if it is damaged or another container's
   * @throws IOException if a newer release or a later epoch wrote it
   */
  static Header decodeHeader(String path, long at, byte[] b, Identity expected) throws IOException {
    ContainerFormat.checkEnvelope(path, at, b, HEADER_BYTES, MAGIC, WHAT);
    ContainerFormat.checkIdentity(path, at, expected, ContainerFormat.identity(path, at, b, 24));
    ByteBuffer in = ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN).position(76);
    int sectorBytes = in.getInt();
    long containerBytes = in.getLong();
    int sectors = in.getInt();
    int columns = in.getInt();
    int tableCrc = in.getInt();
    if (sectorBytes != SECTOR_BYTES || containerBytes < 1 || containerBytes > Integer.MAX_VALUE) {
      throw new CorruptDataException(
          path,
          at + 76,
          "sectors of " + SECTOR_BYTES + " bytes of a container",
          sectorBytes + " of " + containerBytes);
    }
    Shape shape = new Shape(containerBytes);
    if (sectors != shape.sectors() || columns != shape.columns()) {
      throw new CorruptDataException(
          path,
          at + 88,
          shape.sectors() + " sectors in columns of " + shape.columns(),
          sectors + " in " + columns);
    }
    return new Header(shape, tableCrc);
  }
}
