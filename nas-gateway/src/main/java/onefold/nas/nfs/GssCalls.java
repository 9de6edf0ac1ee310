package onefold.nas.nfs;

import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import onefold.nas.Credentials;
import onefold.nas.Security;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSException;
import org.jspecify.annotations.Nullable;

/**
 * Calls with Kerberos, RPCSEC_GSS version 1 (RFC 2203): makes contexts of clients' tickets, and
 * opens and seals what is called by them. At most {@link #MAX_CONTEXTS} are kept, of which the one
 * unused longest goes first; its client is told and makes another. For several threads.
 */
final class GssCalls {
  static final int MAX_CONTEXTS = 4096;

  /** How long a context is good. */
  static final int MAX_CONTEXT_SECONDS = 10 * 3600;

  private static final int VERSION = 1;
  private static final int DATA = 0;
  private static final int INIT = 1;
  private static final int CONTINUE_INIT = 2;
  private static final int DESTROY = 3;

  /** From here on the client must make a new context (RFC 2203, 5.3.3.1). */
  private static final long MAX_NUMBER = 0x8000_0000L;

  private static final int HANDLE_BYTES = 16;
  private static final int MAX_TOKEN_BYTES = 64 << 10;
  private static final int MAX_CODE_BYTES = 400;

  /** GSS_S_FAILURE of RFC 2744: what is wrong with a ticket is for the log alone. */
  private static final int FAILURE = 13 << 16;

  static final int AUTH_BADCRED = 1;
  static final int CREDENTIAL_PROBLEM = 13;
  static final int CONTEXT_PROBLEM = 14;

  private static final System.Logger LOG = System.getLogger(GssCalls.class.getName());

  private final Kerberos kerberos;
  private final LongSupplier nanoClock;
  private final RandomGenerator random;
  private final ReentrantLock lock = new ReentrantLock();
  // Guarded by lock; in order of use.
  private final LinkedHashMap<Bytes, GssContext> contexts = new LinkedHashMap<>(16, 0.75f, true);

  GssCalls(Kerberos kerberos, LongSupplier nanoClock, RandomGenerator random) {
    this.kerberos = kerberos;
    this.nanoClock = nanoClock;
    this.random = random;
  }

  boolean isServed() {
    return kerberos.isServed();
  }

  int contextCount() {
    lock.lock();
    try {
      return contexts.size();
    } finally {
      lock.unlock();
    }
  }

  /** How a call's credential begins: what the client wants done. */
  record Header(int procedure, long number, int service, Bytes handle) {
    static Header read(XdrReader body) throws XdrException {
      int version = body.readInt();
      if (version != VERSION) {
        throw new XdrException("version " + version + " of RPCSEC_GSS");
      }
      int procedure = body.readInt();
      long number = body.readUint();
      int service = body.readInt();
      if (procedure < DATA || procedure > DESTROY || service < 1 || service > 3) {
        throw new XdrException("procedure " + procedure + ", service " + service);
      }
      return new Header(
          procedure,
          number,
          service,
          new Bytes(body.readOpaque(Credential.MAX_BODY_BYTES, "handle")));
    }

    boolean makesContext() {
      return procedure == INIT || procedure == CONTINUE_INIT;
    }

    boolean endsContext() {
      return procedure == DESTROY;
    }

    Security security() {
      return switch (service) {
        case 1 -> Security.KRB5;
        case 2 -> Security.KRB5I;
        default -> Security.KRB5P;
      };
    }
  }

  /** The number of what protects a call (RFC 2203, 5.2.2). */
  static int service(Security security) {
    return switch (security) {
      case SYS -> throw new IllegalArgumentException("no Kerberos");
      case KRB5 -> 1;
      case KRB5I -> 2;
      case KRB5P -> 3;
    };
  }

  /** A call was not taken: why, for its client; or nothing at all. */
  static final class Denied extends Exception {
    @java.io.Serial private static final long serialVersionUID = 1;

    private final int status;

    Denied(int status) {
      super("status " + status, null, false, false);
      this.status = status;
    }

    int status() {
      return status;
    }
  }

  /** A call that came by a context, with all that its reply needs. */
  static final class Call {
    private final GssContext context;
    private final Header header;

    private Call(GssContext context, Header header) {
      this.context = context;
      this.header = header;
    }

    Credential credential() {
      return context.credential(header.security());
    }

    /** Writes the verifier of the reply: a code over the call's number. */
    void writeVerifier(XdrWriter reply) {
      byte[] number = number();
      try {
        reply.writeInt(Credential.GSS).writeOpaque(context.code(number, 0, number.length));
      } catch (GSSException e) {
        throw new IllegalStateException("a reply's verifier", e);
      }
    }

    private byte[] number() {
      return new XdrWriter(4, 4).writeInt((int) header.number()).toBytes();
    }

    /**
     * Opens the arguments.
     *
     * @throws XdrException if somebody changed them, or they are another call's
     */
    XdrReader open(XdrReader in) throws XdrException {
      if (header.security() == Security.KRB5 || in.remaining() == 0) {
        return in;
      }
      XdrReader opened;
      try {
        XdrReader.Range body = in.readRange(in.remaining(), "arguments");
        if (header.security() == Security.KRB5I) {
          XdrReader.Range code = in.readRange(MAX_CODE_BYTES, "code");
          context.check(code, body.array(), body.offset(), body.length());
          opened = new XdrReader(body.array(), body.offset(), body.length());
        } else {
          opened = new XdrReader(context.decrypt(body));
        }
      } catch (GSSException e) {
        throw new XdrException("arguments: " + e.getMessage());
      }
      long number = opened.readUint();
      if (number != header.number()) {
        throw new XdrException("arguments of call " + number + " in call " + header.number());
      }
      return opened;
    }

