package onefold.store.container;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockFormat;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.container.ContainerFormat.Footer;
import onefold.store.container.ContainerFormat.Identity;
import onefold.store.container.ContainerStore.StoredContainer;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * How a container is written anew: neighbouring blocks are joined to large ones and compressed with
 * zstd at a level for which there is no time at ingest. Blocks that do not get smaller, and those
 * that are large already, are kept as they are. Every chunk is proven by its fingerprint before it
 * is written again, and again when the new file is read back, so damage is found and not kept.
 */
public final class Recompression {
  /** Raw bytes from which on a zstd block is large already. */
  public static final int STRONG_RAW_BYTES = 512 << 10;

  /** A new file must be smaller by this part of the old one. */
  static final int LEAST_GAIN_PART = 50;

  /** After so many bytes of blocks it is seen whether the rest is worth it. */
  private static final long TRIAL_BYTES = 8 << 20;

  /** Blocks being compressed at a time: each takes up to 4 MiB, and the codec's memory. */
  private static final int MAX_UNDER_WAY = 4;

  private final int zstdLevel;
  private final Progress progress;

  /** Hears how it goes on. */
  public interface Progress {
    /** Called between blocks; may wait, or end it all. */
    void between() throws IOException;

    /** A block cannot be read, or does not hold what it should. */
    void damaged(BlockLocation block) throws IOException;
  }

  /**
   * Makes one, for any number of containers one after the other.
   *
   * @param zstdLevel of the new blocks
   */
  public Recompression(int zstdLevel, Progress progress) {
    this.zstdLevel = zstdLevel;
    this.progress = progress;
  }

  /**
   * Writes the chunks of one generation into the next one and seals that.
   *
   * @return the new directory, or empty if it is not worth it
   */
  Optional<ContainerDirectory> write(
      StoredContainer old,
      Identity oldIdentity,
      ParameterSet set,
      Scheduler scheduler,
      OpenContainer next)
      throws IOException {
    Footer footer = ContainerFile.readFooter(old, oldIdentity);
    ContainerDirectory directory = ContainerFile.readDirectory(old, oldIdentity);
    try (Groups groups = new Groups(directory.kind(), scheduler, next);
        BlockReader reader = new BlockReader()) {
      Fingerprinter fingerprinter = new Fingerprinter(set);
      long readBytes = 0;
      for (int block = 0; block < directory.blockCount(); block++) {
        BlockLocation location = directory.block(block);
        if (location.rawBytes() == 0) {
          return Optional.empty(); // Its lost slots must stay as they are.
        }
        byte[] stored;
        byte[] raw;
        try {
          stored = read(old, location);
          raw = prove(old.path(), location, directory, stored, reader, fingerprinter);
        } catch (CorruptDataException e) {
          progress.damaged(location);
          throw e;
        }
        FingerprintBatch chunks = chunks(directory, location);
        if (reader.codec() == BlockCodec.ZSTD && reader.rawBytes() >= STRONG_RAW_BYTES) {
          groups.addAsItIs(stored, chunks);
        } else {
          groups.add(stored, raw, chunks);
        }
        boolean tried = readBytes < TRIAL_BYTES;
        readBytes += ContainerFormat.FRAME_BYTES + stored.length;
        if (tried && readBytes >= TRIAL_BYTES) {
          groups.finish();
          if (!isWorthIt(readBytes, next.endBytes())) {
            return Optional.empty();
          }
        }
        progress.between();
      }
      groups.finish();
    } finally {
      next.full();
    }
    if (!isWorthIt(footer.chunkTableOffset(), next.endBytes())) {
      return Optional.empty();
    }
    return Optional.of(next.seal(written -> proveWritten(next, set, footer)));
  }

  private static boolean isWorthIt(long oldBytes, long newBytes) {
    return newBytes <= oldBytes - oldBytes / LEAST_GAIN_PART;
  }

