package onefold.nas.nfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class Nfs3Test {
  private ServedInMemory served;
  private NfsClient client;
  private byte[] root;

  @BeforeEach
  void serve() throws IOException {
    served = new ServedInMemory();
    client = served.connect();
    root = client.mounted("/backup");
  }

  @AfterEach
  void stop() throws IOException {
    client.close();
    served.close();
  }

  static void noAttributes(XdrWriter out) {
    for (int i = 0; i < 6; i++) {
      out.writeInt(0);
    }
  }

  /** Makes a file and returns its handle. */
  static byte[] created(NfsClient client, byte[] directory, String name) throws IOException {
    XdrReader reply = create(client, client.newXid(), directory, name, 1);
    assertEquals(0, reply.readInt());
    assertTrue(reply.readBoolean());
    return reply.readOpaque(64, "handle");
  }

  private static XdrReader create(NfsClient client, int xid, byte[] directory, String name, int how)
      throws IOException {
    return client.resend(
        xid,
        NfsClient.NFS,
        3,
        8,
        out -> {
          out.writeOpaque(directory).writeString(name).writeInt(how);
          if (how == 2) {
            out.writeLong(0x1234_5678_9abc_def0L);
          } else {
            noAttributes(out);
          }
        });
  }

  static XdrReader write(NfsClient client, byte[] handle, long position, byte[] bytes, int how)
      throws IOException {
    return client.nfs3(
        7,
        out ->
            out.writeOpaque(handle)
                .writeLong(position)
                .writeInt(bytes.length)
                .writeInt(how)
                .writeOpaque(bytes));
  }

  private byte[] read(byte[] handle, long position, int count) throws IOException {
    XdrReader reply =
        client.nfs3(6, out -> out.writeOpaque(handle).writeLong(position).writeInt(count));
    assertEquals(0, reply.readInt());
    skipAttributes(reply);
    int length = reply.readInt();
    reply.readBoolean();
    byte[] bytes = reply.readOpaque(1 << 20, "data");
    assertEquals(length, bytes.length);
    return bytes;
  }

  private static void skipAttributes(XdrReader reply) throws IOException {
    if (reply.readBoolean()) {
      reply.skip(84);
    }
  }

  private int lookup(byte[] directory, byte[] name) throws IOException {
    return client.nfs3(3, out -> out.writeOpaque(directory).writeOpaque(name)).readInt();
  }

  private int attributes(byte[] handle) throws IOException {
    return client.nfs3(1, out -> out.writeOpaque(handle)).readInt();
  }

  @Test
  void writesInAnyOrderComeBackAfterCommit() throws IOException {
    byte[] handle = created(client, root, "file");
    byte[] content = new byte[300_000];
    new SplittableRandom(3).nextBytes(content);
    for (int start : new int[] {200_000, 0, 100_000}) {
      byte[] part = Arrays.copyOfRange(content, start, start + 100_000);
      assertEquals(0, write(client, handle, start, part, 0).readInt());
    }
    XdrReader committed = client.nfs3(21, out -> out.writeOpaque(handle).writeLong(0).writeInt(0));
    assertEquals(0, committed.readInt());
    assertArrayEquals(content, read(handle, 0, 1 << 20));
    assertArrayEquals(Arrays.copyOfRange(content, 99_990, 100_010), read(handle, 99_990, 20));
  }

  @Test
  void noHandleWithOneBitChangedIsAccepted() throws IOException {
    assertEquals(0, attributes(root));
    for (int bit = 0; bit < root.length * 8; bit++) {
      byte[] forged = root.clone();
      forged[bit >> 3] ^= (byte) (1 << (bit & 7));
      assertEquals(Status.BADHANDLE, attributes(forged), "bit " + bit);
    }
    assertEquals(Status.BADHANDLE, attributes(new byte[0]));
    assertEquals(Status.BADHANDLE, attributes(new byte[64]));
  }

  @Test
  void whoMayNotEnterAShareGetsNothingByItsHandles() throws IOException {
    assertEquals(13, client.mount("/closed").readInt());
    var handles = new FileHandles(new byte[NfsSettings.KEY_BYTES]);
    byte[] closed =
        handles.handle(served.share("closed").id(), served.share("closed").files().rootId());
    assertEquals(13, attributes(closed));
  }

  @Test
  void aPathLeadsNowhereButBelowItsShare() throws IOException {
    assertEquals(2, client.mount("/nothing").readInt());
    assertEquals(13, client.mount("/").readInt());
    assertNotEquals(0, client.mount("/backup/../other").readInt());
    byte[] longest = new byte[1025];
    Arrays.fill(longest, (byte) 'a');
    client.send(NfsClient.call(9, NfsClient.MOUNT, 3, 1, out -> out.writeOpaque(longest)));
    XdrReader garbage = client.receive();
    garbage.readInt();
    assertEquals(4, NfsClient.acceptStatus(garbage));
  }

  @Test
  void theParentOfTheRootIsTheRoot() throws IOException {
    XdrReader reply = client.nfs3(3, out -> out.writeOpaque(root).writeString(".."));
    assertEquals(0, reply.readInt());
    assertArrayEquals(root, reply.readOpaque(64, "handle"));
  }

  @Test
  void renameAndLinkDoNotCrossShares() throws IOException {
    byte[] other = client.mounted("/other");
    byte[] file = created(client, root, "file");
    int renamed =
        client
            .nfs3(
                14,
                out ->
                    out.writeOpaque(root)
                        .writeString("file")
                        .writeOpaque(other)
                        .writeString("file"))
            .readInt();
    assertEquals(Status.XDEV, renamed);
    int linked =
        client
            .nfs3(15, out -> out.writeOpaque(file).writeOpaque(other).writeString("file"))
            .readInt();
    assertEquals(Status.XDEV, linked);
    assertEquals(0, lookup(root, NfsClient.name("file")));
  }

  @Test
  void namesThatCannotBeAreRefusedWithTheirError() throws IOException {
    byte[] tooLong = new byte[256];
    Arrays.fill(tooLong, (byte) 'n');
    assertEquals(Status.NAMETOOLONG, makeDirectory(tooLong));
    assertEquals(0, makeDirectory(Arrays.copyOf(tooLong, 255)));
    assertEquals(Status.INVAL, makeDirectory(new byte[0]));
    assertEquals(Status.INVAL, makeDirectory(NfsClient.name("a/b")));
    assertEquals(Status.INVAL, makeDirectory(new byte[] {'a', 0}));
    assertEquals(Status.INVAL, makeDirectory(NfsClient.name("..")));
    // Version 3 knows bytes only.
    byte[] noUtf8 = {(byte) 0xff, (byte) 0xfe};
    assertEquals(0, makeDirectory(noUtf8));
    assertEquals(0, lookup(root, noUtf8));
  }

  private int makeDirectory(byte[] name) throws IOException {
    return client
        .nfs3(
            9,
            out -> {
              out.writeOpaque(root).writeOpaque(name);
              noAttributes(out);
            })
        .readInt();
  }

  @Test
  void aCallThatIsSentAgainOverAnotherConnectionIsNotDoneAgain() throws IOException {
    int xid = 4711;
    XdrReader first = create(client, xid, root, "once", 1);
    try (NfsClient again = served.connect()) {
      XdrReader second = create(again, xid, root, "once", 1);
      assertEquals(0, second.readInt());
      first.readInt();
      assertArrayEquals(first.readFixed(first.remaining()), second.readFixed(second.remaining()));
      assertEquals(Status.EXIST, create(again, xid + 1, root, "once", 1).readInt());
      for (int i = 0; i < 2; i++) {
        assertEquals(
            0,
            again
                .resend(99, NfsClient.NFS, 3, 12, out -> out.writeOpaque(root).writeString("once"))
                .readInt());
      }
    }
  }

  @Test
  void anExclusiveCreationMayBeRepeatedButNotByAnother() throws IOException {
    assertEquals(0, create(client, 1, root, "mine", 2).readInt());
    assertEquals(0, create(client, 2, root, "mine", 2).readInt());
    assertEquals(Status.EXIST, create(client, 3, root, "mine", 1).readInt());
  }

  @Test
  void theHandleOfARemovedFileIsStale() throws IOException {
    byte[] handle = created(client, root, "gone");
    assertEquals(0, client.nfs3(12, out -> out.writeOpaque(root).writeString("gone")).readInt());
    assertEquals(Status.STALE, attributes(handle));
    assertEquals(Status.STALE, write(client, handle, 0, new byte[1], 0).readInt());
  }

  @Test
  void aDirectoryThatChangesIsListedWholeThroughSmallReplies() throws IOException {
    Set<String> stay = new TreeSet<>();
    for (int i = 0; i < 120; i++) {
      created(client, root, "stay" + i);
      stay.add("stay" + i);
    }
    for (boolean plus : new boolean[] {false, true}) {
      Set<String> seen = new HashSet<>();
      long cookie = 0;
      int round = 0;
      boolean end = false;
      while (!end) {
        long from = cookie;
        XdrReader reply =
            client.nfs3(
                plus ? 17 : 16,
                out -> {
                  out.writeOpaque(root).writeLong(from).writeLong(0).writeInt(600);
                  if (plus) {
                    out.writeInt(900);
                  }
                });
        assertEquals(0, reply.readInt());
        assertTrue(reply.remaining() <= (plus ? 900 : 600), "reply of " + reply.remaining());
        skipAttributes(reply);
        reply.readLong();
        while (reply.readBoolean()) {
          reply.readLong();
          String name =
              new String(reply.readOpaque(255, "name"), java.nio.charset.StandardCharsets.UTF_8);
          assertTrue(seen.add(name), name + " is given twice");
          cookie = reply.readLong();
          if (plus) {
            skipAttributes(reply);
            if (reply.readBoolean()) {
              reply.readOpaque(64, "handle");
            }
          }
        }
        end = reply.readBoolean();
        // A name that comes and one that goes between any two replies.
        String passing = "passing" + plus + round++;
        created(client, root, passing);
        assertEquals(
            0, client.nfs3(12, out -> out.writeOpaque(root).writeString(passing)).readInt());
      }
      assertTrue(seen.containsAll(stay), "missing " + missing(stay, seen));
      assertTrue(seen.contains(".") && seen.contains(".."));
    }
  }

  private static Set<String> missing(Set<String> wanted, Set<String> seen) {
    Set<String> missing = new TreeSet<>(wanted);
    missing.removeAll(seen);
    return missing;
  }

  @Test
  void aReplyThatHoldsNoEntryIsTooSmall() throws IOException {
    created(client, root, "file");
    int status =
        client
            .nfs3(16, out -> out.writeOpaque(root).writeLong(0).writeLong(0).writeInt(100))
            .readInt();
    assertEquals(Status.TOOSMALL, status);
    int cookie =
        client
            .nfs3(16, out -> out.writeOpaque(root).writeLong(7).writeLong(0).writeInt(1000))
            .readInt();
    assertEquals(Status.BAD_COOKIE, cookie);
  }
}
