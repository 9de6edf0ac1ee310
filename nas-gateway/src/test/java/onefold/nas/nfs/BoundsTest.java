package onefold.nas.nfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What many clients hold, and what is left of them when they vanish. */
class BoundsTest {
  private static final int LEASE_SECONDS = 600;
  private static final int SESSIONS = 200;
  private static final int OPENS_OF_EACH = 10;

  /** An eighth of the least memory that the process starts with. */
  private static final long MOST_BYTES = 32 << 20;

  private final AtomicLong nanos = new AtomicLong(1);
  private ServedInMemory served;

  @BeforeEach
  void serve() throws IOException {
    served = new ServedInMemory(0, LEASE_SECONDS, Kerberos.NONE, nanos::get);
  }

  @AfterEach
  void stop() throws IOException {
    served.close();
  }

  private static Nfs4Client client(NfsClient connection, String name) throws IOException {
    var client = new Nfs4Client(connection, name, 1);
    client.reclaimComplete();
    return client;
  }

  private static long usedBytes() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  @Test
  void twoHundredSessionsWithTwoThousandOpenFilesTakeLittleAndLeaveNothing() throws IOException {
    try (NfsClient connection = served.connect()) {
      Nfs4Client first = client(connection, "first");
      List<byte[]> handles = new ArrayList<>();
      for (int i = 0; i < SESSIONS * OPENS_OF_EACH; i++) {
        Nfs4Client.Opened opened = first.open("file" + i, true, 0);
        assertEquals(0, opened.status());
        handles.add(opened.handle());
      }
      nanos.addAndGet(TimeUnit.SECONDS.toNanos(LEASE_SECONDS + 1));
      served.server.expire();
      assertEquals(0, served.server.stateCount());
      long before = usedBytes();
      List<Nfs4Client> clients = new ArrayList<>();
      for (int i = 0; i < SESSIONS; i++) {
        Nfs4Client client = client(connection, "client" + i);
        clients.add(client);
        for (int n = 0; n < OPENS_OF_EACH; n++) {
          assertEquals(0, client.open(handles.get(i * OPENS_OF_EACH + n), 0, 4).status());
        }
      }
      assertEquals(SESSIONS, served.server.clientCount());
      assertEquals(SESSIONS * OPENS_OF_EACH, served.server.stateCount());
      long took = usedBytes() - before;
      assertTrue(took < MOST_BYTES, took + " bytes");
      assertEquals(SESSIONS, served.records.keys().size());
      nanos.addAndGet(TimeUnit.SECONDS.toNanos(LEASE_SECONDS + 1));
      served.server.expire();
      assertEquals(0, served.server.clientCount());
      assertEquals(0, served.server.stateCount());
      assertTrue(served.records.keys().isEmpty());
      // What they held open nobody holds any more.
      assertEquals(0, client(connection, "next").open(handles.getFirst(), 3, 4).status());
      assertEquals(SESSIONS, clients.size());
    }
  }

  @Test
  void whatAVanishedClientDeniedAndLockedIsFreeAfterItsLease() throws IOException {
    try (NfsClient connection = served.connect()) {
      Nfs4Client vanished = client(connection, "vanished");
      Nfs4Client.Opened opened = vanished.open("file", true, 2);
      assertEquals(0, vanished.lock(opened, 0, 100, false));
      Nfs4Client other = client(connection, "other");
      assertEquals(Status.SHARE_DENIED, other.open("file", false, 0).status());
      nanos.addAndGet(TimeUnit.SECONDS.toNanos(LEASE_SECONDS + 1));
      served.server.expire();
      Nfs4Client late = client(connection, "late");
      Nfs4Client.Opened free = late.open("file", false, 0);
      assertEquals(0, free.status());
      assertEquals(0, late.lock(free, 0, 100, false));
    }
  }

  @Test
  void aSessionIsUsedOverManyConnections() throws IOException {
    Nfs4Client client;
    Nfs4Client.Opened opened;
    try (NfsClient second = served.connect()) {
      try (NfsClient first = served.connect()) {
        client = client(first, "many");
        opened = client.open("file", true, 0);
        client.use(second);
        assertEquals(0, client.lock(opened, 0, 10, false));
      }
      opened = client.open("file", false, 0);
      assertEquals(0, opened.status());
    }
    try (NfsClient third = served.connect()) {
      client.use(third);
      assertEquals(0, client.lock(opened, 10, 10, false));
      assertEquals(1, served.server.clientCount());
    }
  }

  @Test
  void aRefusedMountIsLoggedWithAddressRuleAndCommand() throws IOException {
    List<String> logged = new ArrayList<>();
    Logger logger = Logger.getLogger(MountProgram.class.getName());
    var handler =
        new Handler() {
          @Override
          public void publish(LogRecord entry) {
            logged.add(entry.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(handler);
    try (NfsClient client = served.connect()) {
      assertEquals(13, client.mount("/closed").readInt());
    } finally {
      logger.removeHandler(handler);
    }
    assertEquals(
        List.of(
            "mount refused: no rule of share closed names 127.0.0.1 (there are: 192.0.2.1);"
                + " 'onefold share set closed --nfs 192.0.2.1,127.0.0.1' would allow it"),
        logged);
  }
}
