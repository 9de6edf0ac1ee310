package onefold.store.index;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import onefold.store.CorruptDataException;

/** The file that names the runs of an index, as docs/formats/index.md fixes it. */
final class ManifestFormat {
  /** No manifest is larger; a larger file is damage. */
  static final long MAX_BYTES = 256L << 20;

  private static final long HEADER_MAGIC = 0x4e41_4d44_4e49_464fL; // "OFINDMAN"
  private static final long FOOTER_MAGIC = 0x444e_454e_414d_464fL; // "OFMANEND"
  private static final int VERSION = 1;
  private static final long EPOCH = 1;
  private static final int HEADER_BYTES = 56;
  private static final int PARTITION_BYTES = 24;
  private static final int RUN_BYTES = 24;
  private static final int RANGE_BYTES = 16;
  private static final int FOOTER_BYTES = 16;

  /** Read-compatible: entries may name nodes whose chunks have been swept. */
  private static final int DEAD_NODES = 1;

  private ManifestFormat() {}

  /** A partition as the manifest names it. */
  record PartitionEntry(int prefixBits, long prefix, boolean lost, List<Run.Identity> runs) {}

  /**
   * What a manifest says.
   *
   * @param nextRunId larger than the number of any run
   * @param partitions by ascending prefix, together all fingerprints
   * @param covered containers whose entries are all in the runs, but for lost partitions
   * @param deadNodes whether entries may name nodes whose chunks have been swept
   */
  record Manifest(
      long nextRunId, List<PartitionEntry> partitions, ContainerSet covered, boolean deadNodes) {}

  static byte[] encode(
      long nextRunId, List<Partition> partitions, ContainerSet covered, boolean deadNodes) {
    int[] ranges = new int[1];
    covered.ranges((first, last) -> ranges[0]++);
    long bytes = HEADER_BYTES + FOOTER_BYTES + (long) ranges[0] * RANGE_BYTES;
    for (Partition partition : partitions) {
      bytes += PARTITION_BYTES + (long) partition.whole().size() * RUN_BYTES;
    }
    if (bytes > MAX_BYTES) {
      throw new IllegalStateException("index manifest of " + bytes + " bytes");
    }
    var out = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(HEADER_MAGIC).putInt(VERSION).putInt(0).putInt(deadNodes ? DEAD_NODES : 0);
    out.putInt(0);
    out.putLong(EPOCH).putLong(nextRunId).putInt(partitions.size()).putInt(ranges[0]);
    out.putLong(bytes);
    for (Partition partition : partitions) {
      out.putLong(partition.prefix());
      out.putInt(partition.prefixBits());
      out.putInt(partition.lostAt() == 0 ? 0 : 1);
      out.putInt(partition.whole().size());
      out.putInt(0);
      for (Run run : partition.whole()) {
        Run.Identity identity = run.identity();
        out.putLong(identity.id());
        out.putInt(identity.entryCount());
        out.putInt(identity.remainderBits());
        out.putLong(identity.fileBytes());
      }
    }
    covered.ranges((first, last) -> out.putLong(first).putLong(last));
    out.putLong(FOOTER_MAGIC);
    out.putInt(0);
    out.putInt(RunFormat.crc(out.array(), 0, out.position()));
    return out.array();
  }

