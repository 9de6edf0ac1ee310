package onefold.nas.nfs;

import java.io.IOException;
import onefold.nas.FileError;
import onefold.nas.FileException;
import onefold.nas.FileType;
import org.jspecify.annotations.Nullable;

/**
 * NFS version 4, minor versions 0 to 2: takes a compound apart, hands its operations out and puts
 * the reply together. With sessions, a request that is sent again gets the reply it got.
 */
final class Nfs4 {
  private static final int MAX_TAG_BYTES = 1024;
  private static final int MAX_MINOR = 2;

  /** Most operations of a compound in 4.0; later the session says. */
  private static final int MAX_OPERATIONS = 128;

  /** Longer calls of 4.0 are writes, which may be done twice. */
  private static final int MAX_REPEATED_BYTES = 4096;

  private static final System.Logger LOG = System.getLogger(Nfs4.class.getName());

  private final Clients clients;
  private final ReplyCache cache;
  private final FileOperations files;
  private final States states;
  private final OpenOperations opens;
  private final ByteOperations bytes;
  private final LockOperations locks;
  private final SessionOperations sessions;

  Nfs4(Doors doors, Clients clients, ReplyCache cache) {
    this.clients = clients;
    this.cache = cache;
    this.states = new States(clients);
    this.opens = new OpenOperations(clients, states);
    this.bytes = new ByteOperations(states);
    this.locks = new LockOperations(clients, states);
    this.files = new FileOperations(doors, clients, states);
    this.sessions = new SessionOperations(clients, doors.handles().serverName());
  }

  RpcProgram.Outcome serve(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    return switch (call.procedure()) {
      case 0 -> RpcProgram.Outcome.SUCCESS;
      case 1 -> {
        compound(call, in, out);
        yield RpcProgram.Outcome.SUCCESS;
      }
      default -> RpcProgram.Outcome.PROCEDURE_UNAVAILABLE;
    };
  }

  /** A slot that a compound holds. */
  private record Held(Session session, int slot, int sequence, boolean cached) {}

  private void compound(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    byte[] tag = in.readOpaque(MAX_TAG_BYTES, "tag");
    int minor = in.readInt();
    long count = in.readUint();
    int start = out.position();
    out.writeInt(Status.OK).writeOpaque(tag);
    int countAt = out.position();
    out.writeInt(0);
    if (minor < 0 || minor > MAX_MINOR) {
      out.patchInt(start, Status.MINOR_VERS_MISMATCH);
      return;
    }
    if (count > MAX_OPERATIONS) {
      out.patchInt(start, minor == 0 ? Status.RESOURCE : Status.TOO_MANY_OPS);
      return;
    }
    if (minor == 0 && call.recordBytes() <= MAX_REPEATED_BYTES) {
      once(call, in, out, start, countAt, (int) count);
    } else {
      run(new Compound(call, minor, (int) count), in, out, start, countAt);
    }
  }

  /** Without sessions, a compound that is sent again is known by its number at its client. */
  private void once(RpcCall call, XdrReader in, XdrWriter out, int start, int countAt, int count)
      throws XdrException {
    ReplyCache.Entry entry = cache.enter(call);
    byte[] earlier = entry.earlier();
    if (earlier != null) {
      out.rewind(start);
      out.writeFixed(earlier);
      return;
    }
    boolean kept = false;
    try {
      run(new Compound(call, 0, count), in, out, start, countAt);
      kept = true;
    } finally {
      if (!kept) {
        entry.forget();
        out.rewind(countAt);
        out.writeInt(0);
        out.patchInt(start, Status.SERVERFAULT);
      }
      entry.done(out, start);
    }
  }

  private void run(Compound c, XdrReader in, XdrWriter out, int start, int countAt)
      throws XdrException {
    int minor = c.minor();
    int count = c.operationCount();
    Held held = null;
    int status = Status.OK;
    int done = 0;
    try {
      while (done < count && status == Status.OK) {
        int operation = in.readInt();
        int at = out.position();
        if (done == 0 && minor > 0 && operation == Operation.SEQUENCE) {
          out.writeInt(operation).writeInt(Status.OK);
          Object begun = sequence(c, in, out, at + 4);
          if (begun instanceof byte[] earlier) {
            out.rewind(start);
            out.writeFixed(earlier);
            return;
          }
          if (begun instanceof Held taken) {
            held = taken;
          } else if (begun instanceof Integer refused) {
            status = refused;
          }
        } else {
          status = operation(c, operation, in, out, at);
        }
        done++;
        c.next();
      }
      out.patchInt(start, status);
      out.patchInt(countAt, done);
    } finally {
      if (held != null) {
        int length = out.position() - start;
        boolean kept =
            (held.cached() && length <= Session.MAX_CACHED_BYTES)
                || length <= Session.KEPT_ANYWAY_BYTES;
        held.session().end(held.slot(), held.sequence(), kept ? out.copy(start) : null);
        clients.end(held.session().client());
      }
    }
  }

