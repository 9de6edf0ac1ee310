package onefold.store.housekeeping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import onefold.chunker.Fingerprint;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** Who alone reaches what. */
class OwnersTest {
  private static byte[] fingerprint(long seed) {
    byte[] bytes = new byte[Fingerprint.BYTES];
    new SplittableRandom(seed).nextBytes(bytes);
    return bytes;
  }

  @Test
  void aChunkBelongsToTheOnlyRootThatReachesItHoweverOften() {
    var owners = new Owners(10);
    int monday = owners.root(fingerprint(1), 0);
    int tuesday = owners.root(fingerprint(2), 0);
    owners.data(fingerprint(10), 0, 100, monday);
    owners.data(fingerprint(10), 0, 100, monday);
    owners.data(fingerprint(11), 0, 1000, monday);
    owners.data(fingerprint(11), 0, 1000, tuesday);
    owners.data(fingerprint(12), 0, 50, tuesday);
    owners.data(fingerprint(13), 0, 7, Owners.SHARED);
    owners.data(fingerprint(13), 0, 7, tuesday);
    Owners.RootShares shares = owners.shares(5);
    assertEquals(100, shares.uniqueBytes(Fingerprint.of(fingerprint(1), 0)));
    assertEquals(50, shares.uniqueBytes(Fingerprint.of(fingerprint(2), 0)));
    assertTrue(shares.isExact());
    assertEquals(5, shares.asOfMillis());
    assertFalse(shares.knows(Fingerprint.of(fingerprint(3), 0)));
  }

  @Test
  void aRootWithTwoNamesKeepsNothingAlone() {
    var owners = new Owners(10);
    int first = owners.root(fingerprint(1), 0);
    owners.reach(3, first);
    owners.reach(3, owners.root(fingerprint(1), 0));
    assertEquals(Owners.SHARED, owners.visit(3));
    Owners.RootShares shares = owners.shares(0);
    assertTrue(shares.knows(Fingerprint.of(fingerprint(1), 0)));
    assertEquals(0, shares.uniqueBytes(Fingerprint.of(fingerprint(1), 0)));
  }

  @Test
  void aNodeWhoseOwnerChangesAfterItsVisitIsVisitedAgain() {
    var owners = new Owners(10);
    int monday = owners.root(fingerprint(1), 0);
    int tuesday = owners.root(fingerprint(2), 0);
    owners.reach(4, monday);
    assertEquals(monday, owners.visit(4));
    assertFalse(owners.anyChanged());
    owners.reach(4, monday);
    assertFalse(owners.anyChanged());
    owners.reach(4, tuesday);
    assertTrue(owners.isChanged(4));
    assertEquals(Owners.SHARED, owners.visit(4));
    owners.reach(4, monday);
    assertFalse(owners.isChanged(4));
  }

  @Test
  void beyondTheBoundASampleStandsForAll() {
    long seed = Simulation.seed();
    var random = new SplittableRandom(seed);
    var owners = new Owners(10, 1 << 12);
    byte[] one = fingerprint(1);
    byte[] two = fingerprint(2);
    int monday = owners.root(one, 0);
    int tuesday = owners.root(two, 0);
    byte[] chunk = new byte[Fingerprint.BYTES];
    for (int i = 0; i < 200_000; i++) {
      random.nextBytes(chunk);
      boolean shared = i % 4 == 0;
      owners.data(chunk, 0, 1000, i % 10 == 1 ? tuesday : monday);
      if (shared) {
        owners.data(chunk, 0, 1000, Owners.SHARED);
      }
    }
    Owners.RootShares shares = owners.shares(0);
    assertFalse(shares.isExact());
    assertEquals(
        130_000_000.0,
        (double) shares.uniqueBytes(Fingerprint.of(one, 0)),
        15_000_000,
        "onefold.seed=" + seed);
    assertEquals(
        20_000_000.0,
        (double) shares.uniqueBytes(Fingerprint.of(two, 0)),
        6_000_000,
        "onefold.seed=" + seed);
  }
}
