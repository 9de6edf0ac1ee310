package onefold.nas.nfs;

import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Takes records apart into calls of ONC RPC version 2 (RFC 5531), and builds the replies. */
final class RpcCalls {
  private static final int RPC_VERSION = 2;
  private static final int CALL = 0;
  private static final int REPLY = 1;
  private static final int ACCEPTED = 0;
  private static final int DENIED = 1;
  private static final int RPC_MISMATCH = 0;
  private static final int AUTH_ERROR = 1;
  private static final int AUTH_BADCRED = 1;
  private static final int AUTH_TOOWEAK = 5;
  private static final int SUCCESS = 0;
  private static final int PROG_UNAVAIL = 1;
  private static final int PROG_MISMATCH = 2;
  private static final int PROC_UNAVAIL = 3;
  private static final int GARBAGE_ARGS = 4;
  private static final int SYSTEM_ERR = 5;

  /** What a reply allocates first; most are shorter. */
  private static final int FIRST_REPLY_BYTES = 512;

  private static final System.Logger LOG = System.getLogger(RpcCalls.class.getName());

  private final List<RpcProgram> programs;

  RpcCalls(List<RpcProgram> programs) {
    this.programs = List.copyOf(programs);
  }

  /**
   * Serves one record.
   *
   * @return the reply, behind four bytes for its mark; null if there is none
   * @throws XdrException if it does not begin with the header of a call
   */
  @Nullable XdrWriter reply(InetAddress client, byte[] whole, int length) throws XdrException {
    var in = new XdrReader(whole, 0, length);
    int xid = in.readInt();
    return in.readInt() == CALL ? reply(client, xid, in, length) : null;
  }

  private @Nullable XdrWriter reply(InetAddress client, int xid, XdrReader in, int length)
      throws XdrException {
    int rpcVersion = in.readInt();
    if (rpcVersion != RPC_VERSION) {
      return start(xid, DENIED, 256)
          .writeInt(RPC_MISMATCH)
          .writeInt(RPC_VERSION)
          .writeInt(RPC_VERSION);
    }
    int number = in.readInt();
    int version = in.readInt();
    int procedure = in.readInt();
    int flavor = in.readInt();
    XdrReader.Range body = in.readRange(Credential.MAX_BODY_BYTES, "credential");
    in.readInt();
    in.readRange(Credential.MAX_BODY_BYTES, "verifier");
    Credential credential;
    switch (flavor) {
      case Credential.NONE -> credential = Credential.ANONYMOUS;
      case Credential.SYS -> {
        try {
          credential =
              Credential.readSys(new XdrReader(body.array(), body.offset(), body.length()));
        } catch (XdrException _) {
          return denied(xid, AUTH_BADCRED);
        }
      }
      default -> {
        return denied(xid, AUTH_TOOWEAK);
      }
    }
    RpcProgram program = null;
    for (RpcProgram each : programs) {
      if (each.number() == number) {
        program = each;
      }
    }
    if (program == null) {
      return accepted(xid, 256).writeInt(PROG_UNAVAIL);
    }
    if (Integer.compareUnsigned(version, program.lowestVersion()) < 0
        || Integer.compareUnsigned(version, program.highestVersion()) > 0) {
      return accepted(xid, 256)
          .writeInt(PROG_MISMATCH)
          .writeInt(program.lowestVersion())
          .writeInt(program.highestVersion());
    }
    var call =
        new RpcCall(
            xid,
            number,
            version,
            procedure,
            credential,
            client,
            length,
            new XdrReader.Range(in.array(), in.position(), in.remaining()));
    XdrWriter reply = accepted(xid, program.maxReplyBytes());
    int at = reply.position();
    reply.writeInt(SUCCESS);
    int status;
    try {
      status =
          switch (program.serve(call, in, reply)) {
            case SUCCESS -> SUCCESS;
            case PROCEDURE_UNAVAILABLE -> PROC_UNAVAIL;
            case GARBAGE_ARGUMENTS -> GARBAGE_ARGS;
            case SYSTEM_ERROR -> SYSTEM_ERR;
            case DROPPED -> -1;
          };
    } catch (XdrException e) {
      LOG.log(
          System.Logger.Level.DEBUG,
          () -> call.client() + " procedure " + procedure + ": " + e.getMessage());
      status = GARBAGE_ARGS;
    } catch (RuntimeException e) {
      // A call must not take its connection with it; the client hears that it failed.
      LOG.log(
          System.Logger.Level.ERROR,
          () -> "program " + number + " version " + version + " procedure " + procedure,
          e);
      status = SYSTEM_ERR;
    }
    if (status < 0) {
      return null;
    }
    if (status != SUCCESS) {
      reply.rewind(at);
      reply.writeInt(status);
    }
    return reply;
  }

  private static XdrWriter start(int xid, int state, int maxBytes) {
    return new XdrWriter(FIRST_REPLY_BYTES, maxBytes)
        .writeInt(0)
        .writeInt(xid)
        .writeInt(REPLY)
        .writeInt(state);
  }

  private static XdrWriter accepted(int xid, int maxBytes) {
    return start(xid, ACCEPTED, maxBytes).writeInt(Credential.NONE).writeInt(0);
  }

  private static XdrWriter denied(int xid, int why) {
    return start(xid, DENIED, 256).writeInt(AUTH_ERROR).writeInt(why);
  }
}
