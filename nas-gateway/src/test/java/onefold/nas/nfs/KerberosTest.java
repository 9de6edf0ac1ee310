package onefold.nas.nfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import javax.security.auth.Subject;
import javax.security.auth.login.LoginException;
import onefold.nas.Attributes;
import onefold.nas.Credentials;
import onefold.nas.Security;
import onefold.nas.Share;
import onefold.store.Id;
import org.ietf.jgss.GSSException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kerberos against tickets of MIT's key distribution centre. */
class KerberosTest {
  private static final int KRB5 = 1;
  private static final int KRB5I = 2;
  private static final int KRB5P = 3;
  private static final int ACCESS = 13;
  private static final int GARBAGE_ARGUMENTS = 4;

  @TempDir private static Path directory;
  private static Kdc kdc;
  private static Subject alice;

  private final AtomicLong nanos = new AtomicLong(1);
  private ServedInMemory served;
  private NfsClient connection;

  @BeforeAll
  static void makeRealm() throws IOException, InterruptedException, LoginException {
    kdc = Kdc.start(directory, "alice", "stranger");
    alice = kdc.login("alice");
  }

  @AfterAll
  static void endRealm() {
    if (kdc != null) {
      kdc.close();
    }
  }

  @BeforeEach
  void serve() throws IOException {
    Accounts accounts =
        name ->
            name.equals("alice")
                ? Optional.of(new Accounts.Account(1000, 100, Set.of(27L)))
                : Optional.empty();
    served = new ServedInMemory(0, 600, Kerberos.of(kdc.keytab(), accounts), nanos::get);
    connection = served.connect();
  }

  @AfterEach
  void stop() throws IOException {
    connection.close();
    served.close();
  }

  private void want(Set<Security> kinds) throws IOException {
    served.shares.set(
        Id.random(new Random(nanos.incrementAndGet())),
        "backup",
        served.share("backup").settings().withSecurity(kinds));
  }

  private GssClient opened(Subject user) throws IOException, GSSException {
    var client = new GssClient(connection, user, "nfs/localhost");
    assertEquals(0, client.open());
    return client;
  }

  private static Consumer<XdrWriter> create(byte[] root, String name) {
    return out -> {
      out.writeOpaque(root).writeString(name).writeInt(0);
      Nfs3Test.noAttributes(out);
    };
  }

  private Attributes attributes(String name) throws IOException {
    Share share = served.share("backup");
    return share.files().lookup(Credentials.ROOT, share.files().rootId(), NfsClient.name(name));
  }

  @Test
  void aUserReadsAndWritesAsHimselfInEveryWay() throws IOException, GSSException {
    want(EnumSet.allOf(Security.class));
    GssClient client = opened(alice);
    byte[] root = connection.mounted("/backup");
    var random = new Random(5);
    for (int kind = KRB5; kind <= KRB5P; kind++) {
      String name = "file" + kind;
      XdrReader created = client.nfs3(kind, 8, create(root, name));
      assertEquals(0, created.readInt());
      assertTrue(created.readBoolean());
      byte[] handle = created.readOpaque(64, "handle");
      byte[] bytes = new byte[(1 << 20) - 1 + kind - KRB5I];
      random.nextBytes(bytes);
      XdrReader written =
          client.nfs3(
              kind,
              7,
              out ->
                  out.writeOpaque(handle)
                      .writeLong(0)
                      .writeInt(bytes.length)
                      .writeInt(2)
                      .writeOpaque(bytes));
      assertEquals(0, written.readInt());
      XdrReader read =
          client.nfs3(kind, 6, out -> out.writeOpaque(handle).writeLong(0).writeInt(bytes.length));
      assertEquals(0, read.readInt());
      assertTrue(read.readBoolean());
      read.skip(84);
      assertEquals(bytes.length, read.readInt());
      assertTrue(read.readBoolean());
      assertArrayEquals(bytes, read.readOpaque(1 << 20, "bytes"));
      assertEquals(1000, attributes(name).uid());
      assertEquals(100, attributes(name).gid());
    }
  }

