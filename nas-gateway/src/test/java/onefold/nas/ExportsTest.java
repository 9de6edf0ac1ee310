package onefold.nas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ExportsTest {
  @Test
  void theFirstRuleThatMatchesCountsAndIsNamed() {
    ShareSettings settings = rules("10.1.2.3,10.1.0.0/16=ro,fd00::/8");
    ExportDecision host = decide(settings, "10.1.2.3");
    assertTrue(host.allowed() && !host.readOnly());
    assertEquals(Squash.NONE, host.squash());
    assertEquals(
        "10.1.2.3 may read and write, by the rule '10.1.2.3'; root is root, as the rule names a"
            + " single host",
        host.reason());
    ExportDecision network = decide(settings, "10.1.255.255");
    assertTrue(network.allowed() && network.readOnly());
    assertEquals(Squash.ROOT, network.squash());
    assertTrue(network.reason().contains("'10.1.0.0/16=ro'"), network.reason());
    assertTrue(decide(settings, "fd12::1").allowed());
    assertFalse(decide(settings, "10.2.0.1").allowed());
    assertFalse(decide(settings, "fe80::1").allowed());
  }

  @Test
  void aRefusalNamesTheCommandThatWouldAllowIt() {
    ExportDecision refused = decide(rules("localhost"), "192.0.2.9");
    assertFalse(refused.allowed());
    assertEquals(
        "no rule of share s names 192.0.2.9 (there are: localhost); 'onefold share set s --nfs"
            + " localhost,192.0.2.9' would allow it",
        refused.reason());
    ExportDecision off = decide(rules("*").withNfs(false, List.of()), "192.0.2.9");
    assertFalse(off.allowed());
    assertTrue(off.reason().contains("--nfs 192.0.2.9"), off.reason());
  }

  @Test
  void loopbackIsThisMachineOnly() {
    assertTrue(decide(ShareSettings.LOOPBACK, "127.0.0.1").allowed());
    assertTrue(decide(ShareSettings.LOOPBACK, "::1").allowed());
    assertFalse(decide(ShareSettings.LOOPBACK, "10.0.0.1").allowed());
  }

  @Test
  void rootIsSquashedToTheOwnerAsTheShareSays() {
    ShareSettings settings = rules("10.0.0.0/8,192.0.2.1").withOwner(500, 501);
    Credentials squashed = credentials(settings, "10.0.0.1", 0, 0);
    assertEquals(new Credentials(500, 501, Set.of(), false), squashed);
    assertEquals(
        new Credentials(7, 501, Set.of(5L), false), credentials(settings, "10.0.0.1", 7, 0));
    assertEquals(0, credentials(settings, "192.0.2.1", 0, 0).uid());
    assertEquals(500, credentials(settings.withSquash(Squash.ROOT), "192.0.2.1", 0, 0).uid());
    assertEquals(0, credentials(settings.withSquash(Squash.NONE), "10.0.0.1", 0, 0).uid());
    assertEquals(500, credentials(settings.withSquash(Squash.ALL), "192.0.2.1", 7, 7).uid());
    assertTrue(credentials(settings.withReadOnly(true), "192.0.2.1", 0, 0).readOnly());
  }

  @Test
  void rulesThatCannotBeAreRefusedWithTheValue() {
    for (String wrong :
        List.of("", "10.0.0.0/33", "10.0.0/8", "300.1.1.1", "a b", "10.0.0.0/x", "fd00::/129")) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class, () -> ExportRule.parse("localhost," + wrong));
      assertTrue(
          String.valueOf(e.getMessage()).contains(wrong.replaceAll("/.*", "")), e.getMessage());
    }
    assertEquals(
        "*,a.example=ro,10.0.0.0/8",
        Exports.rulesArgument(ExportRule.parse("*,a.example=ro,10.0.0.0/8=rw")));
  }

  private static ShareSettings rules(String rules) {
    return ShareSettings.LOOPBACK.withNfs(true, ExportRule.parse(rules));
  }

  private static ExportDecision decide(ShareSettings settings, String address) {
    return Exports.decide("s", settings, InetAddress.ofLiteral(address));
  }

  private static Credentials credentials(
      ShareSettings settings, String address, long uid, long gid) {
    return Exports.credentials(decide(settings, address), settings, uid, gid, Set.of(0L, 5L));
  }
}