  /**
   * Reads a manifest.
   *
   * @throws CorruptDataException if it is damaged, or of another format or version
   */
  static Manifest decode(String file, byte[] bytes) throws CorruptDataException {
    if (bytes.length < HEADER_BYTES + FOOTER_BYTES) {
      throw new CorruptDataException(
          file, 0, "at least " + (HEADER_BYTES + FOOTER_BYTES) + " bytes", "" + bytes.length);
    }
    var in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int crcAt = bytes.length - 4;
    expect(file, 0, "magic", HEADER_MAGIC, in.getLong(0));
    expect(file, crcAt, "CRC", RunFormat.crc(bytes, 0, crcAt), in.getInt(crcAt));
    expect(file, 8, "version", VERSION, in.getInt(8));
    expect(file, 12, "flags", 0, in.getInt(12));
    expect(file, 16, "flags", 0, in.getInt(16) & ~DEAD_NODES);
    expect(file, 20, "key id", 0, in.getInt(20));
    expect(file, 24, "epoch", EPOCH, in.getLong(24));
    expect(file, 48, "bytes", bytes.length, in.getLong(48));
    expect(
        file,
        bytes.length - FOOTER_BYTES,
        "magic of the footer",
        FOOTER_MAGIC,
        in.getLong(bytes.length - FOOTER_BYTES));
    long nextRunId = in.getLong(32);
    int partitionCount = in.getInt(40);
    int rangeCount = in.getInt(44);
    in.position(HEADER_BYTES).limit(bytes.length - FOOTER_BYTES);
    try {
      if (partitionCount < 1 || partitionCount > IndexVersion.MAX_PARTITIONS) {
        throw new IllegalArgumentException(partitionCount + " partitions");
      }
      var partitions = new ArrayList<PartitionEntry>();
      for (int i = 0; i < partitionCount; i++) {
        partitions.add(partition(in));
      }
      checkCoverAll(partitions);
      var covered = new ContainerSet();
      for (int i = 0; i < rangeCount; i++) {
        addRange(covered, in.getLong(), in.getLong());
      }
      if (in.hasRemaining()) {
        throw new IllegalArgumentException(in.remaining() + " bytes too many");
      }
      return new Manifest(nextRunId, partitions, covered, in.getInt(16) == DEAD_NODES);
    } catch (IllegalArgumentException | BufferUnderflowException e) {
      throw new CorruptDataException(file, in.position(), "a manifest", String.valueOf(e));
    }
  }

  private static PartitionEntry partition(ByteBuffer in) {
    long prefix = in.getLong();
    int prefixBits = in.getInt();
    int lost = in.getInt();
    int runCount = in.getInt();
    in.getInt();
    if (prefixBits < 0 || prefixBits > RunFormat.MAX_PREFIX_BITS || lost < 0 || lost > 1) {
      throw new IllegalArgumentException("partition of " + prefixBits + " bits, flags " + lost);
    }
    if (runCount < 0 || runCount > in.remaining() / RUN_BYTES) {
      throw new IllegalArgumentException(runCount + " runs");
    }
    var runs = new ArrayList<Run.Identity>();
    for (int i = 0; i < runCount; i++) {
      runs.add(new Run.Identity(in.getLong(), in.getInt(), in.getInt(), in.getLong()));
    }
    return new PartitionEntry(prefixBits, prefix, lost == 1, runs);
  }

  /** Each partition begins where the one before it ends, and the last ends at the end. */
  private static void checkCoverAll(List<PartitionEntry> partitions) {
    long next = 0;
    for (int i = 0; i < partitions.size(); i++) {
      PartitionEntry partition = partitions.get(i);
      boolean wraps = i > 0 && next == 0;
      if (partition.prefix != next || wraps) {
        throw new IllegalArgumentException("a gap before partition " + i);
      }
      next += partition.prefixBits == 0 ? 0 : 1L << (Long.SIZE - partition.prefixBits);
    }
    if (next != 0) {
      throw new IllegalArgumentException("a gap behind the last partition");
    }
  }

  private static void addRange(ContainerSet set, long first, long last) {
    if (first >>> 16 != last >>> 16 || Long.compareUnsigned(first, last) > 0 || first == 0) {
      throw new IllegalArgumentException("containers from " + first + " to " + last);
    }
    for (long number = first; ; number++) {
      set.add(number);
      if (number == last) {
        return;
      }
    }
  }

  private static void expect(String file, long offset, String what, int expected, int found)
      throws CorruptDataException {
    expect(file, offset, what, Integer.toUnsignedLong(expected), Integer.toUnsignedLong(found));
  }

  private static void expect(String file, long offset, String what, long expected, long found)
      throws CorruptDataException {
    if (expected != found) {
      throw new CorruptDataException(
          file, offset, what + " " + Long.toHexString(expected), Long.toHexString(found));
    }
  }
}