  @Test
  void whoHasNoAccountIsTheSharesOwner() throws IOException, GSSException, LoginException {
    want(Set.of(Security.KRB5));
    served.shares.set(
        Id.random(new Random(77)), "backup", served.share("backup").settings().withOwner(500, 501));
    GssClient client = opened(kdc.login("stranger"));
    byte[] root = connection.mounted("/backup");
    Share share = served.share("backup");
    share
        .files()
        .setAttributes(
            Credentials.ROOT,
            share.files().rootId(),
            onefold.nas.AttributeChange.NONE.withMode(0777),
            null);
    assertEquals(0, client.nfs3(KRB5, 8, create(root, "made")).readInt());
    assertEquals(500, attributes("made").uid());
    assertEquals(501, attributes("made").gid());
  }

  @Test
  void aShareTakesOnlyWhatItSays() throws IOException, GSSException {
    want(Set.of(Security.KRB5P));
    XdrReader mounted = connection.mount("/backup");
    assertEquals(0, mounted.readInt());
    final byte[] root = mounted.readOpaque(64, "handle");
    assertEquals(1, mounted.readInt());
    assertEquals(390005, mounted.readInt());
    GssClient client = opened(alice);
    assertEquals(ACCESS, connection.nfs3(1, out -> out.writeOpaque(root)).readInt());
    assertEquals(ACCESS, client.nfs3(KRB5, 1, out -> out.writeOpaque(root)).readInt());
    assertEquals(ACCESS, client.nfs3(KRB5I, 1, out -> out.writeOpaque(root)).readInt());
    assertEquals(0, client.nfs3(KRB5P, 1, out -> out.writeOpaque(root)).readInt());
    XdrReader looked =
        connection.call(
            NfsClient.NFS,
            4,
            1,
            out -> {
              out.writeString("").writeInt(0).writeInt(2);
              out.writeInt(Operation.PUTROOTFH).writeInt(Operation.LOOKUP).writeString("backup");
            });
    assertEquals(Status.WRONGSEC, looked.readInt());
    XdrReader told =
        connection.call(
            NfsClient.NFS,
            4,
            1,
            out -> {
              out.writeString("").writeInt(0).writeInt(2);
              out.writeInt(Operation.PUTROOTFH).writeInt(Operation.SECINFO).writeString("backup");
            });
    assertEquals(0, told.readInt());
    told.skip(4 + 4 + 8);
    Nfs4Client.require(told, Operation.SECINFO);
    assertEquals(1, told.readInt());
    assertEquals(Credential.GSS, told.readInt());
    assertEquals(9, told.readOpaque(100, "mechanism").length);
    assertEquals(0, told.readInt());
    assertEquals(KRB5P, told.readInt());
  }

  @Test
  void aCallThatComesAgainIsNotServedAgain() throws IOException, GSSException {
    GssClient client = opened(alice);
    long number = client.nextNumber();
    byte[] record = client.record(KRB5, number, NfsClient.NFS, 3, 0, out -> {});
    connection.send(record);
    assertEquals(0, client.answer(KRB5, number).status());
    connection.send(record);
    // The next reply is that of the next call: there is none to the second.
    assertEquals(0, client.call(KRB5, NfsClient.NFS, 3, 0, out -> {}).status());
    for (int i = 0; i < GssContext.WINDOW; i++) {
      client.nextNumber();
    }
    assertEquals(0, client.call(KRB5, NfsClient.NFS, 3, 0, out -> {}).status());
    connection.send(client.record(KRB5, number + 2, NfsClient.NFS, 3, 0, out -> {}));
    assertEquals(0, client.call(KRB5, NfsClient.NFS, 3, 0, out -> {}).status());
  }

