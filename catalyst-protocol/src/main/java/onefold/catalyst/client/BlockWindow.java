package onefold.catalyst.client;

import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.concurrent.locks.ReentrantLock;
import onefold.block.BlockFormat;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.Extents;
import onefold.catalyst.wire.Slice;
import onefold.catalyst.wire.WireException;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import org.jspecify.annotations.Nullable;

/**
 * The last blocks of a range, which extents may refer to. One thread calls it; blocks are opened by
 * workers.
 */
final class BlockWindow {
  /** How many of the last blocks a server may refer to. */
  static final int BLOCKS = 192;

  /** How many plain bytes those may have, but for the very last. */
  static final long BYTES = 64 << 20;

  /** A block as it came, decompressed by the first worker that needs it. */
  static final class Opened {
    private final ReentrantLock lock = new ReentrantLock();
    private final int rawBytes;
    private @Nullable Slice stored; // guarded by lock; let go once decompressed
    private byte[] raw = {}; // written under the lock before a run over it is reported done
    private int[] starts = {}; // guarded by lock; one more than there are chunks
    private byte[] fingerprints = {}; // guarded by lock
    private boolean[] computed = {}; // guarded by lock

    private Opened(Slice stored, int rawBytes) {
      this.stored = stored;
      this.rawBytes = rawBytes;
    }

    /** Returns the plain bytes; only after {@link #check} for an extent of it has returned. */
    byte[] raw() {
      return raw;
    }

    /**
     * Decompresses if nobody has, and checks the fingerprints of the chunks that extents {@code
     * from} to {@code to} use.
     *
     * @param positions takes where in {@link #raw} each extent's bytes begin
     * @throws CatalystException {@code CORRUPT_DATA} if a chunk is not what its fingerprint says
     */
    void check(
        Workers.Tools tools, ParameterSet set, Extents extents, int from, int to, int[] positions)
        throws IOException {
      lock.lock();
      try {
        if (stored != null) {
          decompress(tools.blockReader(), stored);
          stored = null;
        }
        Fingerprinter fingerprinter = tools.fingerprinter(set);
        for (int i = from; i < to; i++) {
          positions[i - from] = checkOne(fingerprinter, extents, i);
        }
      } finally {
        lock.unlock();
      }
    }

    private void decompress(BlockReader reader, Slice block) throws IOException {
      try {
        reader.parse(block.array(), block.offset(), block.lengthBytes());
        if (reader.kind() != ChunkKind.DATA) {
          throw new CatalystException(ErrorCode.CORRUPT_DATA, "a block of nodes came for data");
        }
        raw = Arrays.copyOf(reader.decompress(), reader.rawBytes());
      } catch (BlockFormatException e) {
        throw damaged(e);
      }
      int count = reader.chunkCount();
      starts = new int[count + 1];
      for (int i = 0; i < count; i++) {
        starts[i + 1] = starts[i] + reader.chunkLengths()[i];
      }
      fingerprints = new byte[count * Fingerprint.BYTES];
      computed = new boolean[count];
    }

    private int checkOne(Fingerprinter fingerprinter, Extents extents, int i) throws IOException {
      int chunk = extents.chunkIndex(i);
      if (chunk >= computed.length) {
        throw WireException.malformed(
            "extent of chunk " + chunk + " in a block of " + computed.length);
      }
      int length = starts[chunk + 1] - starts[chunk];
      if (extents.skipBytes(i) > length || extents.lengthBytes(i) > length - extents.skipBytes(i)) {
        throw WireException.malformed(
            "extent of "
                + extents.lengthBytes(i)
                + " at "
                + extents.skipBytes(i)
                + " in a chunk of "
                + length);
      }
      int at = chunk * Fingerprint.BYTES;
      if (!computed[chunk]) {
        fingerprinter.fingerprint(raw, starts[chunk], length, fingerprints, at);
        computed[chunk] = true;
      }
      int expected = extents.fingerprintOffset(i);
      if (!Arrays.equals(
          fingerprints,
          at,
          at + Fingerprint.BYTES,
          extents.array(),
          expected,
          expected + Fingerprint.BYTES)) {
        HexFormat hex = HexFormat.of();
        throw new CatalystException(
            ErrorCode.CORRUPT_DATA,
            "a chunk that the appliance sent is damaged: expected fingerprint "
                + hex.formatHex(extents.array(), expected, expected + Fingerprint.BYTES)
                + ", found "
                + hex.formatHex(fingerprints, at, at + Fingerprint.BYTES));
      }
      return starts[chunk] + extents.skipBytes(i);
    }
  }

  private final SequencedMap<Long, Opened> blocks = new LinkedHashMap<>();
  private long heldBytes;

  void add(long number, Slice stored) throws IOException {
    int rawBytes;
    try {
      rawBytes = BlockFormat.rawBytes(stored.array(), stored.offset(), stored.lengthBytes());
    } catch (BlockFormatException e) {
      throw damaged(e);
    }
    Opened before = blocks.putLast(number, new Opened(stored, rawBytes));
    heldBytes += rawBytes - (before == null ? 0 : before.rawBytes);
    while (blocks.size() > BLOCKS || (heldBytes > BYTES && blocks.size() > 1)) {
      heldBytes -= blocks.pollFirstEntry().getValue().rawBytes;
    }
  }

  private static CatalystException damaged(BlockFormatException why) {
    return new CatalystException(
        ErrorCode.CORRUPT_DATA, "a block that the appliance sent is damaged: " + why.getMessage());
  }

  Opened get(long number) throws WireException {
    Opened block = blocks.get(number);
    if (block == null) {
      throw WireException.malformed("extent of block " + number + ", which was not sent");
    }
    return block;
  }
}
