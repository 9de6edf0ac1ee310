package onefold.store.index;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import onefold.store.CorruptDataException;
import onefold.testing.fuzz.FuzzTarget;

/** Manifests of the index, docs/formats/index.md. */
public final class ManifestFuzz implements FuzzTarget {
  private static final int LENGTH_AT = 48;
  private static final int LEAST_BYTES = 72;

  @Override
  public String name() {
    return "index-manifest";
  }

  @Override
  public List<byte[]> samples() throws IOException {
    return List.of(RunFuzz.sample("index-manifest-1.bin"));
  }

  @Override
  public byte[] repaired(byte[] input) {
    if (input.length >= LEAST_BYTES) {
      ByteBuffer b = ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN);
      b.putLong(LENGTH_AT, input.length);
      b.putInt(input.length - 4, RunFormat.crc(input, 0, input.length - 4));
    }
    return input;
  }

  @Override
  public void decode(byte[] input) throws IOException {
    ManifestFormat.Manifest manifest = ManifestFormat.decode("manifest", input);
    long[] numbers = {0};
    manifest.covered().ranges((first, last) -> numbers[0] += last - first + 1);
    if (numbers[0] < 0 || manifest.partitions().isEmpty()) {
      throw new AssertionError(numbers[0] + " containers");
    }
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof CorruptDataException;
  }

  /** A range of 16 bytes may stand for 65,536 containers: a bitmap of 8 KiB. */
  @Override
  public long allocationBound(int inputBytes) {
    return (64 << 10) + 2048L * inputBytes;
  }
}
