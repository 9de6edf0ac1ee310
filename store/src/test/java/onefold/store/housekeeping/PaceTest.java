package onefold.store.housekeeping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** How housekeeping rests while others work. */
class PaceTest {
  private static final long MS = 1_000_000;

  @Test
  void nobodyWorksAndThereIsNoRest() {
    var pace = new Pace(2);
    pace.begin(0, 77, 0);
    for (int i = 1; i < 100; i++) {
      assertEquals(0, pace.restNanos(i * 10L * MS, 77, 0));
    }
    assertEquals(0, pace.restedNanos());
  }

  @Test
  void besideIngestItTakesAQuarterOfTheProcessorsAndHalfOfThatWhileItFreesEnough() {
    for (int cores : new int[] {1, 2, 3}) {
      double most = Pace.MACHINE_SHARE * cores;
      assertEquals(most, share(cores, 0), 0.01, cores + " cores, nothing freed");
      assertEquals(most, share(cores, 0.34), 0.01, cores + " cores, not enough freed");
      assertEquals(most / 2, share(cores, 0.36), 0.01, cores + " cores, enough freed");
    }
    assertTrue(share(64, 0) < 0.95, "one task rests on the largest machine too");
  }

  /** The part of the time that it works while bytes come in and a part of them is freed. */
  private static double share(int cores, double freedPart) {
    var pace = new Pace(cores);
    long now = 0;
    long came = 0;
    long worked = 0;
    pace.begin(0, 0, 0);
    while (now < 60_000 * MS) {
      now += 5 * MS;
      worked += 5 * MS;
      came = now / 1000;
      long rest = pace.restNanos(now, came, (long) (came * freedPart));
      now += rest;
      came = now / 1000;
      if (rest > 0) {
        pace.rested(now, rest, came);
      }
    }
    return (double) worked / now;
  }

  @Test
  void smallPiecesOfWorkAreAddedUpAndNoRestIsWithoutEnd() {
    var pace = new Pace(2);
    pace.begin(0, 0, 0);
    assertEquals(0, pace.restNanos(Pace.LEAST_WORK_NANOS - 1, 1, 0));
    assertTrue(pace.restNanos(Pace.LEAST_WORK_NANOS, 2, 0) > 0);
    assertEquals(Pace.MOST_REST_NANOS, pace.restNanos(3_600_000 * MS, 3, 0));
  }
}
