package onefold.catalyst.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class InFlightTest {
  private static final long SECOND = 1_000_000_000L;
  private static final int FRAME = 128 << 10;

  private final InFlight line = new InFlight();

  /** Sends as long as it is allowed and returns how much is under way then. */
  private long fill(long now, int frame) {
    long sent = 0;
    while (line.allows(frame, now)) {
      line.sent(frame);
      sent += frame;
    }
    return sent;
  }

  @Test
  void aPeerThatWorksNothingOffIsSentOneMebibyteHoweverWideItsWindow() {
    line.credited(64 << 20, 0);
    assertEquals(InFlight.LEAST_BYTES, fill(0, FRAME));
    assertFalse(line.allows(FRAME, 100 * SECOND));
  }

  @Test
  void aSlowLineIsNotFlooded() {
    line.credited(4 << 20, 0);
    long underWay = fill(0, FRAME);
    for (int second = 1; second <= 10; second++) {
      line.credited(256 << 10, second * SECOND);
      underWay += fill(second * SECOND, FRAME) - (256 << 10);
      assertTrue(underWay <= InFlight.LEAST_BYTES, "second " + second + ": " + underWay);
    }
  }

  @Test
  void aQuickLineMayCarryWhatItTookInTheLastSecond() {
    line.credited(64 << 20, 0);
    fill(0, FRAME);
    long now = 0;
    for (int i = 0; i < 1000; i++) {
      now += SECOND / 1000;
      line.credited(FRAME, now);
      line.sent(FRAME);
    }
    assertTrue(line.limitBytes(now) > 100L * FRAME, () -> "" + line.limitBytes(2 * SECOND));
    // Two silent seconds later it is a slow line again.
    assertEquals(InFlight.LEAST_BYTES, line.limitBytes(now + 3 * SECOND));
  }

  @Test
  void aFrameAsLongAsAnyIsSentWhenHardlyAnythingIsUnderWay() {
    line.credited(4 << 20, 0);
    line.sent(FrameFormat.UNSAID_CREDIT_BYTES);
    assertTrue(line.allows(FrameFormat.MAX_PAYLOAD_BYTES, 0));
    line.sent(1);
    assertFalse(line.allows(FrameFormat.MAX_PAYLOAD_BYTES, 0));
  }
}