    /** Begins results that {@link #seal} will protect. */
    void beginResults(XdrWriter reply) {
      if (header.security() != Security.KRB5) {
        reply.writeInt(0).writeInt((int) header.number());
      }
    }

    /**
     * Protects the results.
     *
     * @param from where {@link #beginResults} was called
     */
    void seal(XdrWriter reply, int from) {
      if (header.security() == Security.KRB5) {
        return;
      }
      int start = from + 4;
      int length = reply.position() - start;
      reply.limit(reply.position() + length / 8 + MAX_CODE_BYTES);
      try {
        if (header.security() == Security.KRB5I) {
          reply.patchInt(from, length);
          reply.writeOpaque(context.code(reply.array(), start, length));
        } else {
          byte[] sealed = context.encrypt(reply.array(), start, length);
          reply.rewind(from);
          reply.writeOpaque(sealed);
        }
      } catch (GSSException e) {
        throw new IllegalStateException("a reply", e);
      }
    }
  }

  /**
   * Takes a call.
   *
   * @param record the array its header lies in
   * @param headerEnd where the verifier begins, up to which its code counts
   * @return null if it is to be dropped: it came before
   * @throws Denied if its context is not known or no longer good, or the code is not right
   */
  @Nullable Call take(
      Header header, byte[] record, int headerEnd, int verifierFlavor, XdrReader.Range verifier)
      throws Denied {
    GssContext context;
    lock.lock();
    try {
      context = contexts.get(header.handle());
      if (context != null && context.isOver(nanoClock.getAsLong())) {
        contexts.remove(header.handle());
        context = null;
      }
    } finally {
      lock.unlock();
    }
    if (context == null || verifierFlavor != Credential.GSS) {
      throw new Denied(CREDENTIAL_PROBLEM);
    }
    try {
      context.check(verifier, record, 0, headerEnd);
    } catch (GSSException e) {
      LOG.log(System.Logger.Level.DEBUG, () -> "the code over a call's header: " + e.getMessage());
      throw new Denied(CREDENTIAL_PROBLEM);
    }
    if (header.number() >= MAX_NUMBER) {
      throw new Denied(CONTEXT_PROBLEM);
    }
    return context.take(header.number()) ? new Call(context, header) : null;
  }

  /** Ends the context of a call that was taken. */
  void end(Header header) {
    lock.lock();
    try {
      // A call under way keeps what it needs of it; only its handle is not found any more.
      contexts.remove(header.handle());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes a context.
   *
   * @param in the client's token
   * @param reply begun by {@code start}, which writes all up to the verifier
   */
  XdrWriter begin(Header header, InetAddress client, XdrReader in, XdrWriter reply)
      throws XdrException, Denied {
    byte[] token = in.readOpaque(MAX_TOKEN_BYTES, "token");
    if (header.procedure() == CONTINUE_INIT) {
      // Kerberos needs one token only, so that nothing is ever half made.
      throw new Denied(CREDENTIAL_PROBLEM);
    }
    Kerberos.Accepted accepted;
    try {
      accepted = kerberos.accept(token);
    } catch (GSSException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "Kerberos refused " + client.getHostAddress() + ": " + e.getMessage());
      reply.writeInt(Credential.NONE).writeInt(0).writeInt(0);
      return reply.writeInt(0).writeInt(FAILURE).writeInt(0).writeInt(0).writeInt(0);
    }
    GSSContext context = accepted.context();
    // The platform does not tell when a ticket ends, so clients show a new one now and then.
    int seconds = Math.min(context.getLifetime(), MAX_CONTEXT_SECONDS);
    var made =
        new GssContext(
            context,
            credential(accepted),
            nanoClock.getAsLong() + TimeUnit.SECONDS.toNanos(seconds));
    byte[] handle = new byte[HANDLE_BYTES];
    random.nextBytes(handle);
    byte[] window = new XdrWriter(4, 4).writeInt(GssContext.WINDOW).toBytes();
    try {
      reply.writeInt(Credential.GSS).writeOpaque(made.code(window, 0, window.length));
    } catch (GSSException e) {
      throw new IllegalStateException("a new context", e);
    }
    keep(new Bytes(handle), made);
    reply.writeInt(0).writeOpaque(handle).writeInt(0).writeInt(0).writeInt(GssContext.WINDOW);
    LOG.log(
        System.Logger.Level.DEBUG,
        () -> accepted.principal() + " came from " + client.getHostAddress());
    return reply.writeOpaque(accepted.token());
  }

  private static Credential credential(Kerberos.Accepted accepted) {
    if (accepted.account().isEmpty()) {
      return Credential.ofPrincipal(
          accepted.principal(), Credential.NOBODY, Credential.NOBODY, Set.of(), true);
    }
    Accounts.Account account = accepted.account().get();
    return Credential.ofPrincipal(
        accepted.principal(), (int) account.uid(), (int) account.gid(), account.groups(), false);
  }

  private void keep(Bytes handle, GssContext made) {
    long now = nanoClock.getAsLong();
    lock.lock();
    try {
      contexts.values().removeIf(context -> context.isOver(now));
      contexts.put(handle, made);
      if (contexts.size() > MAX_CONTEXTS) {
        contexts.pollFirstEntry();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Most supplementary groups that are taken of an account. */
  static final int MAX_GROUPS = Credentials.MAX_GROUPS;
}