  @Test
  void whatSomebodyChangedOnTheWayIsRefused() throws IOException, GSSException {
    want(EnumSet.allOf(Security.class));
    GssClient client = opened(alice);
    byte[] root = connection.mounted("/backup");
    for (int kind = KRB5I; kind <= KRB5P; kind++) {
      long number = client.nextNumber();
      byte[] record =
          client.record(kind, number, NfsClient.NFS, 3, 1, out -> out.writeOpaque(root));
      record[record.length - 60] ^= 1;
      connection.send(record);
      assertEquals(GARBAGE_ARGUMENTS, client.answer(kind, number).status());
    }
    long number = client.nextNumber();
    byte[] header = client.record(KRB5, number, NfsClient.NFS, 3, 0, out -> {});
    header[3] ^= 1;
    connection.send(header);
    assertEquals(-GssCalls.CREDENTIAL_PROBLEM, client.answer(KRB5, number).status());
  }

  @Test
  void argumentsOfAnotherCallAreRefused() throws IOException, GSSException {
    GssClient client = opened(alice);
    long first = client.nextNumber();
    long second = client.nextNumber();
    byte[] one = client.record(KRB5I, first, NfsClient.NFS, 3, 0, out -> out.writeInt(1));
    byte[] other = client.record(KRB5I, second, NfsClient.NFS, 3, 0, out -> out.writeInt(1));
    byte[] mixed = other.clone();
    int arguments = 4 + 8 + 4 + 28;
    assertEquals(one.length, other.length);
    System.arraycopy(one, one.length - arguments, mixed, mixed.length - arguments, arguments);
    assertNotEquals(Arrays.hashCode(other), Arrays.hashCode(mixed));
    connection.send(mixed);
    assertEquals(GARBAGE_ARGUMENTS, client.answer(KRB5I, second).status());
  }

  @Test
  void whoseContextIsOverIsToldToMakeAnother() throws IOException, GSSException {
    GssClient client = opened(alice);
    assertEquals(0, client.call(KRB5, NfsClient.NFS, 3, 0, out -> {}).status());
    assertEquals(0, client.destroy().status());
    assertEquals(
        -GssCalls.CREDENTIAL_PROBLEM, client.call(KRB5, NfsClient.NFS, 3, 0, out -> {}).status());
    GssClient other = opened(alice);
    assertEquals(0, other.call(KRB5, NfsClient.NFS, 3, 0, out -> {}).status());
    nanos.addAndGet(TimeUnit.HOURS.toNanos(11));
    assertEquals(
        -GssCalls.CREDENTIAL_PROBLEM, other.call(KRB5, NfsClient.NFS, 3, 0, out -> {}).status());
  }

  @Test
  void numbersAreNotUsedUp() throws IOException, GSSException {
    GssClient client = opened(alice);
    connection.send(client.record(KRB5, 0x8000_0000L, NfsClient.NFS, 3, 0, out -> {}));
    assertEquals(-GssCalls.CONTEXT_PROBLEM, client.answer(KRB5, 0x8000_0000L).status());
  }

  @Test
  void aTicketForAnotherServiceIsRefused() throws IOException, GSSException {
    var client = new GssClient(connection, alice, "host/localhost");
    assertNotEquals(0, client.open());
  }

  @Test
  void bytesThatAreNoTicketAreRefused() throws IOException {
    byte[] call =
        new XdrWriter(200, 200)
            .writeInt(9)
            .writeInt(0)
            .writeInt(2)
            .writeInt(NfsClient.NFS)
            .writeInt(3)
            .writeInt(0)
            .writeInt(Credential.GSS)
            .writeInt(20)
            .writeInt(1)
            .writeInt(1)
            .writeInt(0)
            .writeInt(1)
            .writeInt(0)
            .writeInt(0)
            .writeInt(0)
            .writeString("no ticket")
            .toBytes();
    connection.send(call);
    XdrReader reply = connection.receive();
    assertEquals(9, reply.readInt());
    assertEquals(0, NfsClient.acceptStatus(reply));
    assertEquals(0, reply.readInt());
    assertNotEquals(0, reply.readInt());
  }

  @Test
  void aKeytabThatIsNotThereIsToldWithItsName() {
    Path none = directory.resolve("none");
    IOException wrong =
        assertThrows(IOException.class, () -> Kerberos.of(none, name -> Optional.empty()));
    assertTrue(String.valueOf(wrong.getMessage()).contains(none.toString()), wrong.getMessage());
  }
}
