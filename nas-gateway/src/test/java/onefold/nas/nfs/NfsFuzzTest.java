package onefold.nas.nfs;

import java.io.IOException;
import onefold.testing.RealClients;
import onefold.testing.fuzz.Fuzzing;
import org.junit.jupiter.api.Test;

/** The wire's decoders under their kept corpus and some thousands of mutations. */
class NfsFuzzTest {
  @Test
  void whateverComesIsAnsweredOrRefused() throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    Fuzzing.run(new NfsFuzz(), seed, RealClients.gateIsFull() ? 50_000 : 3_000);
  }

  @Test
  void whateverComesInASessionIsAnsweredOrRefused() throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    Fuzzing.run(new NfsSessionFuzz(), seed, RealClients.gateIsFull() ? 50_000 : 3_000);
  }
}
