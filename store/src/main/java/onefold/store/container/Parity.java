package onefold.store.container;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import onefold.store.CorruptDataException;
import onefold.store.container.ContainerFormat.Identity;
import onefold.store.container.ContainerStore.StoredContainer;
import onefold.store.container.ParityFormat.Header;
import onefold.store.container.ParityFormat.Shape;
import onefold.store.device.DeviceForceException;

/**
 * A container's parity file: how it is made, checked, and used. Takes about 2 MiB while it works.
 */
final class Parity {
  private Parity() {}

  /**
   * A parity file that was read.
   *
   * @param table checksums of the container's sectors, then of the parity's
   * @param parity its sectors; which are wrong their checksums tell
   */
  private record Loaded(Shape shape, byte[] table, byte[] parity) {
    int checksum(int sector) {
      return ContainerFormat.getInt(table, sector * Integer.BYTES);
    }

    boolean isParitySound(int column) {
      return ContainerFormat.crc(
              parity, column * ParityFormat.SECTOR_BYTES, ParityFormat.SECTOR_BYTES)
          == checksum(shape.sectors() + column);
    }
  }

  /** What a container lacks, and how it is made whole. */
  static final class Plan {
    private final Loaded loaded;
    private final BitSet bad;
    private final byte[] made;
    private final boolean ofItsLength;

    private Plan(Loaded loaded, BitSet bad, byte[] made, boolean ofItsLength) {
      this.loaded = loaded;
      this.bad = bad;
      this.made = made;
      this.ofItsLength = ofItsLength;
    }

    /** Whether the container is as it was sealed. */
    boolean isWhole() {
      return bad.isEmpty() && ofItsLength;
    }

    /** How many sectors are not as they were sealed. */
    int badSectors() {
      return bad.cardinality();
    }
  }

  // ---- making

  /**
   * Writes the parity of a sound container.
   *
   * @param target empty; forced before the method returns
   */
  static void write(
      StoredContainer container, StoredContainer target, Identity identity, ReadPace pace)
      throws IOException {
    Shape shape = new Shape(container.sizeBytes());
    byte[] table = new byte[shape.tableBytes()];
    byte[] parity = new byte[shape.parityBytes()];
    byte[] segment = new byte[shape.parityBytes()];
    for (int first = 0; first < shape.sectors(); first += shape.columns()) {
      int count = Math.min(shape.columns(), shape.sectors() - first);
      int length = readSegment(container, shape, first, count, segment, pace);
      Arrays.fill(segment, length, segment.length, (byte) 0);
      for (int i = 0; i < count; i++) {
        int crc =
            ContainerFormat.crc(
                segment, i * ParityFormat.SECTOR_BYTES, shape.sectorBytes(first + i));
        ContainerFormat.setInt(table, (first + i) * Integer.BYTES, crc);
      }
      xor(parity, 0, segment, 0, parity.length);
    }
    for (int column = 0; column < shape.columns(); column++) {
      int crc =
          ContainerFormat.crc(
              parity, column * ParityFormat.SECTOR_BYTES, ParityFormat.SECTOR_BYTES);
      ContainerFormat.setInt(table, (shape.sectors() + column) * Integer.BYTES, crc);
    }
    byte[] header =
        ParityFormat.encodeHeader(
            identity, new Header(shape, ContainerFormat.crc(table, 0, table.length)));
    target.append(0, ByteBuffer.wrap(header));
    target.append(ParityFormat.HEADER_BYTES, ByteBuffer.wrap(table));
    target.append(shape.parityOffset(), ByteBuffer.wrap(parity));
    target.append(shape.secondTableOffset(), ByteBuffer.wrap(table));
    target.append(shape.secondHeaderOffset(), ByteBuffer.wrap(header));
    target.force();
  }

  private static int readSegment(
      StoredContainer container, Shape shape, int first, int count, byte[] into, ReadPace pace)
      throws IOException {
    int length = (count - 1) * ParityFormat.SECTOR_BYTES + shape.sectorBytes(first + count - 1);
    pace.before(length);
    container.readFully((long) first * ParityFormat.SECTOR_BYTES, ByteBuffer.wrap(into, 0, length));
    return length;
  }

  /** {@code target ^= source}, byte by byte; the JIT compiler makes vectors of it. */
  private static void xor(byte[] target, int targetAt, byte[] source, int sourceAt, int length) {
    for (int i = 0; i < length; i++) {
      target[targetAt + i] ^= source[sourceAt + i];
    }
  }

  // ---- reading

