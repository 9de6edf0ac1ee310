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

  /** Longest reply to who makes a context: its token. */
  private static final int MAX_CONTEXT_REPLY_BYTES = 64 << 10;

  /** What a reply allocates first; most are shorter. */
  private static final int FIRST_REPLY_BYTES = 512;

  private static final System.Logger LOG = System.getLogger(RpcCalls.class.getName());

  private final List<RpcProgram> programs;
  private final GssCalls kerberos;

  RpcCalls(List<RpcProgram> programs, GssCalls kerberos) {
    this.programs = List.copyOf(programs);
    this.kerberos = kerberos;
  }

  /** What stands before a call's credential, and where it came from. */
  private record Header(
      int xid, int program, int version, int procedure, InetAddress client, int recordBytes) {}

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
    var header = new Header(xid, in.readInt(), in.readInt(), in.readInt(), client, length);
    int flavor = in.readInt();
    XdrReader.Range body = in.readRange(Credential.MAX_BODY_BYTES, "credential");
    int headerEnd = in.position();
    int verifierFlavor = in.readInt();
    XdrReader.Range verifier = in.readRange(Credential.MAX_BODY_BYTES, "verifier");
    var credential = new XdrReader(body.array(), body.offset(), body.length());
    return switch (flavor) {
      case Credential.NONE -> serve(header, Credential.ANONYMOUS, null, in);
      case Credential.SYS -> {
        Credential sys;
        try {
          sys = Credential.readSys(credential);
        } catch (XdrException _) {
          yield denied(xid, AUTH_BADCRED);
        }
        yield serve(header, sys, null, in);
      }
      case Credential.GSS ->
          kerberos.isServed()
              ? kerberos(header, credential, headerEnd, verifierFlavor, verifier, in)
              : denied(xid, AUTH_TOOWEAK);
      default -> denied(xid, AUTH_TOOWEAK);
    };
  }

  private @Nullable XdrWriter kerberos(
      Header header,
      XdrReader credential,
      int headerEnd,
      int verifierFlavor,
      XdrReader.Range verifier,
      XdrReader in)
      throws XdrException {
    GssCalls.Header gss;
    try {
      gss = GssCalls.Header.read(credential);
    } catch (XdrException _) {
      return denied(header.xid(), AUTH_BADCRED);
    }
    try {
      if ((gss.makesContext() || gss.endsContext()) && header.procedure() != 0) {
        return denied(header.xid(), AUTH_BADCRED);
      }
      if (gss.makesContext()) {
        return kerberos.begin(
            gss, header.client(), in, start(header.xid(), ACCEPTED, MAX_CONTEXT_REPLY_BYTES));
      }
      GssCalls.Call call = kerberos.take(gss, in.array(), headerEnd, verifierFlavor, verifier);
      if (call == null) {
        return null;
      }
      if (gss.endsContext()) {
        XdrWriter reply = start(header.xid(), ACCEPTED, MAX_CONTEXT_REPLY_BYTES);
        call.writeVerifier(reply);
        kerberos.end(gss);
        return reply.writeInt(SUCCESS);
      }
      return serve(header, call.credential(), call, in);
    } catch (GssCalls.Denied e) {
      return denied(header.xid(), e.status());
    }
  }

  /** Serves a call whose credential is known; {@code sealed} is null without Kerberos. */
  private @Nullable XdrWriter serve(
      Header header, Credential credential, GssCalls.@Nullable Call sealed, XdrReader in) {
    int number = header.program();
    int version = header.version();
    int procedure = header.procedure();
    RpcProgram program = null;
    for (RpcProgram each : programs) {
      if (each.number() == number) {
        program = each;
      }
    }
    if (program == null) {
      return accepted(header, sealed, 512).writeInt(PROG_UNAVAIL);
    }
    if (Integer.compareUnsigned(version, program.lowestVersion()) < 0
        || Integer.compareUnsigned(version, program.highestVersion()) > 0) {
      return accepted(header, sealed, 512)
          .writeInt(PROG_MISMATCH)
          .writeInt(program.lowestVersion())
          .writeInt(program.highestVersion());
    }
    XdrWriter reply = accepted(header, sealed, program.maxReplyBytes());
    int at = reply.position();
    reply.writeInt(SUCCESS);
    int status;
    try {
      int whole = in.remaining();
      XdrReader arguments = sealed == null ? in : sealed.open(in);
      var call =
          new RpcCall(
              header.xid(),
              number,
              version,
              procedure,
              credential,
              header.client(),
              header.recordBytes() - whole + arguments.remaining(),
              new XdrReader.Range(arguments.array(), arguments.position(), arguments.remaining()));
      int resultsAt = reply.position();
      if (sealed != null) {
        sealed.beginResults(reply);
      }
      status =
          switch (program.serve(call, arguments, reply)) {
            case SUCCESS -> SUCCESS;
            case PROCEDURE_UNAVAILABLE -> PROC_UNAVAIL;
            case GARBAGE_ARGUMENTS -> GARBAGE_ARGS;
            case SYSTEM_ERROR -> SYSTEM_ERR;
            case DROPPED -> -1;
          };
      if (sealed != null && status == SUCCESS) {
        sealed.seal(reply, resultsAt);
      }
    } catch (XdrException e) {
      LOG.log(
          System.Logger.Level.DEBUG,
          () -> header.client() + " procedure " + procedure + ": " + e.getMessage());
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

  private static XdrWriter accepted(Header header, GssCalls.@Nullable Call sealed, int maxBytes) {
    XdrWriter reply = start(header.xid(), ACCEPTED, maxBytes);
    if (sealed == null) {
      return reply.writeInt(Credential.NONE).writeInt(0);
    }
    sealed.writeVerifier(reply);
    return reply;
  }

  private static XdrWriter denied(int xid, int why) {
    return start(xid, DENIED, 256).writeInt(AUTH_ERROR).writeInt(why);
  }
}
