package onefold.catalyst.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.WireException;
import org.junit.jupiter.api.Test;

/** What clients may have under way: smaller windows first, then waiting, then a refusal. */
class TransferBudgetTest {
  private static final int LEAST = 256 << 10;

  private static ServerLimits patient(Duration patience) {
    ServerLimits d = ServerLimits.DEFAULT;
    return new ServerLimits(
        d.maxConnections(),
        d.maxConnectionsBeforeLogin(),
        d.maxStreams(),
        d.windowBytes(),
        LEAST,
        d.windowBudgetBytes(),
        d.loginTime(),
        d.loginAttempts(),
        d.loginDelay(),
        d.idleSeconds(),
        patience,
        d.uploadPatience(),
        d.maxParkedUploads(),
        d.parkedTime());
  }

  @Test
  void windowsGetSmallerThenStreamsWaitThenTheyAreRefused() throws Exception {
    var budget = new TransferBudget(16L << 20, () -> 0);
    ServerLimits limits = patient(Duration.ZERO);
    int last = Integer.MAX_VALUE;
    int count = 0;
    while (budget.takenBytes() + LEAST <= 2L * (16 << 20)) {
      int window = budget.take(limits, () -> false);
      assertTrue(window <= last && window >= LEAST, window + " after " + last);
      last = window;
      count++;
    }
    assertTrue(count > 16, count + " streams");
    assertEquals(LEAST, last);
    WireException refused =
        assertThrows(WireException.class, () -> budget.take(limits, () -> false));
    assertEquals(ErrorCode.LIMIT_REACHED, refused.code());

    var began = new CountDownLatch(1);
    CompletableFuture<Integer> waiting =
        CompletableFuture.supplyAsync(() -> {
          began.countDown();
          try {
            return budget.take(patient(Duration.ofMinutes(5)), () -> false);
          } catch (WireException e) {
            throw new IllegalStateException(e);
          }
        });
    began.await();
    budget.giveBack(LEAST);
    assertEquals(LEAST, waiting.get());
  }

  @Test
  void aStreamThatNobodyWaitsForAnyMoreTakesNothing() throws Exception {
    var budget = new TransferBudget(LEAST, () -> 0);
    ServerLimits limits = patient(Duration.ofMinutes(5));
    budget.take(limits, () -> false);
    budget.take(limits, () -> false);
    assertThrows(WireException.class, () -> budget.take(limits, () -> true));
    assertEquals(2 * LEAST, budget.takenBytes());
  }

  @Test
  void whatTheStoreMissesIsTakenFromTheBudgetDownToTheLeast() {
    var missing = new AtomicLong();
    var budget = new TransferBudget(64L << 20, missing::get);
    assertEquals(64L << 20, budget.budgetBytes());
    missing.set(10L << 20);
    assertEquals(54L << 20, budget.budgetBytes());
    missing.set(1L << 40);
    assertEquals(TransferBudget.LEAST_BYTES, budget.budgetBytes());
    budget.setBudgetBytes(128L << 20);
    missing.set(0);
    assertEquals(128L << 20, budget.budgetBytes());
  }
}