  /**
   * Reads a parity file and checks all of it.
   *
   * @throws CorruptDataException if any of it is damaged, or it is another container's
   */
  static void check(StoredContainer file, Identity identity, long containerBytes, ReadPace pace)
      throws IOException {
    Shape shape = new Shape(containerBytes);
    if (file.sizeBytes() != shape.fileBytes()) {
      throw new CorruptDataException(
          file.path(), -1, shape.fileBytes() + " bytes", file.sizeBytes() + " bytes");
    }
    pace.before(shape.fileBytes());
    for (long at : new long[] {0, shape.secondHeaderOffset()}) {
      Header header = header(file, at, identity);
      if (!header.shape().equals(shape)) {
        throw new CorruptDataException(
            file.path(),
            at,
            "parity of " + containerBytes + " bytes",
            "of " + header.shape().containerBytes());
      }
      table(file, at == 0 ? ParityFormat.HEADER_BYTES : shape.secondTableOffset(), header);
    }
    Loaded loaded = load(file, identity);
    for (int column = 0; column < shape.columns(); column++) {
      if (!loaded.isParitySound(column)) {
        throw new CorruptDataException(
            file.path(),
            shape.parityOffset() + (long) column * ParityFormat.SECTOR_BYTES,
            "a sector with its checksum",
            "another");
      }
    }
  }

  private static Header header(StoredContainer file, long at, Identity identity)
      throws IOException {
    return ParityFormat.decodeHeader(
        file.path(), at, ContainerFile.read(file, at, ParityFormat.HEADER_BYTES), identity);
  }

  private static byte[] table(StoredContainer file, long at, Header header) throws IOException {
    byte[] table = ContainerFile.read(file, at, header.shape().tableBytes());
    int crc = ContainerFormat.crc(table, 0, table.length);
    if (crc != header.tableCrc()) {
      throw new CorruptDataException(
          file.path(),
          at,
          "checksums with checksum " + ContainerFormat.hex(header.tableCrc()),
          ContainerFormat.hex(crc));
    }
    return table;
  }

  /** Reads a parity file as far as it is sound: one header, one table, and what is between. */
  private static Loaded load(StoredContainer file, Identity identity) throws IOException {
    Header header;
    try {
      header = header(file, 0, identity);
    } catch (CorruptDataException e) {
      long size = file.sizeBytes();
      if (size < 2L * ParityFormat.HEADER_BYTES) {
        throw e;
      }
      header = header(file, size - ParityFormat.HEADER_BYTES, identity);
    }
    Shape shape = header.shape();
    if (file.sizeBytes() < shape.parityOffset()) {
      // Before memory is taken for what the header claims.
      throw new CorruptDataException(
          file.path(), -1, shape.fileBytes() + " bytes", file.sizeBytes() + " bytes");
    }
    byte[] table;
    try {
      table = table(file, ParityFormat.HEADER_BYTES, header);
    } catch (CorruptDataException e) {
      table = table(file, shape.secondTableOffset(), header);
    }
    byte[] parity = ContainerFile.read(file, shape.parityOffset(), shape.parityBytes());
    return new Loaded(shape, table, parity);
  }

  // ---- repairing

  /**
   * Finds out which sectors of a container are not as they were sealed, and makes them again in
   * memory. A sector that the disk refuses to read is one of them.
   *
   * @param container whatever is left of it
   * @throws CorruptDataException if more is lost than the parity makes good
   */
  static Plan plan(
      StoredContainer container, StoredContainer parityFile, Identity identity, ReadPace pace)
      throws IOException {
    Loaded loaded = load(parityFile, identity);
    Shape shape = loaded.shape();
    long present = container.sizeBytes();
    BitSet bad = new BitSet();
    byte[] made = loaded.parity().clone();
    byte[] sector = new byte[ParityFormat.SECTOR_BYTES];
    byte[] segment = new byte[shape.parityBytes()];
    for (int first = 0; first < shape.sectors(); first += shape.columns()) {
      int count = Math.min(shape.columns(), shape.sectors() - first);
      boolean read = false;
      long end =
          (long) (first + count - 1) * ParityFormat.SECTOR_BYTES
              + shape.sectorBytes(first + count - 1);
      if (end <= present) {
        try {
          int ignored = readSegment(container, shape, first, count, segment, pace);
          read = true;
        } catch (DeviceForceException e) {
          throw e;
        } catch (IOException e) {
          // Sector by sector, then.
        }
      }
      for (int i = 0; i < count; i++) {
        int length = shape.sectorBytes(first + i);
        if (read) {
          System.arraycopy(segment, i * ParityFormat.SECTOR_BYTES, sector, 0, length);
        } else if (!readSector(container, shape, first + i, present, sector)) {
          bad.set(first + i);
          continue;
        }
        if (ContainerFormat.crc(sector, 0, length) == loaded.checksum(first + i)) {
          xor(made, i * ParityFormat.SECTOR_BYTES, sector, 0, length);
        } else {
          bad.set(first + i);
        }
      }
    }
    Plan plan = new Plan(loaded, bad, made, present == shape.containerBytes());
    checkPossible(container.path(), parityFile.path(), plan);
    return plan;
  }

