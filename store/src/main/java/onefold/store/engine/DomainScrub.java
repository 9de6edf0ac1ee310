package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.chunker.FingerprintBatch;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.catalog.QuarantinedChunk;
import onefold.store.container.ChunkPlace;
import onefold.store.container.Containers;
import onefold.store.scrub.DomainOptions;
import onefold.store.scrub.ScrubGround;

/** A domain as the scrub sees it. */
final class DomainScrub implements ScrubGround {
  /** Raw bytes of chunks that are stored again in one block, as those of a small upload. */
  private static final int BLOCK_BYTES = 128 << 10;

  /** As housekeeping's: a mark reads little for one node. */
  private static final int NODE_BLOCK_BYTES = 32 << 10;

  private final Domain domain;
  private final Domain.Names names;
  private final boolean flat;

  DomainScrub(Domain domain, Domain.Names names, boolean flat) {
    this.domain = domain;
    this.names = names;
    this.flat = flat;
  }

  @Override
  public Id id() {
    return domain.id();
  }

  @Override
  public Containers containers() {
    return domain.containers();
  }

  @Override
  public boolean holdsRecipes() {
    return !flat;
  }

  @Override
  public List<QuarantinedChunk> quarantined() {
    return domain.quarantinedChunks();
  }

  @Override
  public long quarantineVersion() {
    return domain.quarantineVersion();
  }

  @Override
  public boolean isFound(QuarantinedChunk chunk) throws IOException {
    return domain.isFound(chunk.kind(), chunk.fingerprint());
  }

  @Override
  public void quarantineBlock(long containerNumber, int block) throws IOException {
    domain.quarantineFound(containerNumber, block);
  }

  @Override
  public void restore(long containerNumber, boolean chunksUnknown) throws IOException {
    domain.foundWhole(containerNumber);
    if (chunksUnknown) {
      domain.publishForgotten(containerNumber);
    }
    restoreQuarantined(containerNumber);
    containers().forgetDamage(containerNumber);
  }

  /** Stores those chunks in quarantine at new places that can be read where they were. */
  void restoreQuarantined(long containerNumber) throws IOException {
    List<QuarantinedChunk> mine = new ArrayList<>();
    for (QuarantinedChunk chunk : domain.quarantinedChunks()) {
      if (chunk.containerNumber() == containerNumber) {
        mine.add(chunk);
      }
    }
    if (mine.isEmpty()) {
      return;
    }
    mine.sort(Comparator.comparingInt(QuarantinedChunk::slot)); // As neighbours, as they were.
    for (ChunkKind kind : ChunkKind.values()) {
      try (Gathering gathering = new Gathering(kind, true)) {
        for (QuarantinedChunk chunk : mine) {
          if (chunk.kind() == kind) {
            restore(chunk, gathering);
          }
        }
        gathering.flush();
      }
    }
  }

  private void restore(QuarantinedChunk chunk, Gathering gathering) throws IOException {
    byte[] bytes;
    try {
      bytes =
          domain
              .containers()
              .readChunk(
                  new ChunkPlace(chunk.containerNumber(), chunk.slot()),
                  chunk.fingerprint().toBytes(),
                  0);
    } catch (CorruptDataException e) {
      return; // It is still damaged; or another chunk is there, for which nothing was damaged.
    }
    gathering.add(chunk, bytes);
  }

  @Override
  public void store(QuarantinedChunk chunk, byte[] bytes) throws IOException {
    try (Gathering gathering = new Gathering(chunk.kind(), false)) {
      gathering.add(chunk, bytes);
      gathering.flush();
    }
  }

  /** Chunks that are stored again in one block. */
  private final class Gathering implements AutoCloseable {
    private final ChunkKind kind;
    private final boolean sound;
    private final BlockBuilder builder;
    private final FingerprintBatch batch;
    private final List<QuarantinedChunk> chunks = new ArrayList<>();

    /**
     * Gathers chunks of one kind.
     *
     * @param sound whether the places that were damaged are sound again; if not, the quarantine
     *     ends as it does for any copy that arrives
     */
    Gathering(ChunkKind kind, boolean sound) {
      this.kind = kind;
      this.sound = sound;
      this.builder = new BlockBuilder(kind, BlockCodec.LZ4, BlockBuilder.INLINE_ZSTD_LEVEL);
      this.batch = new FingerprintBatch(kind, 64);
    }

    void add(QuarantinedChunk chunk, byte[] bytes) throws IOException {
      int full = kind == ChunkKind.NODE ? NODE_BLOCK_BYTES : BLOCK_BYTES;
      if (builder.chunkCount() > 0
          && (builder.rawBytes() + bytes.length > full || !builder.fits(bytes.length))) {
        flush();
      }
      builder.add(bytes, 0, bytes.length);
      batch.add(chunk.fingerprint(), bytes.length);
      chunks.add(chunk);
    }

    void flush() throws IOException {
      if (chunks.isEmpty()) {
        return;
      }
      if (kind == ChunkKind.NODE) {
        domain.nodesResurrected(); // Before one of them is found.
      }
      int length = builder.encode();
      domain.append(kind, builder.bytes(), 0, length, batch);
      if (sound) {
        domain.release(chunks);
      }
      builder.reset();
      batch.clear();
      chunks.clear();
    }

    @Override
    public void close() {
      builder.close();
    }
  }

  @Override
  public void visitObjects(ItemVisitor visitor) throws IOException {
    names.visitObjects(domain, visitor);
  }

  @Override
  public Optional<ItemRecord> item(Id storeId, String name) throws IOException {
    return names.item(storeId, name);
  }

  @Override
  public byte[] node(byte[] fingerprints, int offset) throws IOException {
    return domain.node(fingerprints, offset);
  }

  @Override
  public DomainOptions options() throws IOException {
    return domain.options();
  }

  @Override
  public void keepParity(boolean parity) throws IOException {
    domain.change(options -> options.withParity(parity));
  }

  @Override
  public SortedMap<String, byte[]> records(String kind) throws IOException {
    return names.records(kind);
  }

  @Override
  public void putRecord(String kind, String key, Optional<byte[]> value) throws IOException {
    names.putRecord(kind, key, value);
  }

  @Override
  public long storeTimeMillis() {
    return names.storeTimeMillis();
  }
}
