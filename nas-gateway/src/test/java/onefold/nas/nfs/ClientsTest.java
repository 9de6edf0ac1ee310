package onefold.nas.nfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ClientsTest {
  private static final int LEASE_SECONDS = 90;
  private static final Session.Channel CHANNEL = new Session.Channel(4096, 4096, 4096, 8, 4);

  private final AtomicLong nanos = new AtomicLong(1_000);
  private final ServedInMemory.MemoryRecords records = new ServedInMemory.MemoryRecords();

  private Clients clients() throws IOException {
    return new Clients(LEASE_SECONDS, nanos::get, new Random(5), records);
  }

  private static Bytes owner(String name) {
    return new Bytes(NfsClient.name(name));
  }

  private static Session session(Clients clients, String name, long verifier) throws Refusal {
    Clients.Exchanged exchanged =
        clients.exchangeId(owner(name), verifier, Credential.ANONYMOUS, false);
    Session[] made = new Session[1];
    clients.createSession(
        exchanged.clientId(),
        exchanged.sequence(),
        Credential.ANONYMOUS,
        CHANNEL,
        session -> {
          made[0] = session;
          return new byte[0];
        });
    return made[0];
  }

  private void pass(int seconds) {
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
  }

  private static int status(org.junit.jupiter.api.function.Executable wrong) {
    return assertThrows(Refusal.class, wrong).status();
  }

  @Test
  void aSilentClientIsForgottenWithItsRecordAfterItsLease() throws IOException, Refusal {
    try (Clients clients = clients()) {
      Session silent = session(clients, "silent", 1);
      clients.record(silent.client());
      pass(LEASE_SECONDS / 2);
      Session lively = session(clients, "lively", 1);
      clients.record(lively.client());
      assertEquals(2, records.keys().size());
      pass(LEASE_SECONDS / 2 + 1);
      assertTrue(clients.expire());
      assertEquals(1, clients.clientCount());
      assertEquals(1, records.keys().size());
      assertEquals(Status.BADSESSION, status(() -> clients.session(silent.id())));
      assertEquals(lively, clients.session(lively.id()));
    }
  }

  @Test
  void aClientInTheMiddleOfARequestIsNotForgotten() throws IOException, Refusal {
    try (Clients clients = clients()) {
      Session busy = session(clients, "busy", 1);
      clients.begin(busy.client());
      pass(10 * LEASE_SECONDS);
      assertFalse(clients.expire());
      clients.end(busy.client());
      assertFalse(clients.expire());
      pass(LEASE_SECONDS + 1);
      assertTrue(clients.expire());
    }
  }

  @Test
  void theGracePeriodEndsWithTheLeaseIfNobodyComes() throws IOException, Refusal {
    records.put("4.1-of-somebody", Optional.of(new byte[1]));
    try (Clients clients = clients()) {
      assertTrue(clients.inGrace());
      Session other = session(clients, "other", 1);
      clients.reclaimComplete(other.client());
      assertEquals(Status.GRACE, status(() -> clients.checkNew(other.client())));
      clients.begin(other.client());
      pass(LEASE_SECONDS + 1);
      clients.expire();
      assertFalse(clients.inGrace());
      clients.checkNew(other.client());
      assertTrue(records.keys().isEmpty(), "who did not come may not reclaim next time");
    }
  }

  @Test
  void withoutRecordsThereIsNoGracePeriod() throws IOException {
    try (Clients clients = clients()) {
      assertFalse(clients.inGrace());
    }
  }

  @Test
  void aClientThatStartedAnewKeepsItsOldStateUntilItIsConfirmed() throws IOException, Refusal {
    try (Clients clients = clients()) {
      Session old = session(clients, "machine", 1);
      clients.record(old.client());
      clients.exchangeId(owner("machine"), 2, Credential.ANONYMOUS, false);
      assertEquals(old, clients.session(old.id()));
      Session fresh = session(clients, "machine", 2);
      assertEquals(Status.BADSESSION, status(() -> clients.session(old.id())));
      assertEquals(fresh, clients.session(fresh.id()));
    }
  }

  @Test
  void clientsBeyondTheBoundTakeTheRoomOfThoseThatHoldNothing() throws IOException, Refusal {
    try (Clients clients = clients()) {
      for (int i = 0; i < Clients.MAX_CLIENTS + 10; i++) {
        clients.exchangeId(owner("client" + i), 1, Credential.ANONYMOUS, false);
        nanos.incrementAndGet();
      }
      assertEquals(Clients.MAX_CLIENTS, clients.clientCount());
    }
  }

  @Test
  void aSlotAnswersTheLastNumberAgainAndNoOther() throws IOException, Refusal {
    try (Clients clients = clients()) {
      Session session = session(clients, "slots", 1);
      assertEquals(Status.SEQ_MISORDERED, status(() -> session.begin(0, 0)));
      assertEquals(Status.SEQ_MISORDERED, status(() -> session.begin(0, 2)));
      assertEquals(Status.BADSLOT, status(() -> session.begin(4, 1)));
      assertEquals(null, session.begin(0, 1));
      assertEquals(Status.DELAY, status(() -> session.begin(0, 1)));
      session.end(0, 1, new byte[] {42});
      assertArrayEquals(new byte[] {42}, session.begin(0, 1));
      assertEquals(null, session.begin(0, 2));
      session.end(0, 2, null);
      assertEquals(Status.RETRY_UNCACHED_REP, status(() -> session.begin(0, 2)));
      assertEquals(Status.SEQ_MISORDERED, status(() -> session.begin(0, 1)));
    }
  }
}
