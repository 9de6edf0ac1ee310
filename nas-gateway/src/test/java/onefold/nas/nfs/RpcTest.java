package onefold.nas.nfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RpcTest {
  private ServedInMemory served;

  @BeforeEach
  void serve() throws IOException {
    served = new ServedInMemory();
  }

  @AfterEach
  void stop() throws IOException {
    served.close();
  }

  private static byte[] nothing(int xid) {
    return NfsClient.call(xid, NfsClient.NFS, 3, 0, out -> {});
  }

  @Test
  void aRecordInManyFragmentsIsOneCall() throws IOException {
    try (NfsClient client = served.connect()) {
      byte[] record = nothing(77);
      for (int at = 0; at < record.length; at++) {
        boolean last = at == record.length - 1;
        ByteBuffer fragment = ByteBuffer.allocate(5);
        fragment.putInt((last ? 0x8000_0000 : 0) | 1).put(record[at]);
        client.sendRaw(fragment.array());
      }
      assertEquals(77, client.receive().readInt());
    }
  }

  @Test
  void aRecordMarkOfTwoGigabytesEndsTheConnectionAndNoOther() throws IOException {
    try (NfsClient good = served.connect();
        NfsClient bad = served.connect()) {
      bad.sendRaw(new byte[] {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 1, 2, 3});
      assertTrue(bad.isClosedByServer());
      good.send(nothing(5));
      assertEquals(5, good.receive().readInt());
    }
  }

  @Test
  void fragmentsWithoutEndAreNoRecord() throws IOException {
    try (NfsClient bad = served.connect()) {
      bad.sendRaw(new byte[4 * 2000]);
      assertTrue(bad.isClosedByServer());
    }
  }

  @Test
  void whatIsNotServedIsToldApart() throws IOException {
    try (NfsClient client = served.connect()) {
      assertEquals(1, accepted(client, NfsClient.call(1, 100021, 4, 0, out -> {})));
      assertEquals(2, accepted(client, NfsClient.call(2, NfsClient.NFS, 2, 0, out -> {})));
      assertEquals(2, accepted(client, NfsClient.call(3, NfsClient.MOUNT, 1, 0, out -> {})));
      assertEquals(3, accepted(client, NfsClient.call(4, NfsClient.NFS, 3, 22, out -> {})));
      assertEquals(3, accepted(client, NfsClient.call(5, NfsClient.NFS, 4, 2, out -> {})));
      assertEquals(4, accepted(client, NfsClient.call(6, NfsClient.NFS, 3, 1, out -> {})));
      byte[] hugeHandle = new XdrWriter(4, 4).writeInt(1 << 30).toBytes();
      byte[] garbage = NfsClient.call(7, NfsClient.NFS, 3, 1, out -> out.writeFixed(hugeHandle));
      assertEquals(4, accepted(client, garbage));
    }
  }

  private static int accepted(NfsClient client, byte[] call) throws IOException {
    client.send(call);
    XdrReader reply = client.receive();
    reply.readInt();
    return NfsClient.acceptStatus(reply);
  }

  @Test
  void anotherRpcVersionAndCredentialsThatAreNoneAreDenied() throws IOException {
    try (NfsClient client = served.connect()) {
      client.send(NfsClient.call(1, 3, NfsClient.NFS, 3, 0, out -> {}));
      XdrReader mismatch = client.receive();
      assertEquals(1, mismatch.readInt());
      mismatch.readInt();
      assertEquals(1, mismatch.readInt());
      assertEquals(0, mismatch.readInt());
      byte[] call = nothing(2);
      // The flavor stands behind xid, direction, RPC version, program, version and procedure.
      ByteBuffer.wrap(call).putInt(24, 5);
      client.send(call);
      XdrReader weak = client.receive();
      weak.readInt();
      weak.readInt();
      assertEquals(1, weak.readInt());
      assertEquals(1, weak.readInt());
      assertEquals(5, weak.readInt());
    }
  }

  @Test
  void moreCallsThanAreServedAtOnceAreAllAnswered() throws IOException {
    try (NfsClient client = served.connect()) {
      int count = 10 * RpcConnection.MAX_CALLS;
      var all = new ByteArrayOutputStream();
      for (int xid = 0; xid < count; xid++) {
        byte[] record = nothing(xid);
        all.writeBytes(ByteBuffer.allocate(4).putInt(0x8000_0000 | record.length).array());
        all.writeBytes(record);
      }
      client.sendRaw(all.toByteArray());
      Set<Integer> answered = new HashSet<>();
      for (int i = 0; i < count; i++) {
        answered.add(client.receive().readInt());
      }
      assertEquals(count, answered.size());
    }
  }

  @Test
  void aClientThatTakesNoRepliesStopsOnlyItself() throws IOException {
    try (NfsClient deaf = served.connect();
        NfsClient good = served.connect()) {
      byte[] root = good.mounted("/backup");
      byte[] handle = Nfs3Test.created(good, root, "large");
      byte[] bytes = new byte[1 << 20];
      Arrays.fill(bytes, (byte) 7);
      assertEquals(0, Nfs3Test.write(good, handle, 0, bytes, 2).readInt());
      for (int i = 0; i < 100; i++) {
        int xid = i;
        deaf.send(
            NfsClient.call(
                xid,
                NfsClient.NFS,
                3,
                6,
                out -> out.writeOpaque(handle).writeLong(0).writeInt(1 << 20)));
      }
      good.send(nothing(5));
      assertEquals(5, good.receive().readInt());
      for (int i = 0; i < 100; i++) {
        XdrReader reply = deaf.receive();
        assertTrue(reply.remaining() > 1 << 20, "reply " + i);
      }
    }
  }
}
