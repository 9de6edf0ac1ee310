package onefold.nas.nfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class Nfs4Test {
  private static final int DENY_WRITE = 2;

  private ServedInMemory served;
  private NfsClient connection;
  private Nfs4Client client;

  @BeforeEach
  void serve() throws IOException {
    served = new ServedInMemory();
    connection = served.connect();
    client = new Nfs4Client(connection, "first", 1);
    client.reclaimComplete();
  }

  @AfterEach
  void stop() throws IOException {
    connection.close();
    served.close();
  }

  private static Consumer<XdrWriter> makeDirectory(String name) {
    return Nfs4Client.in(
        "backup",
        out ->
            out.writeInt(Operation.CREATE).writeInt(2).writeString(name).writeInt(0).writeInt(0));
  }

  @Test
  void aRequestThatIsSentAgainInItsSlotIsNotDoneAgain() throws IOException {
    XdrReader first = client.compound(3, makeDirectory("once"));
    assertEquals(0, Nfs4Client.statusBehind(first, Operation.PUTROOTFH, Operation.LOOKUP));
    try (NfsClient other = served.connect()) {
      client.use(other);
      XdrReader second = client.repeat(3, makeDirectory("once"));
      assertEquals(0, Nfs4Client.statusBehind(second, Operation.PUTROOTFH, Operation.LOOKUP));
      assertArrayEquals(first.readFixed(first.remaining()), second.readFixed(second.remaining()));
      XdrReader third = client.compound(3, makeDirectory("once"));
      assertEquals(
          Status.EXIST, Nfs4Client.statusBehind(third, Operation.PUTROOTFH, Operation.LOOKUP));
      client.use(connection);
    }
  }

  @Test
  void whatOneClientDeniesAnotherDoesNotGetInAnyVersion() throws IOException {
    Nfs4Client.Opened opened = client.open("file", true, DENY_WRITE);
    assertEquals(0, opened.status());
    var other = new Nfs4Client(connection, "second", 1);
    other.reclaimComplete();
    assertEquals(Status.SHARE_DENIED, other.open("file", false, 0).status());
    XdrReader written = Nfs3Test.write(connection, opened.handle(), 0, new byte[4], 2);
    assertEquals(Status.ACCESS, written.readInt());
    assertEquals(0, client.lock(opened, 10, 5, false));
  }

  @Test
  void aClientGetsBackAfterARestartWhatItHeldAndNobodyElseMeanwhile() throws IOException {
    Nfs4Client.Opened held = client.open("file", true, DENY_WRITE);
    assertEquals(0, held.status());
    assertEquals(0, client.lock(held, 0, 100, false));
    assertEquals(1, served.records.keys().size());

    served.restart();
    try (NfsClient fresh = served.connect()) {
      var stranger = new Nfs4Client(fresh, "stranger", 5);
      assertEquals(Status.GRACE, stranger.open("file", false, 0).status());
      stranger.reclaimComplete();
      assertEquals(Status.GRACE, stranger.open("file", false, 0).status());
      assertEquals(Status.NO_GRACE, stranger.open(held.handle(), 0, 1).status());

      byte[] before = client.scope();
      client.use(fresh);
      client.open();
      // Else a client takes it for another server and reclaims nothing.
      assertArrayEquals(before, client.scope());
      Nfs4Client.Opened again = client.open(held.handle(), DENY_WRITE, 1);
      assertEquals(0, again.status());
      assertEquals(0, client.lock(again, 0, 100, true));
      client.reclaimComplete();
      assertEquals(Status.NO_GRACE, client.open(held.handle(), 0, 1).status());

      assertEquals(Status.SHARE_DENIED, stranger.open("file", false, 0).status());
      assertEquals(0, stranger.open("another", true, 0).status());
    }
  }

  @Test
  void aClientThatStartedAnewHoldsNothing() throws IOException {
    assertEquals(0, client.open("file", true, DENY_WRITE).status());
    assertTrue(served.server.stateCount() > 0);
    var reborn = new Nfs4Client(connection, "first", 2);
    reborn.reclaimComplete();
    assertEquals(0, served.server.stateCount());
    assertEquals(0, served.share("backup").files().locks().heldCount());
    assertEquals(0, reborn.open("file", false, 0).status());
  }

  @Test
  void aFileThatIsRemovedWhileItIsOpenIsReadToItsEnd() throws IOException {
    Nfs4Client.Opened opened = client.open("file", true, 0);
    byte[] bytes = NfsClient.name("still here");
    XdrReader written =
        client.compound(
            2,
            out -> {
              out.writeInt(Operation.PUTFH).writeOpaque(opened.handle());
              out.writeInt(Operation.WRITE).writeFixed(opened.stateid()).writeLong(0);
              out.writeInt(2).writeOpaque(bytes);
            });
    assertEquals(0, Nfs4Client.statusBehind(written, Operation.PUTFH));
    XdrReader removed =
        client.compound(
            3, Nfs4Client.in("backup", o -> o.writeInt(Operation.REMOVE).writeString("file")));
    assertEquals(0, Nfs4Client.statusBehind(removed, Operation.PUTROOTFH, Operation.LOOKUP));
    XdrReader read =
        client.compound(
            3,
            out -> {
              out.writeInt(Operation.PUTFH).writeOpaque(opened.handle());
              out.writeInt(Operation.READ).writeFixed(opened.stateid()).writeLong(0);
              out.writeInt(100);
              out.writeInt(Operation.CLOSE).writeInt(0).writeFixed(opened.stateid());
            });
    assertEquals(0, Nfs4Client.statusBehind(read, Operation.PUTFH));
    assertTrue(read.readBoolean());
    assertArrayEquals(bytes, read.readOpaque(100, "data"));
    assertEquals(0, served.server.stateCount());
  }

  @Test
  void thereIsNoWayAroundTheShares() throws IOException {
    assertEquals(Status.BADNAME, lookup("backup", ".."));
    assertEquals(Status.BADNAME, lookup("backup", "a/b"));
    assertEquals(Status.NAMETOOLONG, lookup("backup", "n".repeat(256)));
    assertEquals(Status.INVAL, lookup("backup", ""));
    assertEquals(Status.ACCESS, status(out -> {}, "closed"));
    assertEquals(Status.NOENT, status(out -> {}, "nothing"));
    Consumer<XdrWriter> link =
        out ->
            out.writeInt(Operation.CREATE)
                .writeInt(5)
                .writeString("/etc")
                .writeString("link")
                .writeInt(0)
                .writeInt(0);
    XdrReader made = client.compound(3, Nfs4Client.in("backup", link));
    assertEquals(0, Nfs4Client.statusBehind(made, Operation.PUTROOTFH, Operation.LOOKUP));
    XdrReader through =
        client.compound(
            4,
            Nfs4Client.in(
                "backup",
                out ->
                    out.writeInt(Operation.LOOKUP)
                        .writeString("link")
                        .writeInt(Operation.LOOKUP)
                        .writeString("passwd")));
    assertEquals(
        Status.SYMLINK,
        Nfs4Client.statusBehind(through, Operation.PUTROOTFH, Operation.LOOKUP, Operation.LOOKUP));
  }

  private int lookup(String share, String name) throws IOException {
    XdrReader reply =
        client.compound(
            3, Nfs4Client.in(share, out -> out.writeInt(Operation.LOOKUP).writeString(name)));
    return Nfs4Client.statusBehind(reply, Operation.PUTROOTFH, Operation.LOOKUP);
  }

  private int status(Consumer<XdrWriter> then, String share) throws IOException {
    return Nfs4Client.statusBehind(
        client.compound(2, Nfs4Client.in(share, then)), Operation.PUTROOTFH);
  }

  @Test
  void theDirectoryAboveTheSharesShowsThoseTheClientMayEnter() throws IOException {
    XdrReader reply =
        client.compound(
            2,
            out -> {
              out.writeInt(Operation.PUTROOTFH);
              out.writeInt(Operation.READDIR).writeLong(0).writeLong(0);
              out.writeInt(4096).writeInt(8192).writeInt(0);
            });
    assertEquals(0, Nfs4Client.statusBehind(reply, Operation.PUTROOTFH));
    reply.readLong();
    Set<String> names = new HashSet<>();
    while (reply.readBoolean()) {
      reply.readLong();
      byte[] name = reply.readOpaque(255, "name");
      names.add(new String(name, java.nio.charset.StandardCharsets.UTF_8));
      reply.skip(8);
    }
    assertEquals(Set.of("backup", "other"), names);
  }

  @Test
  void aCompoundIsRefusedAtItsFirstMistakeOnly() throws IOException {
    XdrReader reply =
        client.compound(
            3,
            out ->
                out.writeInt(Operation.PUTROOTFH)
                    .writeInt(Operation.READLINK)
                    .writeInt(Operation.PUTROOTFH));
    Nfs4Client.require(reply, Operation.PUTROOTFH);
    assertEquals(Operation.READLINK, reply.readInt());
    assertEquals(Status.WRONG_TYPE, reply.readInt());
    assertEquals(0, reply.remaining());
    XdrReader unknown = client.compound(1, out -> out.writeInt(4711));
    assertEquals(Operation.ILLEGAL, unknown.readInt());
    assertEquals(Status.OP_ILLEGAL, unknown.readInt());
  }
}