  /**
   * SEQUENCE (RFC 8881, 18.46).
   *
   * @return what is held from now on, the reply of the first time, or the number of the error
   */
  private Object sequence(Compound c, XdrReader in, XdrWriter out, int statusAt)
      throws XdrException {
    Session session = null;
    int slot = -1;
    boolean begun = false;
    int status;
    try {
      Session.SessionId id = Session.SessionId.read(in);
      int sequence = in.readInt();
      slot = in.readInt();
      final int highest = in.readInt();
      final boolean cached = in.readBoolean();
      session = clients.session(id);
      Session.Channel channel = session.channel();
      if (c.call().recordBytes() > channel.maxRequestBytes()) {
        throw new Refusal(Status.REQ_TOO_BIG);
      }
      if (slot < 0 || slot >= channel.slots()) {
        throw new Refusal(Status.BADSLOT);
      }
      if (highest < slot && highest >= 0) {
        throw new Refusal(Status.BAD_HIGH_SLOT);
      }
      byte[] earlier = session.begin(slot, sequence);
      if (earlier != null) {
        clients.renew(session.client());
        return earlier;
      }
      begun = true;
      if (c.operationCount() > channel.maxOperations()) {
        throw new Refusal(Status.TOO_MANY_OPS);
      }
      // The bounds count from the RPC header on, which follows the four bytes of the record mark.
      int most = channel.maxResponseBytes();
      out.limit(4 + (cached ? Math.min(most, channel.maxCachedBytes()) : most));
      id.write(out);
      int lastSlot = channel.slots() - 1;
      out.writeInt(sequence).writeInt(slot).writeInt(lastSlot).writeInt(lastSlot).writeInt(0);
      if (out.position() > out.maxBytes()) {
        throw new XdrWriter.Full(out.maxBytes());
      }
      clients.begin(session.client());
      c.setSession(session);
      return new Held(session, slot, sequence, cached);
    } catch (XdrException _) {
      status = Status.BADXDR;
    } catch (XdrWriter.Full _) {
      status = tooBig(c, session, out);
    } catch (Refusal e) {
      status = e.status();
    }
    if (begun && session != null) {
      session.giveUp(slot);
    }
    out.limit(NfsLimits.MAX_REPLY_BYTES);
    out.rewind(statusAt);
    out.writeInt(status);
    return status;
  }

  /** The error of a reply that does not fit. */
  private static int tooBig(Compound c, @Nullable Session session, XdrWriter out) {
    if (c.minor() == 0 || session == null) {
      return Status.RESOURCE;
    }
    return out.maxBytes() < 4 + session.channel().maxResponseBytes()
        ? Status.REP_TOO_BIG_TO_CACHE
        : Status.REP_TOO_BIG;
  }

  /** Serves one operation and returns its status. */
  private int operation(Compound c, int operation, XdrReader in, XdrWriter out, int at) {
    boolean exists = Operation.exists(operation, c.minor());
    int bound = out.maxBytes();
    int statusAt = at + 4;
    int status = Status.OK;
    byte[] body = new byte[0];
    try {
      try {
        out.writeInt(exists ? operation : Operation.ILLEGAL).writeInt(Status.OK);
        if (c.minor() > 0 && c.session() == null) {
          if (!exists || !Operation.needsNoSession(operation)) {
            throw new Refusal(exists ? Status.OP_NOT_IN_SESSION : Status.OP_ILLEGAL);
          }
          if (c.operationCount() > 1) {
            throw new Refusal(Status.NOT_ONLY_OP);
          }
        }
        if (!exists) {
          throw new Refusal(Status.OP_ILLEGAL);
        }
        dispatch(c, operation, in, out);
        byte[] replayed = c.replayed();
        if (replayed != null) {
          out.rewind(statusAt);
          out.writeFixed(replayed);
          return new XdrReader(replayed).readInt();
        }
      } catch (Refusal e) {
        status = e.status();
        body = e.body();
      } catch (FileException e) {
        status = status(c, operation, e);
      } catch (XdrException e) {
        LOG.log(
            System.Logger.Level.DEBUG,
            () -> c.call().client() + " operation " + operation + ": " + e.getMessage());
        status = Status.BADXDR;
      } catch (XdrWriter.Full _) {
        status = tooBig(c, c.session(), out);
      } catch (IOException e) {
        LOG.log(System.Logger.Level.WARNING, () -> "NFSv4 operation " + operation, e);
        status = Status.IO;
      } catch (RuntimeException e) {
        // The rest of the connection's requests must not suffer.
        LOG.log(System.Logger.Level.ERROR, () -> "NFSv4 operation " + operation, e);
        status = Status.SERVERFAULT;
      }
      if (status != Status.OK) {
        out.limit(NfsLimits.MAX_REPLY_BYTES);
        out.rewind(Math.min(out.position(), at));
        out.writeInt(exists ? operation : Operation.ILLEGAL).writeInt(status).writeFixed(body);
        if (operation == Operation.SETATTR) {
          out.writeInt(0);
        }
        out.limit(bound);
      }
      return status;
    } finally {
      c.endTurn(operation, status, out, statusAt);
    }
  }

