package onefold.nas.nfs;

import java.io.IOException;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import javax.security.auth.Subject;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSException;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.GSSName;
import org.ietf.jgss.MessageProp;
import org.ietf.jgss.Oid;

/** A user of Kerberos in the tests: builds and opens calls by RFC 2203 himself. */
final class GssClient {
  private static final String MECHANISM = "1.2.840.113554.1.2.2";
  private static final String PRINCIPAL_NAME = "1.2.840.113554.1.2.2.1";

  private final NfsClient connection;
  private final Subject user;
  private final String service;
  private final GSSContext context;
  private byte[] handle = new byte[0];
  private long number;

  /** The user's context is not made yet. */
  GssClient(NfsClient connection, Subject user, String service) {
    this.connection = connection;
    this.user = user;
    this.service = service;
    try {
      context =
          Subject.callAs(
              user,
              () -> {
                GSSManager manager = GSSManager.getInstance();
                GSSName name =
                    manager.createName(service + "@" + Kdc.REALM, new Oid(PRINCIPAL_NAME));
                return manager.createContext(
                    name, new Oid(MECHANISM), null, GSSContext.DEFAULT_LIFETIME);
              });
      context.requestMutualAuth(true);
      context.requestReplayDet(false);
      context.requestSequenceDet(false);
    } catch (GSSException | CompletionException e) {
      throw new IllegalStateException(service, e);
    }
  }

  private static void writeCredential(
      XdrWriter call, int procedure, long number, int kind, byte[] handle) {
    var body = new XdrWriter(64, 400);
    body.writeInt(1).writeInt(procedure).writeInt((int) number).writeInt(kind);
    call.writeInt(Credential.GSS).writeOpaque(body.writeOpaque(handle).toBytes());
  }

  private static XdrWriter begin(int xid, int program, int version, int procedure) {
    var call = new XdrWriter(256, 8 << 20);
    call.writeInt(xid).writeInt(0).writeInt(2);
    return call.writeInt(program).writeInt(version).writeInt(procedure);
  }

  /** Makes the context; the GSS status that the server gave. */
  int open() throws IOException, GSSException {
    byte[] token = Subject.callAs(user, () -> context.initSecContext(new byte[0], 0, 0));
    XdrWriter call = begin(connection.newXid(), NfsClient.NFS, 3, 0);
    writeCredential(call, 1, 0, 1, new byte[0]);
    call.writeInt(0).writeInt(0).writeOpaque(token);
    connection.send(call.toBytes());
    XdrReader reply = connection.receive();
    reply.readInt();
    reply.readInt();
    if (reply.readInt() != 0) {
      throw new IOException("denied: " + reply.readInt() + ", " + reply.readInt());
    }
    reply.readInt();
    byte[] verifier = reply.readOpaque(400, "verifier");
    if (reply.readInt() != 0) {
      throw new IOException("not accepted");
    }
    handle = reply.readOpaque(400, "handle");
    int major = reply.readInt();
    reply.readInt();
    int window = reply.readInt();
    byte[] answer = reply.readOpaque(1 << 16, "token");
    if (major == 0) {
      Subject.callAs(user, () -> context.initSecContext(answer, 0, answer.length));
      if (!context.isEstablished()) {
        throw new IOException("the server did not prove itself to be " + service);
      }
      check(verifier, new XdrWriter(4, 4).writeInt(window).toBytes());
    }
    return major;
  }

  private void check(byte[] code, byte[] bytes) throws GSSException {
    context.verifyMIC(code, 0, code.length, bytes, 0, bytes.length, new MessageProp(0, false));
  }

  private byte[] code(byte[] bytes) throws GSSException {
    return context.getMIC(bytes, 0, bytes.length, new MessageProp(0, false));
  }

  long nextNumber() {
    return ++number;
  }

  byte[] record(
      int kind, long ofNumber, int program, int version, int procedure, Consumer<XdrWriter> body)
      throws GSSException {
    return record(0, kind, ofNumber, program, version, procedure, body);
  }

  /** A call as it is sent; {@code kind} 1 is krb5, 2 krb5i, 3 krb5p. */
  byte[] record(
      int control,
      int kind,
      long ofNumber,
      int program,
      int version,
      int procedure,
      Consumer<XdrWriter> body)
      throws GSSException {
    XdrWriter call = begin(connection.newXid(), program, version, procedure);
    writeCredential(call, control, ofNumber, kind, handle);
    byte[] code = code(call.toBytes());
    call.writeInt(Credential.GSS).writeOpaque(code);
    if (kind == 1 || control != 0) {
      body.accept(call);
      return call.toBytes();
    }
    var arguments = new XdrWriter(256, 8 << 20).writeInt((int) ofNumber);
    body.accept(arguments);
    byte[] plain = arguments.toBytes();
    if (kind == 2) {
      return call.writeOpaque(plain).writeOpaque(code(plain)).toBytes();
    }
    byte[] sealed = context.wrap(plain, 0, plain.length, new MessageProp(0, true));
    return call.writeOpaque(sealed).toBytes();
  }

  /** How a call ended: -13 and the like if it was denied, else the accept status; its results. */
  record Answer(int status, XdrReader results) {}

  Answer answer(int kind, long ofNumber) throws IOException, GSSException {
    XdrReader reply = connection.receive();
    reply.readInt();
    reply.readInt();
    if (reply.readInt() != 0) {
      reply.readInt();
      return new Answer(-reply.readInt(), reply);
    }
    if (reply.readInt() != Credential.GSS) {
      throw new IOException("no verifier");
    }
    check(
        reply.readOpaque(400, "verifier"), new XdrWriter(4, 4).writeInt((int) ofNumber).toBytes());
    int status = reply.readInt();
    if (status != 0 || kind == 1 || reply.remaining() == 0) {
      return new Answer(status, reply);
    }
    byte[] body = reply.readOpaque(8 << 20, "results");
    if (kind == 2) {
      check(reply.readOpaque(400, "code"), body);
    } else {
      var how = new MessageProp(0, true);
      body = context.unwrap(body, 0, body.length, how);
      if (!how.getPrivacy()) {
        throw new IOException("not encrypted");
      }
    }
    var results = new XdrReader(body);
    if (results.readUint() != ofNumber) {
      throw new IOException("results of another call");
    }
    return new Answer(0, results);
  }

  Answer call(int kind, int program, int version, int procedure, Consumer<XdrWriter> body)
      throws IOException, GSSException {
    long own = nextNumber();
    connection.send(record(kind, own, program, version, procedure, body));
    return answer(kind, own);
  }

  XdrReader nfs3(int kind, int procedure, Consumer<XdrWriter> body)
      throws IOException, GSSException {
    Answer answer = call(kind, NfsClient.NFS, 3, procedure, body);
    if (answer.status() != 0) {
      throw new IOException("status " + answer.status());
    }
    return answer.results();
  }

  /** Ends the context. */
  Answer destroy() throws IOException, GSSException {
    long own = nextNumber();
    connection.send(record(3, 1, own, NfsClient.NFS, 3, 0, out -> {}));
    return answer(1, own);
  }
}
