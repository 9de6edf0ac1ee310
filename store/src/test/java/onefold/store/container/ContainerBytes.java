package onefold.store.container;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import onefold.store.Id;
import onefold.store.container.ContainerFormat.Identity;
import onefold.store.container.ContainerStore.StoredContainer;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.SimulatedDevice;
import onefold.testing.fuzz.BlockFuzz;

/** The bytes of a container to be read, and what the fuzz targets of containers share. */
final class ContainerBytes implements StoredContainer {
  static final Identity IDENTITY =
      new Identity(Id.ofHex("00112233445566778899aabbccddeeff"), ChunkKind.DATA, 1, 7, 1, 1);

  private final byte[] bytes;

  ContainerBytes(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Containers of a raw block, an LZ4 and a zstd one, and of nothing. */
  static List<byte[]> samples() throws IOException {
    List<byte[]> samples = new ArrayList<>();
    samples.add(sample());
    samples.add(sample(BlockCodec.NONE));
    samples.add(sample(BlockCodec.LZ4, BlockCodec.ZSTD));
    return samples;
  }

  private static byte[] sample(BlockCodec... codecs) throws IOException {
    SimulatedDevice device = new SimulatedDevice();
    DeviceContainerStore store = DeviceContainerStore.open(device, "d");
    try (var scheduler = new ThreadScheduler(1, (name, failure) -> failure.printStackTrace());
        StoredContainer file = store.create(ChunkKind.DATA, 7, 1)) {
      ContainerFile.writeHeader(file, IDENTITY, new Id(1, 2));
      OpenContainer container =
          new OpenContainer(store, file, IDENTITY, scheduler.lock("container"));
      for (BlockCodec codec : codecs) {
        append(container, codec);
      }
      container.full();
      container.seal();
    }
    return device.peek("d/data/0000000000000007-1.container");
  }

  private static void append(OpenContainer container, BlockCodec codec) throws IOException {
    Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.SET_1);
    FingerprintBatch batch = new FingerprintBatch(ChunkKind.DATA, 3);
    byte[] text = (codec + " again and again, ").repeat(8).getBytes(StandardCharsets.US_ASCII);
    try (BlockBuilder builder = new BlockBuilder(ChunkKind.DATA, codec, 1)) {
      for (int length : new int[] {text.length, 5, text.length / 2}) {
        builder.add(text, 0, length);
        batch.add(fingerprinter.fingerprint(text, 0, length), length);
      }
      int length = builder.encode();
      container.append(builder.bytes(), 0, length, batch);
    }
  }

  /** Makes the checksums right: of blocks, frames, rows, tables, header and footer. */
  static byte[] repaired(byte[] bytes) {
    if (bytes.length < ContainerFormat.HEADER_BYTES) {
      return bytes;
    }
    seal(bytes, 0, ContainerFormat.HEADER_BYTES);
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int footer = bytes.length - ContainerFormat.FOOTER_BYTES;
    long chunkTable = 0;
    long blockTable = 0;
    if (footer >= ContainerFormat.HEADER_BYTES) {
      chunkTable = b.getLong(footer + 76);
      blockTable = b.getLong(footer + 84);
    }
    int row = Math.clamp(blockTable, 0, bytes.length);
    for (int at = ContainerFormat.HEADER_BYTES;
        bytes.length - at >= ContainerFormat.FRAME_BYTES
            && ContainerFormat.hasFrameMagic(bytes, at); ) {
      int block = at + ContainerFormat.FRAME_BYTES;
      int stored = ContainerFormat.frameStoredBytes(bytes, at);
      if (stored < 0 || stored > bytes.length - block) {
        break;
      }
      BlockFuzz.repair(bytes, block, stored);
      int crc = ContainerFormat.crc(bytes, block, stored);
      ContainerFormat.encodeFrame(
          bytes,
          at,
          IDENTITY,
          at,
          stored,
          ContainerFormat.frameFirstSlot(bytes, at),
          ContainerFormat.frameChunkCount(bytes, at),
          crc);
      if (row > 0 && footer - row >= ContainerFormat.TABLE_ROW_BYTES) {
        ContainerFormat.setInt(bytes, row + 12, crc);
        row += ContainerFormat.TABLE_ROW_BYTES;
      }
      at = block + stored;
    }
    if (footer < ContainerFormat.HEADER_BYTES) {
      return bytes;
    }
    if (chunkTable >= 0 && chunkTable <= blockTable && blockTable <= footer) {
      int length = (int) (blockTable - chunkTable);
      b.putInt(footer + 116, ContainerFormat.crc(bytes, (int) chunkTable, length));
      b.putInt(
          footer + 120, ContainerFormat.crc(bytes, (int) blockTable, footer - (int) blockTable));
    }
    seal(bytes, footer, ContainerFormat.FOOTER_BYTES);
    return bytes;
  }

  private static void seal(byte[] bytes, int at, int length) {
    ContainerFormat.setInt(bytes, at + length - 4, ContainerFormat.crc(bytes, at, length - 4));
  }

  /** Whether a container was refused because a newer release or a later epoch wrote it. */
  static boolean isNewer(Throwable thrown) {
    String message = String.valueOf(thrown.getMessage());
    return thrown.getClass() == IOException.class
        && (message.contains("this release knows version") || message.endsWith(" is over"));
  }

  @Override
  public String path() {
    return "fuzzed.container";
  }

  @Override
  public void readFully(long positionBytes, ByteBuffer target) throws IOException {
    if (positionBytes < 0 || positionBytes + target.remaining() > bytes.length) {
      throw new EOFException(positionBytes + " of " + bytes.length);
    }
    target.put(bytes, (int) positionBytes, target.remaining());
  }

  @Override
  public long sizeBytes() {
    return bytes.length;
  }

  @Override
  public void append(long positionBytes, ByteBuffer source) {
    throw new UnsupportedOperationException("only read");
  }

  @Override
  public void force() {
    throw new UnsupportedOperationException("only read");
  }

  @Override
  public void truncate(long sizeBytes) {
    throw new UnsupportedOperationException("only read");
  }

  @Override
  public void seal() {
    throw new UnsupportedOperationException("only read");
  }

  @Override
  public void close() {}
}
