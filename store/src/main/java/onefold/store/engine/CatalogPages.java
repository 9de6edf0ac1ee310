package onefold.store.engine;

import java.io.IOException;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.store.catalog.NodeStore;
import onefold.store.index.Places;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;

/**
 * The catalog's pages as node chunks of a domain of their own, so that no tenant's domain holds
 * another's names and the catalog is read before any other domain is.
 */
final class CatalogPages implements NodeStore {
  private final Domain domain;
  private final Fingerprinter fingerprinter;
  private final FingerprintBatch one = new FingerprintBatch(ChunkKind.NODE, 1);
  private final Places places = new Places(1);
  private final SchedulerLock lock;
  private FingerprintBatch put = new FingerprintBatch(ChunkKind.NODE, 64); // guarded by lock

  CatalogPages(Domain domain, Scheduler scheduler) {
    this.domain = domain;
    this.lock = scheduler.lock("catalog-pages");
    this.fingerprinter = new Fingerprinter(domain.parameterSet());
  }

  @Override
  public Fingerprint put(byte[] page, int lengthBytes) throws IOException {
    Fingerprint fingerprint = fingerprinter.fingerprint(page, 0, lengthBytes);
    one.clear();
    one.add(fingerprint, lengthBytes);
    domain.lookup(one, places);
    lock.lock();
    try {
      put.add(fingerprint, lengthBytes);
    } finally {
      lock.unlock();
    }
    // Only now, as an upload: a cycle of housekeeping that begins here finds the page in the list.
    domain.protect(one, places);
    if (!places.isPresent(0)) {
      try (BlockBuilder builder =
          new BlockBuilder(ChunkKind.NODE, BlockCodec.LZ4, BlockBuilder.INLINE_ZSTD_LEVEL)) {
        builder.add(page, 0, lengthBytes);
        int length = builder.encode();
        domain.append(ChunkKind.NODE, 0, builder.bytes(), 0, length, one);
      }
    }
    return fingerprint;
  }

  /** Pages put since the last fold that is durable. */
  FingerprintBatch unnamed() {
    FingerprintBatch copy = new FingerprintBatch(ChunkKind.NODE, 64);
    lock.lock();
    try {
      for (int i = 0; i < put.count(); i++) {
        copy.add(put.fingerprints(), i * Fingerprint.BYTES, put.lengths()[i]);
      }
    } finally {
      lock.unlock();
    }
    return copy;
  }

  /** Says that the fold that put pages is durable, and the catalog stands on it. */
  void named() {
    lock.lock();
    try {
      put = new FingerprintBatch(ChunkKind.NODE, 64);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public byte[] get(Fingerprint fingerprint) throws IOException {
    return domain.node(fingerprint.toBytes(), 0);
  }
}