  private void dispatch(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    if (!files.serve(c, operation, in, out)
        && !opens.serve(c, operation, in, out)
        && !bytes.serve(c, operation, in, out)
        && !locks.serve(c, operation, in, out)
        && !states.serve(c, operation, in, out)
        && !sessions.serve(c, operation, in, out)) {
      throw new Refusal(Status.NOTSUPP);
    }
  }

  /** The number of what the file layer says. */
  private static int status(Compound c, int operation, FileException e) {
    if (e.error() == FileError.IO) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "NFSv4 operation " + operation + ": " + e.getMessage());
    }
    boolean later = c.minor() > 0;
    return switch (e.error()) {
      case NOT_OWNER, RETAINED -> Status.PERM;
      case ACCESS -> Status.ACCESS;
      case NOT_FOUND -> Status.NOENT;
      case EXISTS -> Status.EXIST;
      case STALE -> Status.STALE;
      case NOT_DIRECTORY -> currentIsLink(c) ? Status.SYMLINK : Status.NOTDIR;
      case IS_DIRECTORY -> Status.ISDIR;
      case IS_SYMBOLIC_LINK -> later || !worksOnBytes(operation) ? Status.SYMLINK : Status.INVAL;
      case WRONG_TYPE ->
          later ? Status.WRONG_TYPE : operation == Operation.OPEN ? Status.SYMLINK : Status.INVAL;
      case INVALID, NOT_SAME -> Status.INVAL;
      case BAD_NAME -> Status.BADNAME;
      case NAME_TOO_LONG -> Status.NAMETOOLONG;
      case NOT_EMPTY -> Status.NOTEMPTY;
      case CROSS_SHARE -> Status.XDEV;
      case TOO_MANY_LINKS -> Status.MLINK;
      case TOO_BIG -> Status.FBIG;
      case NO_SPACE -> Status.NOSPC;
      case QUOTA -> Status.DQUOT;
      case READ_ONLY -> Status.ROFS;
      case BAD_COOKIE -> Status.BAD_COOKIE;
      case SHARE_DENIED -> Status.SHARE_DENIED;
      case LOCKED -> Status.LOCKED;
      case TOO_MANY_LOCKS -> later ? Status.DELAY : Status.RESOURCE;
      case NO_ATTRIBUTE -> Status.NOXATTR;
      case ATTRIBUTE_TOO_BIG -> Status.XATTR2BIG;
      case NO_SUCH_POSITION -> Status.NXIO;
      case NOT_SUPPORTED -> Status.NOTSUPP;
      case DELAY -> Status.DELAY;
      case IO -> Status.IO;
    };
  }

  /** Whether an operation needs a regular file; the others need a directory. */
  private static boolean worksOnBytes(int operation) {
    return switch (operation) {
      case Operation.READ,
          Operation.WRITE,
          Operation.COMMIT,
          Operation.LOCK,
          Operation.LOCKT,
          Operation.LOCKU,
          Operation.SETATTR ->
          true;
      default -> false;
    };
  }

  private static boolean currentIsLink(Compound c) {
    Compound.Node node = c.currentOrNull();
    if (node == null || node.entered() == null) {
      return false;
    }
    try {
      return node.entered().files().attributes(node.fileId()).type() == FileType.SYMBOLIC_LINK;
    } catch (IOException _) {
      return false;
    }
  }
}
