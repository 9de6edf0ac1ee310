package onefold.catalyst.wire;

import java.io.IOException;
import onefold.testing.RealClients;
import onefold.testing.fuzz.Fuzzing;
import org.junit.jupiter.api.Test;

/** The protocol's decoder under its kept corpus and a second of mutations. */
class MessageFuzzTest {
  @Test
  void whatIsMalformedIsRefusedAndCostsNoMoreThanItsLength() throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    Fuzzing.run(new MessageFuzz(), seed, RealClients.gateIsFull() ? 100_000 : 10_000);
  }
}
