package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.cli.Exit;
import onefold.appliance.json.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Comparing bytes before sharing, by the commands that a user types. */
class VerifyOnMatchWalkTest {
  @TempDir Path folder;

  private static JsonObject domain(RunningAppliance onefold) throws IOException {
    return onefold.json("domain", "ls").array("domains").objects().getFirst();
  }

  @Test
  void theClientFindsTheBandwidthByItselfAndAskedForTheOtherIsToldWhy() throws IOException {
    byte[] content = new byte[1_000_000];
    new Random(1).nextBytes(content);
    Path item = Files.write(folder.resolve("item"), content);
    Path back = folder.resolve("back");
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertFalse(domain(onefold).bool("verifyOnMatch", true));
      onefold.ok("put", item.toString(), "default/before");
      onefold.ok("domain", "set", "default", "--verify-on-match", "on");
      assertTrue(domain(onefold).bool("verifyOnMatch", false));
      onefold.ok("put", item.toString(), "default/item");
      assertEquals(0, onefold.json("ls", "default/item").number("newBytes"));
      onefold.ok("get", "default/item", back.toString());
      assertArrayEquals(content, Files.readAllBytes(back));

      Outcome low = onefold.run("put", item.toString(), "default/low", "--bandwidth", "low");
      assertEquals(Exit.FAILED, low.exitCode(), low.toString());
      assertTrue(low.err().contains("--bandwidth high"), low.toString());
      Outcome nothing = onefold.run("domain", "set", "default");
      assertEquals(Exit.MISUSED, nothing.exitCode(), nothing.toString());
      onefold.ok("domain", "set", "default", "--verify-on-match", "off");
      onefold.ok("put", item.toString(), "default/low", "--bandwidth", "low");
    }
  }
}
