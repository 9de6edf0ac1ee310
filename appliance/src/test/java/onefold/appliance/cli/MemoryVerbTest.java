package onefold.appliance.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import onefold.appliance.RunningAppliance;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The one number of memory as somebody types it. */
class MemoryVerbTest {
  @TempDir private Path folder;

  @Test
  void whoHasHowMuchIsShownAndAnotherNumberIsTakenInsideTheCeiling() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertTrue(onefold.ok("stats").contains("clients' transfers"));
      assertTrue(onefold.ok("config", "memory", "300MiB").contains(Size.format(300L << 20)));
      assertTrue(onefold.ok("config", "memory").contains(Size.format(300L << 20)));
      for (String size : new String[] {"100MiB", "1000TiB"}) {
        Outcome refused = onefold.run("config", "memory", size);
        assertTrue(
            refused.exitCode() != 0 && refused.err().contains("start it with --memory"),
            refused.toString());
      }
    }
  }
}
