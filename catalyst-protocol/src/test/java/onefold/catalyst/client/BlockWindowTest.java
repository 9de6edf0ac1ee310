package onefold.catalyst.client;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Arrays;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockFormat;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.Slice;
import onefold.catalyst.wire.WireException;
import onefold.chunker.ChunkKind;
import org.junit.jupiter.api.Test;

/** Which blocks a server may refer to, as docs/protocol/catalyst.md says. */
class BlockWindowTest {
  private static final int CHUNK_BYTES = 64 << 10;

  @Test
  void theLastBlocksMayBeReferredTo() throws IOException {
    BlockWindow window = filled(block(1), BlockWindow.BLOCKS + 2);

    assertThrows(WireException.class, () -> window.get(1));
    assertDoesNotThrow(() -> window.get(2));
    assertDoesNotThrow(() -> window.get(BlockWindow.BLOCKS + 1));
  }

  @Test
  void ofLargeBlocksOnlySoManyBytes() throws IOException {
    int largest = (int) (BlockWindow.BYTES / BlockFormat.MAX_RAW_BYTES);
    BlockWindow window = filled(block(BlockFormat.MAX_RAW_BYTES / CHUNK_BYTES), largest + 2);

    assertThrows(WireException.class, () -> window.get(1));
    assertDoesNotThrow(() -> window.get(2));
    assertDoesNotThrow(() -> window.get(largest + 1));
  }

  @Test
  void whatHasNoHeaderIsDamaged() {
    Slice nothing = new Slice(new byte[8], 0, 8);

    CatalystException refusal =
        assertThrows(CatalystException.class, () -> new BlockWindow().add(0, nothing));

    assertEquals(ErrorCode.CORRUPT_DATA, refusal.code());
  }

  private static BlockWindow filled(Slice block, int count) throws IOException {
    BlockWindow window = new BlockWindow();
    for (int number = 0; number < count; number++) {
      window.add(number, block);
    }
    return window;
  }

  private static Slice block(int chunks) throws IOException {
    try (BlockBuilder builder = new BlockBuilder(ChunkKind.DATA, BlockCodec.NONE, 0)) {
      for (int chunk = 0; chunk < chunks; chunk++) {
        builder.add(new byte[CHUNK_BYTES], 0, CHUNK_BYTES);
      }
      int length = builder.encode();
      return new Slice(Arrays.copyOf(builder.bytes(), length), 0, length);
    }
  }
}
