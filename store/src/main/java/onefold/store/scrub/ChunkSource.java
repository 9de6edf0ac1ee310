package onefold.store.scrub;

import java.io.IOException;
import java.util.Optional;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;

/** Somebody who may have a sound copy of a chunk: a replica. */
@FunctionalInterface
public interface ChunkSource {
  /**
   * Fetches a chunk.
   *
   * @return its plain bytes, which the caller checks; empty if it is not to be had there
   */
  Optional<byte[]> chunk(ChunkKind kind, Fingerprint fingerprint) throws IOException;
}
