package onefold.catalyst.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import onefold.testing.fuzz.FuzzTarget;

/**
 * Payloads of the Catalyst protocol, docs/protocol/catalyst.md. An input is the code of the frame's
 * type, one byte, and the payload.
 */
public final class MessageFuzz implements FuzzTarget {
  @Override
  public String name() {
    return "protocol";
  }

  @Override
  public List<byte[]> samples() {
    List<byte[]> samples = new ArrayList<>();
    for (Message message : MessageFormatTest.oneOfEach()) {
      samples.add(encoded(message));
    }
    return samples;
  }

  private static byte[] encoded(Message message) {
    byte[] frame = MessageFormatTest.bytesOf(5, message);
    byte[] bytes = Arrays.copyOfRange(frame, FrameFormat.HEADER_BYTES - 1, frame.length);
    bytes[0] = frame[FrameFormat.TYPE_OFFSET];
    return bytes;
  }

  /**
   * Fields that another field turns off, and the padding of a PING, are not kept, so only the
   * second encoding is the same.
   */
  @Override
  public void decode(byte[] input) throws IOException {
    byte[] encoded = encoded(message(input));
    assertArrayEquals(encoded, encoded(message(encoded)));
  }

  private static Message message(byte[] input) throws WireException {
    FrameType type = input.length == 0 ? null : FrameType.of(input[0]);
    if (type == null) {
      throw WireException.malformed("no type of frame");
    }
    return new Frame(type, 5, Arrays.copyOfRange(input, 1, input.length)).message();
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof WireException;
  }
}
