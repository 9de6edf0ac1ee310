package onefold.store.container;

import java.io.IOException;
import java.util.List;
import onefold.chunker.FingerprintBatch;
import onefold.store.CorruptDataException;
import onefold.store.container.ContainerStore.StoredContainer;
import onefold.testing.fuzz.FuzzTarget;

/** Header, tables and footer of sealed containers, docs/formats/container.md. */
public final class DirectoryFuzz implements FuzzTarget {
  @Override
  public String name() {
    return "directory";
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
      byte[] header = ContainerFile.read(file, 0, ContainerFormat.HEADER_BYTES);
      ContainerFormat.checkHeader(file.path(), header, ContainerBytes.IDENTITY);
      ContainerLayout layout = ContainerFile.readLayout(file, ContainerBytes.IDENTITY);
      ContainerDirectory directory = ContainerFile.readDirectory(file, ContainerBytes.IDENTITY);
      FingerprintBatch chunks = directory.chunks();
      check(layout.chunkCount() == chunks.count(), "chunks");
      check(layout.blockCount() == directory.blockCount(), "blocks");
      long end = 0;
      for (int block = 0; block < layout.blockCount(); block++) {
        BlockLocation location = layout.location(block);
        check(location.equals(directory.block(block)), "location");
        check(location.offsetBytes() >= end, "blocks overlap");
        end = location.offsetBytes() + (long) location.storedBytes();
      }
      check(end <= input.length, "a block behind the end");
      for (int slot = 0; slot < chunks.count(); slot++) {
        BlockLocation location = layout.location(layout.blockOf(slot));
        int inBlock = slot - location.firstSlot();
        check(inBlock >= 0 && inBlock < location.chunkCount(), "slot in another block");
      }
    }
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof CorruptDataException || ContainerBytes.isNewer(thrown);
  }
}
