package onefold.replication;

import java.io.IOException;
import onefold.catalyst.client.CopySource;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.ChunkStore;
import onefold.store.Id;
import onefold.store.ObjectReader;
import onefold.store.StoredChunks;

/**
 * An object of a local store as what a copy is made from. Owns a reader, which keeps the object.
 */
final class StoredObject implements CopySource, AutoCloseable {
  private final int parameterSet;
  private final ObjectRoot root;
  private final ObjectReader reader;

  StoredObject(ChunkStore store, Id domainId, int parameterSet, ObjectRoot root)
      throws IOException {
    this.parameterSet = parameterSet;
    this.root = root;
    this.reader = store.openReader(domainId, root);
  }

  @Override
  public int parameterSet() {
    return parameterSet;
  }

  @Override
  public ObjectRoot root() {
    return root;
  }

  @Override
  public byte[] node(Fingerprint node) throws IOException {
    return reader.node(node.toBytes(), 0);
  }

  @Override
  public void range(long startBytes, long endBytes, Taker taker) throws IOException {
    try (StoredChunks walk = reader.storedChunks(startBytes, endBytes)) {
      while (true) {
        switch (walk.next()) {
          case StoredChunks.Step.Block(long number, byte[] bytes, int offset, int length) ->
              taker.block(number, bytes, offset, length);
          case StoredChunks.Step.Extent extent ->
              taker.chunk(extent.blockNumber(), extent.chunkIndex(), extent.fingerprint());
          case StoredChunks.Step.Zeros _ -> {}
          case StoredChunks.Step.End() -> {
            return;
          }
        }
      }
    }
  }

  @Override
  public void close() {
    reader.close();
  }
}
