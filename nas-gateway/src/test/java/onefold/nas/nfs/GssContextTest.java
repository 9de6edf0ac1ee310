package onefold.nas.nfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.ietf.jgss.GSSCredential;
import org.ietf.jgss.GSSException;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.GSSName;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GssContextTest {
  private GssContext context;

  /** A context that was never made of a ticket; only its numbers are asked for. */
  @BeforeEach
  void make() throws GSSException {
    GSSManager manager = GSSManager.getInstance();
    GSSName nobody = manager.createName("nobody", GSSName.NT_USER_NAME);
    context =
        new GssContext(
            manager.createContext(nobody, null, (GSSCredential) null, 0), Credential.ANONYMOUS, 9);
  }

  @Test
  void everyNumberIsTakenOnceAndNoneBehindTheWindow() {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    var random = new Random(seed);
    Set<Long> taken = new HashSet<>();
    long highest = 0;
    for (int i = 0; i < 20_000; i++) {
      long number = Math.max(0, highest + random.nextInt(-300, random.nextInt(10) == 0 ? 300 : 5));
      boolean fresh = number > highest - GssContext.WINDOW && !taken.contains(number);
      String what = number + " after " + highest + ", onefold.seed=" + seed;
      assertEquals(fresh, context.take(number), what);
      taken.add(number);
      highest = Math.max(highest, number);
    }
  }

  @Test
  void aContextEndsWithItsTime() {
    assertFalse(context.isOver(8));
    assertTrue(context.isOver(9));
  }
}
