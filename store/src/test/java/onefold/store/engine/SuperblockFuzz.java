package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.testing.fuzz.FuzzTarget;

/** Superblocks, docs/formats/superblock.md. */
public final class SuperblockFuzz implements FuzzTarget {
  @Override
  public String name() {
    return "superblock";
  }

  @Override
  public List<byte[]> samples() {
    byte[] root = new byte[40];
    Arrays.fill(root, (byte) 7);
    return List.of(
        SuperblockFormat.encode(new Superblock(1, new Id(1, 2), 1, 1, 5, new byte[0], 0)),
        SuperblockFormat.encode(
            new Superblock(9, new Id(1, 2), 3, 77, 5, root, Superblock.SHARES)));
  }

  @Override
  public byte[] repaired(byte[] input) {
    byte[] bytes = Arrays.copyOf(input, SuperblockFormat.FILE_BYTES);
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, bytes.length - 4);
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(bytes.length - 4, (int) crc.getValue());
    return bytes;
  }

  /** What stands behind the root is not looked at, so only the second encoding is the same. */
  @Override
  public void decode(byte[] input) throws IOException {
    Superblock superblock = SuperblockFormat.decode("superblock", input);
    byte[] encoded = SuperblockFormat.encode(superblock);
    assertArrayEquals(
        encoded, SuperblockFormat.encode(SuperblockFormat.decode("superblock", encoded)));
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof CorruptDataException || thrown instanceof RefusedException;
  }
}
