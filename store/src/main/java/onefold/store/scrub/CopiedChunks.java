package onefold.store.scrub;

import java.io.IOException;
import java.util.Optional;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.catalog.QuarantinedChunk;
import onefold.store.container.ReadPace;

/** Repairs by storing copies of the chunks, which somebody else has, again. */
public final class CopiedChunks implements RepairSource {
  private final String name;
  private final ScrubGround ground;
  private final ChunkSource source;
  private final Fingerprinter fingerprinter;

  /** Takes chunks from {@code source}. */
  public CopiedChunks(String name, ScrubGround ground, ParameterSet set, ChunkSource source) {
    this.name = name;
    this.ground = ground;
    this.source = source;
    this.fingerprinter = new Fingerprinter(set);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean repair(long containerNumber, ReadPace pace) throws IOException {
    byte[] computed = new byte[Fingerprint.BYTES];
    for (QuarantinedChunk chunk : ground.quarantined()) {
      if (chunk.containerNumber() != containerNumber) {
        continue;
      }
      Optional<byte[]> found = source.chunk(chunk.kind(), chunk.fingerprint());
      if (found.isEmpty()) {
        continue;
      }
      byte[] bytes = found.orElseThrow();
      fingerprinter.fingerprint(bytes, 0, bytes.length, computed, 0);
      if (!Fingerprint.of(computed, 0).equals(chunk.fingerprint())) {
        throw new CorruptDataException(
            "chunk " + chunk.fingerprint() + " from " + name,
            -1,
            "its bytes",
            "chunk " + Fingerprint.of(computed, 0));
      }
      ground.store(chunk, bytes);
    }
    return false; // The container stays as it is; nobody needs what is damaged in it any more.
  }
}
