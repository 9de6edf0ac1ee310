package onefold.nas.nfs;

import java.io.IOException;
import java.util.function.Consumer;

/** One client of NFSv4.1 in the tests: a session with one slot, over any connection. */
final class Nfs4Client {
  private NfsClient connection;
  private final String name;
  private final long verifier;
  private long clientId;
  private byte[] scope = new byte[0];
  private byte[] session = new byte[16];
  private int sequence;

  Nfs4Client(NfsClient connection, String name, long verifier) throws IOException {
    this.connection = connection;
    this.name = name;
    this.verifier = verifier;
    open();
  }

  void use(NfsClient other) {
    connection = other;
  }

  /** The scope that the server named when it was last asked; whoever names another is another. */
  byte[] scope() {
    return scope;
  }

  /** Makes itself known and takes a session; nothing is reclaimed. */
  void open() throws IOException {
    XdrReader exchanged =
        plain(
            1,
            out -> {
              out.writeInt(Operation.EXCHANGE_ID).writeLong(verifier).writeString(name);
              out.writeInt(0).writeInt(0).writeInt(0);
            });
    require(exchanged, Operation.EXCHANGE_ID);
    clientId = exchanged.readLong();
    int number = exchanged.readInt();
    exchanged.skip(4 + 4 + 8);
    exchanged.readOpaque(1024, "server owner");
    scope = exchanged.readOpaque(1024, "server scope");
    XdrReader made =
        plain(
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
    require(made, Operation.CREATE_SESSION);
    session = made.readFixed(16);
    sequence = 0;
  }

  private XdrReader plain(int operations, Consumer<XdrWriter> body) throws IOException {
    XdrReader reply =
        connection.call(
            NfsClient.NFS,
            4,
            1,
            out -> {
              out.writeString("").writeInt(1).writeInt(operations);
              body.accept(out);
            });
    reply.readInt();
    reply.readOpaque(100, "tag");
    reply.readInt();
    return reply;
  }

  /** Reads the head of a result; fails unless it is this operation's and well. */
  static void require(XdrReader reply, int operation) throws IOException {
    int found = reply.readInt();
    int status = reply.readInt();
    if (found != operation || status != 0) {
      throw new IOException("operation " + found + " of " + operation + ": " + status);
    }
  }

  /** A compound behind SEQUENCE; the reply from its first own result on. */
  XdrReader compound(int operations, Consumer<XdrWriter> body) throws IOException {
    sequence++;
    return repeat(operations, body);
  }

  /** The same number once more. */
  XdrReader repeat(int operations, Consumer<XdrWriter> body) throws IOException {
    XdrReader reply =
        plain(
            operations + 1,
            out -> {
              out.writeInt(Operation.SEQUENCE).writeFixed(session).writeInt(sequence);
              out.writeInt(0).writeInt(0).writeInt(1);
              body.accept(out);
            });
    require(reply, Operation.SEQUENCE);
    reply.skip(16 + 4 * 5);
    return reply;
  }

  /** Skips to the result of the last operation, all before having no more than a status. */
  static int statusBehind(XdrReader reply, int... emptyOperations) throws IOException {
    for (int operation : emptyOperations) {
      require(reply, operation);
    }
    reply.readInt();
    return reply.readInt();
  }

  void reclaimComplete() throws IOException {
    XdrReader reply = compound(1, out -> out.writeInt(Operation.RECLAIM_COMPLETE).writeInt(0));
    require(reply, Operation.RECLAIM_COMPLETE);
  }

  /** Begins a compound's arguments in a share. */
  static Consumer<XdrWriter> in(String share, Consumer<XdrWriter> then) {
    return out -> {
      out.writeInt(Operation.PUTROOTFH).writeInt(Operation.LOOKUP).writeString(share);
      then.accept(out);
    };
  }

  static void writeOpen(
      XdrWriter out, String owner, boolean create, int deny, Consumer<XdrWriter> claim) {
    out.writeInt(Operation.OPEN).writeInt(0).writeInt(3).writeInt(deny);
    out.writeLong(0).writeString(owner);
    if (create) {
      out.writeInt(1).writeInt(0).writeInt(0).writeInt(0);
    } else {
      out.writeInt(0);
    }
    claim.accept(out);
  }

  /** What OPEN gave. */
  record Opened(int status, byte[] stateid, byte[] handle) {}

  /** Opens a file of share {@code backup} by name. */
  Opened open(String file, boolean create, int deny) throws IOException {
    XdrReader reply =
        compound(
            4,
            in(
                "backup",
                out -> {
                  writeOpen(out, "owner", create, deny, o -> o.writeInt(0).writeString(file));
                  out.writeInt(Operation.GETFH);
                }));
    return opened(reply, Operation.PUTROOTFH, Operation.LOOKUP);
  }

  /** Opens by handle: what was held before a restart, or a file that is known. */
  Opened open(byte[] handle, int deny, int claim) throws IOException {
    XdrReader reply =
        compound(
            3,
            out -> {
              out.writeInt(Operation.PUTFH).writeOpaque(handle);
              writeOpen(
                  out,
                  "owner",
                  false,
                  deny,
                  o -> {
                    o.writeInt(claim);
                    if (claim == 1) {
                      o.writeInt(0);
                    }
                  });
              out.writeInt(Operation.GETFH);
            });
    return opened(reply, Operation.PUTFH);
  }

  private static Opened opened(XdrReader reply, int... before) throws IOException {
    int status = statusBehind(reply, before);
    if (status != 0) {
      return new Opened(status, new byte[0], new byte[0]);
    }
    byte[] stateid = reply.readFixed(16);
    reply.skip(4 + 8 + 8 + 4);
    Bitmap.read(reply);
    reply.readInt();
    require(reply, Operation.GETFH);
    return new Opened(0, stateid, reply.readOpaque(128, "handle"));
  }

  int lock(Opened opened, long position, long length, boolean reclaim) throws IOException {
    XdrReader reply =
        compound(
            2,
            out -> {
              out.writeInt(Operation.PUTFH).writeOpaque(opened.handle());
              out.writeInt(Operation.LOCK).writeInt(2).writeBoolean(reclaim);
              out.writeLong(position).writeLong(length).writeBoolean(true);
              out.writeInt(0).writeFixed(opened.stateid()).writeInt(0);
              out.writeLong(0).writeString("locker");
            });
    return statusBehind(reply, Operation.PUTFH);
  }
}
