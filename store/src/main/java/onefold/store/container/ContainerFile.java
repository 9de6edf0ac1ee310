package onefold.store.container;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.container.ContainerFormat.Footer;
import onefold.store.container.ContainerFormat.Identity;
import onefold.store.container.ContainerStore.StoredContainer;

/** Reading and writing the parts of a container's file that are not blocks. */
final class ContainerFile {
  /** How much is read from the end to find footer and block table at once. */
  private static final int TAIL_BYTES = 64 << 10;

  private ContainerFile() {}

  static void writeHeader(StoredContainer file, Identity identity, Id fileId) throws IOException {
    file.append(0, ByteBuffer.wrap(ContainerFormat.encodeHeader(identity, fileId)));
  }

  /**
   * Writes directory and footer behind the blocks.
   *
   * @param endBytes where the blocks end
   * @return size of the file
   */
  static long writeDirectory(
      StoredContainer file,
      Identity identity,
      ContainerLayout layout,
      FingerprintBatch chunks,
      long endBytes)
      throws IOException {
    int count = chunks.count();
    int width = lengthWidth(chunks);
    int chunkTableBytes = Math.multiplyExact(count, Fingerprint.BYTES + width);
    int blockTableBytes = layout.blockCount() * ContainerFormat.TABLE_ROW_BYTES;
    byte[] bytes =
        new byte[Math.addExact(chunkTableBytes, blockTableBytes + ContainerFormat.FOOTER_BYTES)];
    System.arraycopy(chunks.fingerprints(), 0, bytes, 0, count * Fingerprint.BYTES);
    for (int slot = 0; slot < count; slot++) {
      ContainerFormat.encodeLength(
          bytes, count * Fingerprint.BYTES + slot * width, width, chunks.lengths()[slot]);
    }
    long rawBytes = 0;
    long storedBytes = 0;
    for (int block = 0; block < layout.blockCount(); block++) {
      BlockLocation location = layout.location(block);
      ContainerFormat.encodeRow(
          bytes,
          chunkTableBytes + block * ContainerFormat.TABLE_ROW_BYTES,
          location.storedBytes(),
          location.rawBytes(),
          location.chunkCount(),
          location.checksum());
      rawBytes += location.rawBytes();
      storedBytes += location.storedBytes();
    }
    byte[] blockTable =
        Arrays.copyOfRange(bytes, chunkTableBytes, chunkTableBytes + blockTableBytes);
    Footer footer =
        new Footer(
            identity,
            endBytes,
            endBytes + chunkTableBytes,
            count,
            layout.blockCount(),
            rawBytes,
            storedBytes,
            width,
            ContainerFormat.crc(bytes, 0, chunkTableBytes),
            ContainerFormat.crc(blockTable, 0, blockTableBytes),
            SealRoots.content(chunks),
            SealRoots.stored(blockTable));
    System.arraycopy(
        ContainerFormat.encodeFooter(footer),
        0,
        bytes,
        chunkTableBytes + blockTableBytes,
        ContainerFormat.FOOTER_BYTES);
    file.append(endBytes, ByteBuffer.wrap(bytes));
    return endBytes + bytes.length;
  }

  private static int lengthWidth(FingerprintBatch chunks) {
    for (int slot = 0; slot < chunks.count(); slot++) {
      if (!ContainerFormat.fitsNarrow(chunks.lengths()[slot])) {
        return ContainerFormat.WIDE_LENGTH_BYTES;
      }
    }
    return ContainerFormat.NARROW_LENGTH_BYTES;
  }

  /** The size of a file that has these blocks and no others. */
  static long sealedBytes(BlockScan.Found found) {
    FingerprintBatch chunks = found.chunks();
    return found.endBytes()
        + (long) chunks.count() * (Fingerprint.BYTES + lengthWidth(chunks))
        + (long) found.layout().blockCount() * ContainerFormat.TABLE_ROW_BYTES
        + ContainerFormat.FOOTER_BYTES;
  }

  /**
   * Reads the footer.
   *
   * @throws CorruptDataException if it is damaged or missing
   */
  static Footer readFooter(StoredContainer file, Identity expected) throws IOException {
    long size = file.sizeBytes();
    checkSize(file, size);
    byte[] bytes = read(file, size - ContainerFormat.FOOTER_BYTES, ContainerFormat.FOOTER_BYTES);
    return ContainerFormat.decodeFooter(file.path(), bytes, size, expected);
  }

  /**
   * Reads the block table, with one read unless it is long.
   *
   * @throws CorruptDataException if table or footer are damaged or missing
   */
  static ContainerLayout readLayout(StoredContainer file, Identity expected) throws IOException {
    long size = file.sizeBytes();
    checkSize(file, size);
    int tailBytes = (int) Math.min(size, TAIL_BYTES);
    byte[] tail = read(file, size - tailBytes, tailBytes);
    Footer footer =
        ContainerFormat.decodeFooter(
            file.path(),
            Arrays.copyOfRange(tail, tailBytes - ContainerFormat.FOOTER_BYTES, tailBytes),
            size,
            expected);
    int tableBytes = Math.toIntExact(footer.blockTableBytes());
    long tableAt = footer.blockTableOffset();
    byte[] table =
        tableAt >= size - tailBytes
            ? Arrays.copyOfRange(
                tail, (int) (tableAt - size) + tailBytes, tailBytes - ContainerFormat.FOOTER_BYTES)
            : read(file, tableAt, tableBytes);
    return decodeLayout(file.path(), footer, table);
  }

