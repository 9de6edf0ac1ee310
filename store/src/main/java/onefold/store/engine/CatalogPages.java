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

/**
 * The catalog's pages as node chunks of a domain of their own, so that no tenant's domain holds
 * another's names and the catalog is read before any other domain is.
 */
final class CatalogPages implements NodeStore {
  private final Domain domain;
  private final Fingerprinter fingerprinter;
  private final FingerprintBatch one = new FingerprintBatch(ChunkKind.NODE, 1);
  private final Places places = new Places(1);

  CatalogPages(Domain domain) {
    this.domain = domain;
    this.fingerprinter = new Fingerprinter(domain.parameterSet());
  }

  @Override
  public Fingerprint put(byte[] page, int lengthBytes) throws IOException {
    Fingerprint fingerprint = fingerprinter.fingerprint(page, 0, lengthBytes);
    one.clear();
    one.add(fingerprint, lengthBytes);
    domain.lookup(one, places);
    if (!places.isPresent(0)) {
      try (BlockBuilder builder =
          new BlockBuilder(ChunkKind.NODE, BlockCodec.LZ4, BlockBuilder.INLINE_ZSTD_LEVEL)) {
        builder.add(page, 0, lengthBytes);
        int length = builder.encode();
        domain.append(ChunkKind.NODE, builder.bytes(), 0, length, one);
      }
    }
    return fingerprint;
  }

  @Override
  public byte[] get(Fingerprint fingerprint) throws IOException {
    return domain.node(fingerprint.toBytes(), 0);
  }
}