  private static byte[] read(StoredContainer file, BlockLocation location) throws IOException {
    byte[] stored = ContainerFile.read(file, location.offsetBytes(), location.storedBytes());
    int found = ContainerFormat.crc(stored, 0, stored.length);
    if (found != location.checksum()) {
      throw new CorruptDataException(
          file.path(),
          location.offsetBytes(),
          "a block with checksum " + ContainerFormat.hex(location.checksum()),
          ContainerFormat.hex(found));
    }
    return stored;
  }

  /** Decompresses a block and proves each of its chunks; the result is the reader's. */
  private static byte[] prove(
      String path,
      BlockLocation location,
      ContainerDirectory directory,
      byte[] stored,
      BlockReader reader,
      Fingerprinter fingerprinter)
      throws IOException {
    byte[] raw;
    try {
      reader.parse(stored, 0, stored.length);
      raw = reader.decompress();
    } catch (BlockFormatException e) {
      throw BlockScan.corrupt(path, location.offsetBytes(), e);
    }
    FingerprintBatch chunks = directory.chunks();
    byte[] fingerprint = new byte[Fingerprint.BYTES];
    boolean same =
        reader.kind() == directory.kind() && reader.chunkCount() == location.chunkCount();
    int at = 0;
    for (int i = 0; same && i < reader.chunkCount(); i++) {
      int slot = location.firstSlot() + i;
      int length = reader.chunkLengths()[i];
      fingerprinter.fingerprint(raw, at, length, fingerprint, 0);
      int expectedAt = slot * Fingerprint.BYTES;
      same =
          length == chunks.lengthBytes(slot)
              && Arrays.equals(
                  fingerprint,
                  0,
                  Fingerprint.BYTES,
                  chunks.fingerprints(),
                  expectedAt,
                  expectedAt + Fingerprint.BYTES);
      at += length;
    }
    if (!same) {
      throw new CorruptDataException(
          path,
          location.offsetBytes(),
          "the chunks of slots from " + location.firstSlot(),
          "others in block " + location.block());
    }
    return raw;
  }

  private static FingerprintBatch chunks(ContainerDirectory directory, BlockLocation location) {
    FingerprintBatch chunks = new FingerprintBatch(directory.kind(), location.chunkCount());
    for (int i = 0; i < location.chunkCount(); i++) {
      int slot = location.firstSlot() + i;
      chunks.add(
          directory.chunks().fingerprints(),
          slot * Fingerprint.BYTES,
          directory.chunks().lengthBytes(slot));
    }
    return chunks;
  }

  /** Reads the new file back before it gets its name. */
  private static void proveWritten(OpenContainer next, ParameterSet set, Footer before)
      throws IOException {
    next.file.force();
    List<CorruptDataException> damages = new ArrayList<>();
    new ContainerVerifier(
            next.file, next.identity, set, ReadPace.NONE, finding -> damages.add(finding.what()))
        .run(true);
    if (!damages.isEmpty()) {
      CorruptDataException first = damages.getFirst();
      throw new IOException("a container reads back otherwise than it was written", first);
    }
    Footer after = ContainerFile.readFooter(next.file, next.identity);
    if (!Arrays.equals(before.contentRoot(), after.contentRoot())) {
      throw new IllegalStateException(
          "container " + next.identity.number() + " would not hold what it held");
    }
  }

  /** Blocks that become one. */
  private final class Group {
    private final BlockBuilder builder;
    private final List<byte[]> stored = new ArrayList<>();
    private final List<FingerprintBatch> chunks = new ArrayList<>();
    private long storedBytes;
    private @Nullable Promise<Integer> encoded;

    Group(ChunkKind kind) {
      builder = new BlockBuilder(kind, BlockCodec.ZSTD, zstdLevel);
    }

    boolean fits(FingerprintBatch more) {
      long rawBytes = builder.rawBytes();
      for (int i = 0; i < more.count(); i++) {
        rawBytes += more.lengths()[i];
      }
      return rawBytes <= BlockFormat.MAX_RAW_BYTES
          && builder.chunkCount() + more.count() <= BlockFormat.MAX_CHUNKS;
    }

