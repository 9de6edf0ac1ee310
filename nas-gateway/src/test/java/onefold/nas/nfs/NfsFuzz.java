package onefold.nas.nfs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import onefold.testing.fuzz.FuzzTarget;

/**
 * Records as they come from the wire: RPC, MOUNT, NFS versions 3 and 4, served from shares in
 * memory. Whatever comes is answered or refused, and no mistake of the server's own is behind an
 * answer.
 */
public final class NfsFuzz implements FuzzTarget {
  /** A read allocates what it may return, whatever the request's length. */
  private static final long REPLY_BYTES = 16 << 20;

  private static final int SYSTEM_ERROR = 5;

  private final RpcCalls calls;
  private final byte[] root;
  private final byte[] file;

  /** Serves shares in memory, without a socket. */
  public NfsFuzz() {
    try {
      // The sockets of this one are not used; it is never closed, as the fuzzer never ends it.
      var served = new ServedInMemory();
      var handles = new FileHandles(new byte[NfsSettings.KEY_BYTES]);
      var doors = new Doors(served.shares, handles, false, System::nanoTime);
      var clients =
          new Clients(3600, System::nanoTime, new Random(3), new ServedInMemory.MemoryRecords());
      calls =
          new RpcCalls(
              NfsServer.programs(doors, clients, System::nanoTime),
              new GssCalls(Kerberos.NONE, System::nanoTime, new Random(5)));
      var share = served.share("backup");
      root = handles.handle(share.id(), share.files().rootId());
      file =
          handles.handle(
              share.id(),
              share
                  .files()
                  .create(
                      onefold.nas.Credentials.ROOT,
                      share.files().rootId(),
                      NfsClient.name("file"),
                      new onefold.nas.CreateMode.Guarded(onefold.nas.AttributeChange.NONE))
                  .file()
                  .fileId());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String name() {
    return "nfs";
  }

  @Override
  public List<byte[]> samples() {
    List<byte[]> samples = new ArrayList<>();
    for (int procedure = 0; procedure <= 21; procedure++) {
      samples.add(sample(NfsClient.NFS, 3, procedure, arguments3(procedure)));
    }
    for (int procedure = 0; procedure <= 5; procedure++) {
      samples.add(sample(NfsClient.MOUNT, 3, procedure, out -> out.writeString("/backup")));
    }
    samples.add(compound(0, 3, Nfs4Client.in("backup", out -> out.writeInt(Operation.GETFH))));
    samples.add(compound(0, 2, put(root, this::writeReadDirectory)));
    samples.add(compound(0, 2, put(file, out -> writeAttributes(out, Operation.VERIFY))));
    samples.add(
        compound(
            0,
            2,
            put(
                file,
                out -> {
                  out.writeInt(Operation.SETATTR);
                  Stateid.ANONYMOUS.write(out);
                  writeAccessList(out);
                })));
    samples.add(
        compound(
            0,
            2,
            put(
                file,
                out -> {
                  out.writeInt(Operation.WRITE);
                  Stateid.ANONYMOUS.write(out);
                  out.writeLong(5).writeInt(2).writeString("bytes");
                })));
    samples.add(
        compound(
            0,
            1,
            out -> {
              out.writeInt(Operation.SETCLIENTID).writeLong(1).writeString("client");
              out.writeInt(1).writeString("tcp").writeString("0.0.0.0.0.0").writeInt(0);
            }));
    samples.add(
        compound(
            0,
            2,
            put(
                root,
                out ->
                    Nfs4Client.writeOpen(
                        out, "owner", true, 0, o -> o.writeInt(0).writeString("made")))));
    samples.add(
        compound(
            1,
            1,
            out -> {
              out.writeInt(Operation.EXCHANGE_ID).writeLong(1).writeString("client");
              out.writeInt(0).writeInt(0).writeInt(0);
            }));
    samples.add(
        compound(
            1,
            1,
            out -> {
              out.writeInt(Operation.CREATE_SESSION).writeLong(1).writeInt(1).writeInt(0);
              for (int i = 0; i < 2; i++) {
                out.writeInt(0).writeInt(4096).writeInt(4096).writeInt(4096);
                out.writeInt(8).writeInt(1).writeInt(0);
              }
              out.writeInt(0).writeInt(1).writeInt(1);
              out.writeInt(0).writeString("machine").writeInt(0).writeInt(0).writeInt(0);
            }));
    samples.add(
        compound(
            2,
            1,
            out ->
                out.writeInt(Operation.SEQUENCE)
                    .writeFixed(new byte[16])
                    .writeInt(1)
                    .writeInt(0)
                    .writeInt(0)
                    .writeInt(1)));
    return samples;
  }

  private static byte[] sample(
      int program, int version, int procedure, Consumer<XdrWriter> arguments) {
    return NfsClient.call(1, program, version, procedure, arguments);
  }

  private static byte[] compound(int minor, int operations, Consumer<XdrWriter> body) {
    return sample(
        NfsClient.NFS,
        4,
        1,
        out -> {
          out.writeString("tag").writeInt(minor).writeInt(operations);
          body.accept(out);
        });
  }

  private static Consumer<XdrWriter> put(byte[] handle, Consumer<XdrWriter> then) {
    return out -> {
      out.writeInt(Operation.PUTFH).writeOpaque(handle);
      then.accept(out);
    };
  }

  private void writeReadDirectory(XdrWriter out) {
    out.writeInt(Operation.READDIR).writeLong(0).writeLong(0).writeInt(1000).writeInt(2000);
    Attributes4.supported(0).write(out);
  }

  private static void writeAttributes(XdrWriter out, int operation) {
    out.writeInt(operation);
    Bitmap.of(Attributes4.TYPE, Attributes4.SIZE).write(out);
    out.writeInt(12).writeInt(1).writeLong(0);
  }

  private static void writeAccessList(XdrWriter out) {
    Bitmap.of(Attributes4.ACL, Attributes4.OWNER).write(out);
    var values = new XdrWriter(64, 1000);
    values.writeInt(1).writeInt(0).writeInt(0).writeInt(0x1601ff).writeString("OWNER@");
    values.writeString("1000");
    out.writeOpaque(values.toBytes());
  }

  private Consumer<XdrWriter> arguments3(int procedure) {
    return out -> {
      switch (procedure) {
        case 0 -> {}
        case 2 -> {
          out.writeOpaque(file);
          out.writeInt(1).writeInt(0644).writeInt(0).writeInt(0).writeInt(1).writeLong(10);
          out.writeInt(1).writeInt(2).writeInt(5).writeInt(6).writeInt(0);
        }
        case 3, 12, 13 -> out.writeOpaque(root).writeString("name");
        case 4, 5 -> out.writeOpaque(file).writeInt(63);
        case 6, 21 -> out.writeOpaque(file).writeLong(0).writeInt(100);
        case 7 -> {
          out.writeOpaque(file).writeLong(3).writeInt(5).writeInt(1);
          out.writeString("bytes");
        }
        case 8 -> {
          out.writeOpaque(root).writeString("name").writeInt(0);
          Nfs3Test.noAttributes(out);
        }
        case 9 -> {
          out.writeOpaque(root).writeString("folder");
          Nfs3Test.noAttributes(out);
        }
        case 10 -> {
          out.writeOpaque(root).writeString("link");
          Nfs3Test.noAttributes(out);
          out.writeString("target");
        }
        case 11 -> {
          out.writeOpaque(root).writeString("device").writeInt(4);
          Nfs3Test.noAttributes(out);
          out.writeInt(1).writeInt(3);
        }
        case 14 -> out.writeOpaque(root).writeString("name").writeOpaque(root).writeString("other");
        case 15 -> out.writeOpaque(file).writeOpaque(root).writeString("hard");
        case 16, 17 -> out.writeOpaque(root).writeLong(0).writeLong(0).writeInt(500).writeInt(1000);
        default -> out.writeOpaque(root);
      }
    };
  }

  @Override
  public void decode(byte[] input) throws IOException {
    XdrWriter reply = calls.reply(InetAddress.getLoopbackAddress(), input, input.length);
    if (reply == null) {
      return;
    }
    var in = new XdrReader(reply.array(), 4, reply.position() - 4);
    in.readInt();
    if (NfsClient.acceptStatus(in) == SYSTEM_ERROR) {
      throw new AssertionError("the server failed");
    }
    // Behind the tag of version 4 an error of the server's own would be the last status.
    if (in.remaining() >= 4 && in.readInt() == Status.SERVERFAULT) {
      throw new AssertionError("an operation failed");
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
