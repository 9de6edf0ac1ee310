package onefold.store.container;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import onefold.block.BlockFormat;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.container.ContainerStore.StoredContainer;
import onefold.testing.fuzz.FuzzTarget;

/**
 * Whole containers, docs/formats/container.md: the deep read-back of a sealed one, and the scan by
 * which a directory is made again from the blocks.
 */
public final class ContainerFuzz implements FuzzTarget {
  @Override
  public String name() {
    return "container";
  }

  @Override
  public List<byte[]> samples() throws IOException {
    return ContainerBytes.samples();
  }

  @Override
  public byte[] repaired(byte[] input) {
    return ContainerBytes.repaired(input);
  }

  @Override
  public void decode(byte[] input) throws IOException {
    try (StoredContainer file = new ContainerBytes(input)) {
      List<CorruptDataException> damages = new ArrayList<>();
      long good =
          new ContainerVerifier(
                  file,
                  ContainerBytes.IDENTITY,
                  ParameterSet.SET_1,
                  ReadPace.NONE,
                  finding -> damages.add(finding.what()))
              .run(true);
      if (good < 0) {
        throw new AssertionError(good + " good bytes");
      }
      for (boolean exact : new boolean[] {false, true}) {
        BlockScan.Found found =
            BlockScan.scan(file, ContainerBytes.IDENTITY, file.sizeBytes(), exact);
        if (found.endBytes() > Math.max(input.length, ContainerFormat.HEADER_BYTES)
            || found.chunks().count() != found.layout().chunkCount()) {
          throw new AssertionError("scan to " + found.endBytes() + " of " + input.length);
        }
      }
      if (!damages.isEmpty()) {
        throw damages.getFirst();
      }
    }
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof CorruptDataException || ContainerBytes.isNewer(thrown);
  }

  /**
   * A read-back and two scans may each decompress a block of any claimed size; what else they take
   * grows with what they read.
   */
  @Override
  public long allocationBound(int inputBytes) {
    return 3L * BlockFormat.MAX_RAW_BYTES + (1 << 20) + 512L * inputBytes;
  }
}
