package onefold.store.container;

import java.io.IOException;
import java.util.Arrays;
import java.util.function.Consumer;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.container.ContainerFormat.Footer;
import onefold.store.container.ContainerFormat.Identity;
import onefold.store.container.ContainerStore.StoredContainer;

/** Reads a sealed container from its first byte to its last and tells what is wrong with it. */
final class ContainerVerifier {
  private final StoredContainer file;
  private final Identity identity;
  private final ParameterSet parameterSet;
  private final ReadPace pace;
  private final Consumer<Finding> findings;

  ContainerVerifier(
      StoredContainer file,
      Identity identity,
      ParameterSet parameterSet,
      ReadPace pace,
      Consumer<Finding> findings) {
    this.file = file;
    this.identity = identity;
    this.parameterSet = parameterSet;
    this.pace = pace;
    this.findings = findings;
  }

  /** Answers how many plain bytes are good. */
  long run(boolean deep) throws IOException {
    try {
      byte[] header = ContainerFile.read(file, 0, ContainerFormat.HEADER_BYTES);
      ContainerFormat.checkHeader(file.path(), header, identity);
    } catch (CorruptDataException e) {
      findings.accept(Finding.of(e));
    }
    ContainerDirectory directory;
    try {
      directory = ContainerFile.readDirectory(file, identity);
      checkRoots(directory);
    } catch (CorruptDataException e) {
      findings.accept(Finding.of(e));
      pace.before(file.sizeBytes());
      BlockScan.Found found = BlockScan.scan(file, identity, file.sizeBytes(), false);
      CorruptDataException damage = found.damage();
      if (damage == null && ContainerFile.sealedBytes(found) != file.sizeBytes()) {
        damage = e; // Behind the last frame that can be read there were more.
      }
      if (damage != null) {
        findings.accept(Finding.withChunks(damage));
      }
      return found.layout().rawSum();
    }
    long good = 0;
    Fingerprinter fingerprinter = new Fingerprinter(parameterSet);
    try (BlockReader reader = new BlockReader()) {
      for (int block = 0; block < directory.blockCount(); block++) {
        BlockLocation location = directory.block(block);
        pace.before(ContainerFormat.FRAME_BYTES + location.storedBytes());
        try {
          checkBlock(location, directory, deep, reader, fingerprinter);
          good += location.rawBytes();
        } catch (CorruptDataException e) {
          findings.accept(Finding.ofBlock(e, location));
        }
      }
    }
    return good;
  }

  private void checkRoots(ContainerDirectory directory) throws IOException {
    Footer footer = ContainerFile.readFooter(file, identity);
    byte[] table =
        ContainerFile.read(
            file, footer.blockTableOffset(), Math.toIntExact(footer.blockTableBytes()));
    if (!Arrays.equals(footer.contentRoot(), SealRoots.content(directory.chunks()))
        || !Arrays.equals(footer.storedRoot(), SealRoots.stored(table))) {
      throw new CorruptDataException(
          file.path(),
          file.sizeBytes() - ContainerFormat.FOOTER_BYTES,
          "the roots of the tables",
          "others");
    }
  }

  private void checkBlock(
      BlockLocation location,
      ContainerDirectory directory,
      boolean deep,
      BlockReader reader,
      Fingerprinter fingerprinter)
      throws IOException {
    if (location.rawBytes() == 0) {
      throw new CorruptDataException(
          file.path(),
          location.offsetBytes(),
          "a block with " + location.chunkCount() + " chunks",
          "bytes that were damaged before the container was sealed");
    }
    long frameAt = location.offsetBytes() - ContainerFormat.FRAME_BYTES;
    byte[] bytes =
        ContainerFile.read(file, frameAt, ContainerFormat.FRAME_BYTES + location.storedBytes());
    byte[] frame = new byte[ContainerFormat.FRAME_BYTES];
    ContainerFormat.encodeFrame(
        frame,
        0,
        identity,
        frameAt,
        location.storedBytes(),
        location.firstSlot(),
        location.chunkCount(),
        location.checksum());
    if (!Arrays.equals(bytes, 0, frame.length, frame, 0, frame.length)) {
      throw new CorruptDataException(
          file.path(), frameAt, "the frame of block " + location.block(), "other bytes");
    }
    int crc = ContainerFormat.crc(bytes, frame.length, location.storedBytes());
    if (crc != location.checksum()) {
      throw new CorruptDataException(
          file.path(),
          location.offsetBytes(),
          "a block with checksum " + ContainerFormat.hex(location.checksum()),
          ContainerFormat.hex(crc));
    }
    if (deep) {
      try {
        checkChunks(location, directory, reader, fingerprinter, bytes);
      } catch (BlockFormatException e) {
        throw BlockScan.corrupt(file.path(), location.offsetBytes(), e);
      }
    }
  }

  private void checkChunks(
      BlockLocation location,
      ContainerDirectory directory,
      BlockReader reader,
      Fingerprinter fingerprinter,
      byte[] bytes)
      throws IOException {
    reader.parse(bytes, ContainerFormat.FRAME_BYTES, location.storedBytes());
    if (reader.chunkCount() != location.chunkCount()
        || reader.rawBytes() != location.rawBytes()
        || reader.kind() != identity.kind()) {
      throw new CorruptDataException(
          file.path(),
          location.offsetBytes(),
          location.chunkCount() + " chunks of " + location.rawBytes() + " bytes",
          reader.chunkCount() + " of " + reader.rawBytes());
    }
    byte[] raw = reader.decompress();
    byte[] fingerprint = new byte[Fingerprint.BYTES];
    int at = 0;
    for (int i = 0; i < reader.chunkCount(); i++) {
      int slot = location.firstSlot() + i;
      int length = reader.chunkLengths()[i];
      fingerprinter.fingerprint(raw, at, length, fingerprint, 0);
      at += length;
      int expectedAt = slot * Fingerprint.BYTES;
      if (length != directory.chunks().lengthBytes(slot)
          || !Arrays.equals(
              fingerprint,
              0,
              Fingerprint.BYTES,
              directory.chunks().fingerprints(),
              expectedAt,
              expectedAt + Fingerprint.BYTES)) {
        throw new CorruptDataException(
            file.path(),
            location.offsetBytes(),
            "chunk " + directory.chunks().fingerprint(slot) + " in slot " + slot,
            "chunk " + Fingerprint.of(fingerprint, 0) + " of " + length + " bytes");
      }
    }
  }
}