  static ContainerLayout decodeLayout(String path, Footer footer, byte[] table)
      throws CorruptDataException {
    checkCrc(path, footer.blockTableOffset(), "block table", footer.blockTableCrc(), table);
    ContainerLayout.Builder layout =
        new ContainerLayout.Builder(footer.identity().number(), footer.identity().generation());
    long at = ContainerFormat.HEADER_BYTES;
    for (int block = 0; block < footer.blockCount(); block++) {
      int row = block * ContainerFormat.TABLE_ROW_BYTES;
      int stored = ContainerFormat.getInt(table, row);
      int raw = ContainerFormat.getInt(table, row + 4);
      int chunks = ContainerFormat.getInt(table, row + 8);
      long blockAt = at + ContainerFormat.FRAME_BYTES;
      if (stored < 0
          || raw < 0
          || chunks < 0
          || chunks > footer.chunkCount() - layout.chunkCount()
          || blockAt + stored > footer.chunkTableOffset()) {
        // Behind a right checksum this is a fault of the writer, not of the disk.
        throw new CorruptDataException(
            path,
            footer.blockTableOffset() + row,
            "a block that ends before " + footer.chunkTableOffset(),
            stored + " bytes with " + chunks + " chunks at " + blockAt);
      }
      layout.add(blockAt, stored, raw, chunks, ContainerFormat.getInt(table, row + 12));
      at = blockAt + stored;
    }
    if ((footer.blockCount() > 0 && at != footer.chunkTableOffset())
        || layout.chunkCount() != footer.chunkCount()) {
      throw new CorruptDataException(
          path,
          footer.blockTableOffset(),
          footer.chunkCount() + " chunks in blocks up to " + footer.chunkTableOffset(),
          layout.chunkCount() + " up to " + at);
    }
    return layout.build();
  }

  /**
   * Reads the whole directory.
   *
   * @throws CorruptDataException if a table or the footer is damaged or missing
   */
  static ContainerDirectory readDirectory(StoredContainer file, Identity expected)
      throws IOException {
    Footer footer = readFooter(file, expected);
    byte[] tables =
        read(
            file,
            footer.chunkTableOffset(),
            Math.toIntExact(footer.chunkTableBytes() + footer.blockTableBytes()));
    int chunkTableBytes = Math.toIntExact(footer.chunkTableBytes());
    ContainerLayout layout =
        decodeLayout(
            file.path(), footer, Arrays.copyOfRange(tables, chunkTableBytes, tables.length));
    int crc = ContainerFormat.crc(tables, 0, chunkTableBytes);
    if (crc != footer.chunkTableCrc()) {
      throw new CorruptDataException(
          file.path(),
          footer.chunkTableOffset(),
          "a chunk table with checksum " + ContainerFormat.hex(footer.chunkTableCrc()),
          ContainerFormat.hex(crc));
    }
    int count = footer.chunkCount();
    FingerprintBatch chunks = new FingerprintBatch(expected.kind(), Math.max(1, count));
    chunks.setCount(count);
    System.arraycopy(tables, 0, chunks.fingerprints(), 0, count * Fingerprint.BYTES);
    int width = footer.lengthBytes();
    for (int slot = 0; slot < count; slot++) {
      chunks.lengths()[slot] =
          ContainerFormat.decodeLength(tables, count * Fingerprint.BYTES + slot * width, width);
    }
    return new ContainerDirectory(expected.number(), layout, chunks);
  }

  /** Reads the footer of a file whose tables are sound too. */
  static Footer readSoundFooter(StoredContainer file, Identity expected) throws IOException {
    readDirectory(file, expected);
    return readFooter(file, expected);
  }

  private static void checkCrc(String path, long offset, String what, int expected, byte[] bytes)
      throws CorruptDataException {
    int found = ContainerFormat.crc(bytes, 0, bytes.length);
    if (found != expected) {
      throw new CorruptDataException(
          path,
          offset,
          "a " + what + " with checksum " + ContainerFormat.hex(expected),
          ContainerFormat.hex(found));
    }
  }

  private static void checkSize(StoredContainer file, long size) throws CorruptDataException {
    if (size < ContainerFormat.HEADER_BYTES + ContainerFormat.FOOTER_BYTES
        || size > Integer.MAX_VALUE) {
      throw new CorruptDataException(
          file.path(), -1, "a file as long as a container", size + " bytes");
    }
  }

  /**
   * Reads a range.
   *
   * @throws CorruptDataException if the file ends before it
   */
  static byte[] read(StoredContainer file, long offset, int length) throws IOException {
    byte[] bytes = new byte[length];
    try {
      file.readFully(offset, ByteBuffer.wrap(bytes));
    } catch (EOFException e) {
      throw new CorruptDataException(
          file.path(), offset, length + " bytes", "a file of " + file.sizeBytes() + " bytes");
    }
    return bytes;
  }
}
