package onefold.nas.nfs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import onefold.nas.AttributeChange;
import onefold.nas.CreateMode;
import onefold.nas.Credentials;
import onefold.testing.fuzz.FuzzTarget;

/**
 * Operations of NFSv4.2 in a session that is good: a number of them, and their arguments. What
 * {@link NfsFuzz} cannot reach, as it would have to guess a session.
 */
public final class NfsSessionFuzz implements FuzzTarget {
  /** A read allocates what it may return, whatever the request's length. */
  private static final long REPLY_BYTES = 16 << 20;

  private static final int MAX_OPERATIONS = 16;
  private static final int SYSTEM_ERROR = 5;

  private final RpcCalls calls;
  private final byte[] root;
  private final byte[] file;
  private byte[] session = new byte[0];
  private int sequence;
  private long verifier;

  /** Serves shares in memory, without a socket. */
  public NfsSessionFuzz() {
    try {
      // The sockets of this one are not used; it is never closed, as the fuzzer never ends it.
      var served = new ServedInMemory();
      served.store.limitCopies(64 << 10); // So that what is counted is the server's memory.
      var handles = new FileHandles(new byte[NfsSettings.KEY_BYTES]);
      var doors = new Doors(served.shares, handles, false, System::nanoTime);
      var records = new ServedInMemory.MemoryRecords();
      var clients = new Clients(3600, System::nanoTime, new Random(3), records);
      calls =
          new RpcCalls(
              NfsServer.programs(doors, clients, System::nanoTime),
              new GssCalls(Kerberos.NONE, System::nanoTime, new Random(5)));
      var share = served.share("backup");
      root = handles.handle(share.id(), share.files().rootId());
      var made =
          share
              .files()
              .create(
                  Credentials.ROOT,
                  share.files().rootId(),
                  NfsClient.name("file"),
                  new CreateMode.Guarded(AttributeChange.NONE));
      file = handles.handle(share.id(), made.file().fileId());
      open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String name() {
    return "nfs-session";
  }

  private XdrReader compound(int operations, Consumer<XdrWriter> body) throws IOException {
    byte[] record =
        NfsClient.call(
            1,
            NfsClient.NFS,
            4,
            1,
            out -> {
              out.writeString("").writeInt(2).writeInt(operations);
              body.accept(out);
            });
    XdrWriter reply = calls.reply(InetAddress.getLoopbackAddress(), record, record.length);
    if (reply == null) {
      throw new AssertionError("no reply");
    }
    var in = new XdrReader(reply.array(), 4, reply.position() - 4);
    in.readInt();
    if (NfsClient.acceptStatus(in) == SYSTEM_ERROR) {
      throw new AssertionError("the server failed");
    }
    return in;
  }

  private void open() throws IOException {
    verifier++;
    XdrReader exchanged =
        compound(
            1,
            out -> {
              out.writeInt(Operation.EXCHANGE_ID).writeLong(verifier).writeString("fuzz");
              out.writeInt(0).writeInt(0).writeInt(0);
            });
    exchanged.skip(4 + 4 + 4 + 8);
    long clientId = exchanged.readLong();
    int number = exchanged.readInt();
    XdrReader made =
        compound(
            1,
            out -> {
              out.writeInt(Operation.CREATE_SESSION).writeLong(clientId).writeInt(number);
              out.writeInt(0);
              for (int i = 0; i < 2; i++) {
                out.writeInt(0).writeInt(1 << 20).writeInt(1 << 20).writeInt(8192);
                out.writeInt(64).writeInt(1).writeInt(0);
              }
              out.writeInt(0).writeInt(0);
            });
    made.skip(4 + 4 + 4 + 8);
    session = made.readFixed(16);
    sequence = 0;
    XdrReader complete =
        inSession(1, out -> out.writeInt(Operation.RECLAIM_COMPLETE).writeBoolean(false));
    if (complete.readInt() != Status.OK) {
      throw new IOException("no session");
    }
  }

  private XdrReader inSession(int operations, Consumer<XdrWriter> body) throws IOException {
    sequence++;
    return compound(
        operations + 1,
        out -> {
          out.writeInt(Operation.SEQUENCE).writeFixed(session).writeInt(sequence);
          out.writeInt(0).writeInt(0).writeInt(0);
          body.accept(out);
        });
  }

  @Override
  public List<byte[]> samples() {
    List<byte[]> samples = new ArrayList<>();
    samples.add(
        sample(
            2,
            root,
            out ->
                Nfs4Client.writeOpen(out, "owner", true, 0, o -> o.writeInt(0).writeString("a"))));
    samples.add(
        sample(2, file, out -> Nfs4Client.writeOpen(out, "o", false, 0, o -> o.writeInt(4))));
    samples.add(
        sample(
            3,
            file,
            out -> {
              Nfs4Client.writeOpen(out, "o", false, 0, o -> o.writeInt(4));
              out.writeInt(Operation.LOCK).writeInt(2).writeBoolean(false);
              out.writeLong(0).writeLong(10).writeBoolean(true).writeInt(0);
              Stateid.CURRENT.write(out);
              out.writeInt(0).writeLong(0).writeString("locker");
            }));
    for (int operation : new int[] {Operation.ALLOCATE, Operation.DEALLOCATE, Operation.SEEK}) {
      samples.add(
          sample(
              2,
              file,
              out -> {
                out.writeInt(operation);
                Stateid.ANONYMOUS.write(out);
                out.writeLong(5).writeLong(0);
              }));
    }
    for (int operation : new int[] {Operation.CLONE, Operation.COPY}) {
      samples.add(
          sample(
              3,
              file,
              out -> {
                out.writeInt(Operation.SAVEFH).writeInt(operation);
                Stateid.ANONYMOUS.write(out);
                Stateid.ANONYMOUS.write(out);
                out.writeLong(0).writeLong(64).writeLong(64).writeInt(1).writeInt(1).writeInt(0);
              }));
    }
    samples.add(
        sample(
            2,
            file,
            out -> {
              out.writeInt(Operation.READ);
              Stateid.ANONYMOUS.write(out);
              out.writeLong(0).writeInt(100);
            }));
    samples.add(
        sample(
            2,
            file,
            out -> {
              out.writeInt(Operation.TEST_STATEID).writeInt(1);
              Stateid.ANONYMOUS.write(out);
            }));
    samples.add(sample(2, root, out -> out.writeInt(Operation.SECINFO_NO_NAME).writeInt(0)));
    samples.add(sample(2, root, out -> out.writeInt(Operation.SECINFO).writeString("file")));
    samples.add(
        sample(
            3,
            root,
            out ->
                out.writeInt(Operation.SAVEFH)
                    .writeInt(Operation.RENAME)
                    .writeString("file")
                    .writeString("other")));
    return samples;
  }

  private static byte[] sample(int operations, byte[] handle, Consumer<XdrWriter> body) {
    var out = new XdrWriter(256, 4096).writeInt(operations);
    out.writeInt(Operation.PUTFH).writeOpaque(handle);
    body.accept(out);
    return out.toBytes();
  }

  @Override
  public void decode(byte[] input) throws IOException {
    var in = new XdrReader(input);
    int operations = in.readCount(MAX_OPERATIONS, "operations");
    int from = in.position();
    XdrReader reply =
        inSession(
            operations,
            out -> {
              // Arguments need not end where a word does.
              int length = input.length - from;
              out.writeFixed(input, from, length - (length & 3));
            });
    int status = reply.readInt();
    if (status == Status.SERVERFAULT) {
      throw new AssertionError("an operation failed");
    }
    if (status != Status.OK) {
      // It may have ended the session, or the client; the next input wants a good one.
      open();
    }
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof XdrException;
  }

  @Override
  public long allocationBound(int inputBytes) {
    return REPLY_BYTES + 1024L * inputBytes;
  }
}