    void add(byte[] block, byte[] raw, FingerprintBatch more) {
      int at = 0;
      for (int i = 0; i < more.count(); i++) {
        builder.add(raw, at, more.lengths()[i]);
        at += more.lengths()[i];
      }
      addOriginal(block, more);
    }

    void addOriginal(byte[] block, FingerprintBatch more) {
      stored.add(block);
      chunks.add(more);
      storedBytes += ContainerFormat.FRAME_BYTES + block.length;
    }

    void appendTo(OpenContainer next) throws IOException {
      Promise<Integer> done = encoded;
      int length = done == null ? 0 : done.await();
      if (length > 0 && ContainerFormat.FRAME_BYTES + length < storedBytes) {
        FingerprintBatch all = new FingerprintBatch(chunks.getFirst().kind(), 64);
        for (FingerprintBatch part : chunks) {
          for (int i = 0; i < part.count(); i++) {
            all.add(part.fingerprints(), i * Fingerprint.BYTES, part.lengths()[i]);
          }
        }
        next.append(builder.bytes(), 0, length, all);
      } else {
        for (int i = 0; i < stored.size(); i++) {
          next.append(stored.get(i), 0, stored.get(i).length, chunks.get(i));
        }
      }
    }

    void reset() {
      builder.reset();
      stored.clear();
      chunks.clear();
      storedBytes = 0;
      encoded = null;
    }
  }

  /** Gathers blocks into groups, which are compressed beside each other and appended in order. */
  private final class Groups implements AutoCloseable {
    private final ChunkKind kind;
    private final Scheduler scheduler;
    private final OpenContainer next;
    private final int maxUnderWay;
    private final ArrayDeque<Group> underWay = new ArrayDeque<>();
    private final ArrayDeque<Group> free = new ArrayDeque<>();
    private @Nullable Group growing;

    Groups(ChunkKind kind, Scheduler scheduler, OpenContainer next) {
      this.kind = kind;
      this.scheduler = scheduler;
      this.next = next;
      this.maxUnderWay = Math.min(MAX_UNDER_WAY, scheduler.cores());
    }

    void add(byte[] stored, byte[] raw, FingerprintBatch chunks) throws IOException {
      if (growing != null && !growing.fits(chunks)) {
        start();
      }
      Group group = growing;
      if (group == null) {
        group = newGroup();
        growing = group;
      }
      group.add(stored, raw, chunks);
    }

    void addAsItIs(byte[] stored, FingerprintBatch chunks) throws IOException {
      start();
      Group group = newGroup();
      group.addOriginal(stored, chunks);
      underWay.addLast(group);
      append(maxUnderWay);
    }

    private Group newGroup() {
      Group group = free.pollFirst();
      return group == null ? new Group(kind) : group;
    }

    private void start() throws IOException {
      Group group = growing;
      if (group == null) {
        return;
      }
      growing = null;
      underWay.addLast(group);
      group.encoded = scheduler.compute("recompress", group.builder::encode);
      append(maxUnderWay);
    }

    /** Appends what is done, or is too much to wait for. */
    private void append(int mayStay) throws IOException {
      while (underWay.size() > mayStay) {
        Group first = underWay.getFirst();
        first.appendTo(next);
        underWay.removeFirst();
        first.reset();
        free.addLast(first);
      }
    }

    /** Appends all there is. */
    void finish() throws IOException {
      start();
      append(0);
    }

    @Override
    public void close() {
      if (growing != null) {
        growing.builder.close();
      }
      for (Group group : underWay) {
        Promise<Integer> encoded = group.encoded;
        if (encoded != null) {
          try {
            encoded.await(); // It uses the builder.
          } catch (IOException e) {
            throw new IllegalStateException("compressing hands out no such failure", e);
          }
        }
        group.builder.close();
      }
      for (Group group : free) {
        group.builder.close();
      }
    }
  }
}