  private static boolean readSector(
      StoredContainer container, Shape shape, int sector, long present, byte[] into)
      throws IOException {
    long at = (long) sector * ParityFormat.SECTOR_BYTES;
    int length = shape.sectorBytes(sector);
    if (at + length > present) {
      return false;
    }
    try {
      container.readFully(at, ByteBuffer.wrap(into, 0, length));
      return true;
    } catch (DeviceForceException e) {
      throw e;
    } catch (IOException e) {
      return false; // A disk that cannot read it has lost it.
    }
  }

  private static void checkPossible(String path, String parityPath, Plan plan)
      throws CorruptDataException {
    Shape shape = plan.loaded.shape();
    int[] lostBy = new int[shape.columns()];
    Arrays.fill(lostBy, -1);
    for (int sector = plan.bad.nextSetBit(0);
        sector >= 0;
        sector = plan.bad.nextSetBit(sector + 1)) {
      int column = sector % shape.columns();
      long at = (long) sector * ParityFormat.SECTOR_BYTES;
      if (lostBy[column] >= 0) {
        throw new CorruptDataException(
            path,
            at,
            "at most one lost sector in a column",
            "one more than that at " + (long) lostBy[column] * ParityFormat.SECTOR_BYTES);
      }
      lostBy[column] = sector;
    }
    for (int sector = plan.bad.nextSetBit(0);
        sector >= 0;
        sector = plan.bad.nextSetBit(sector + 1)) {
      long at = (long) sector * ParityFormat.SECTOR_BYTES;
      int column = sector % shape.columns();
      int from = column * ParityFormat.SECTOR_BYTES;
      int crc = ContainerFormat.crc(plan.made, from, shape.sectorBytes(sector));
      if (crc != plan.loaded.checksum(sector)) {
        throw new CorruptDataException(
            parityPath,
            shape.parityOffset() + from,
            "parity that gives the sector at " + at + " of the container",
            "parity that does not");
      }
    }
  }

  /**
   * Writes the container as it was sealed.
   *
   * @param target empty; forced before the method returns, and every sector read back
   */
  static void writeRepaired(
      StoredContainer container, StoredContainer target, Plan plan, ReadPace pace)
      throws IOException {
    Shape shape = plan.loaded.shape();
    byte[] segment = new byte[shape.parityBytes()];
    for (int first = 0; first < shape.sectors(); first += shape.columns()) {
      int count = Math.min(shape.columns(), shape.sectors() - first);
      int length = 0;
      pace.before((long) count * ParityFormat.SECTOR_BYTES);
      for (int i = 0; i < count; ) {
        int at = i * ParityFormat.SECTOR_BYTES;
        if (plan.bad.get(first + i)) {
          System.arraycopy(plan.made, at, segment, at, shape.sectorBytes(first + i));
          length = at + shape.sectorBytes(first + i);
          i++;
          continue;
        }
        int nextBad = plan.bad.nextSetBit(first + i);
        int end = nextBad < 0 ? count : Math.min(count, nextBad - first);
        length = (end - 1) * ParityFormat.SECTOR_BYTES + shape.sectorBytes(first + end - 1);
        container.readFully(
            (long) (first + i) * ParityFormat.SECTOR_BYTES,
            ByteBuffer.wrap(segment, at, length - at));
        i = end;
      }
      target.append((long) first * ParityFormat.SECTOR_BYTES, ByteBuffer.wrap(segment, 0, length));
    }
    target.force();
    for (int first = 0; first < shape.sectors(); first += shape.columns()) {
      int count = Math.min(shape.columns(), shape.sectors() - first);
      int ignored = readSegment(target, shape, first, count, segment, pace);
      for (int i = 0; i < count; i++) {
        int crc =
            ContainerFormat.crc(
                segment, i * ParityFormat.SECTOR_BYTES, shape.sectorBytes(first + i));
        if (crc != plan.loaded.checksum(first + i)) {
          throw new CorruptDataException(
              target.path(),
              (long) (first + i) * ParityFormat.SECTOR_BYTES,
              "a sector with checksum " + ContainerFormat.hex(plan.loaded.checksum(first + i)),
              ContainerFormat.hex(crc));
        }
      }
    }
  }
}
