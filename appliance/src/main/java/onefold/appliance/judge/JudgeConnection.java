package onefold.appliance.judge;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import onefold.appliance.context.Context;
import onefold.appliance.judge.Payload.Fields;

/** One connection to a Catalyst server, logged in; one stream at a time. */
final class JudgeConnection implements AutoCloseable {
  static final int MAX_PAYLOAD_BYTES = (1 << 20) + (64 << 10);

  private static final int HEADER_BYTES = 12;
  private static final int CONNECT_MILLIS = 10_000;
  // A server that says nothing for so long while it owes an answer counts as dead.
  private static final int ANSWER_MILLIS = 120_000;

  /** Frames of the protocol that a judge sends or understands. */
  static final int HELLO = 0x01;

  static final int WELCOME = 0x02;
  static final int AUTH_BEGIN = 0x03;
  static final int AUTH_CHALLENGE = 0x04;
  static final int AUTH_PROOF = 0x05;
  static final int AUTH_OUTCOME = 0x06;
  static final int PING = 0x07;
  static final int PONG = 0x08;
  static final int GOAWAY = 0x09;
  static final int CREDIT = 0x10;
  static final int CANCEL = 0x11;
  static final int ERROR = 0x12;
  static final int DELETE_ITEM = 0x23;
  static final int DONE = 0x33;
  static final int OPEN_UPLOAD = 0x40;
  static final int UPLOAD_OPENED = 0x41;
  static final int WRITE = 0x4a;
  static final int POSITION = 0x4e;
  static final int COMMIT = 0x4f;
  static final int COMMITTED = 0x50;
  static final int OPEN_READ = 0x60;
  static final int READ_OPENED = 0x61;
  static final int READ_RANGE = 0x62;
  static final int READ_BLOCK = 0x63;
  static final int READ_EXTENTS = 0x64;
  static final int RANGE_END = 0x65;
  static final int CLOSE_READ = 0x66;

  /** A frame that came for the open stream. */
  record Frame(int type, byte[] payload) {
    Fields fields() {
      return new Fields(payload);
    }
  }

  private final SSLSocket socket;
  private final DataInputStream in;
  private final OutputStream out;
  private long stream;
  private long credit;

  private JudgeConnection(SSLSocket socket) throws IOException {
    this.socket = socket;
    this.in =
        new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream(), 64 << 10));
    this.out = socket.getOutputStream();
  }

  /**
   * Connects and logs in as the context says.
   *
   * @throws IOException if nobody answers, the key is not the pinned one, or the login fails
   */
  static JudgeConnection open(Context context, int port) throws IOException {
    Socket plain = new Socket();
    boolean opened = false;
    try {
      plain.connect(new InetSocketAddress(context.host(), port), CONNECT_MILLIS);
      plain.setTcpNoDelay(true);
      plain.setSoTimeout(ANSWER_MILLIS);
      SSLContext tls = SSLContext.getInstance("TLSv1.3");
      tls.init(null, new TrustManager[] {new PinnedKey(context.pin())}, null);
      SSLSocket socket =
          (SSLSocket) tls.getSocketFactory().createSocket(plain, context.host(), port, true);
      socket.setEnabledProtocols(new String[] {"TLSv1.3"});
      socket.startHandshake();
      JudgeConnection connection = new JudgeConnection(socket);
      connection.login(context);
      opened = true;
      return connection;
    } catch (GeneralSecurityException e) {
      throw new IOException("TLS 1.3: " + e.getMessage(), e);
    } finally {
      if (!opened) {
        plain.close();
      }
    }
  }

  private void login(Context context) throws IOException, GeneralSecurityException {
    send(
        0,
        HELLO,
        new Payload()
            .raw(new byte[] {'O', 'F', 'C', '1'})
            .u16(1)
            .u16(1)
            .u64(0)
            .u64(0)
            .text("onefold judge"));
    Fields welcome = expect(WELCOME).fields();
    welcome.u16();
    welcome.u64();
    welcome.u64();
    welcome.u32();
    welcome.u16();
    welcome.u32();
    welcome.text();
    String[] bindings = new String[welcome.u8()];
    for (int i = 0; i < bindings.length; i++) {
      bindings[i] = welcome.text();
    }
    String type =
        Arrays.stream(bindings)
            .filter(List.of("tls-exporter", "tls-server-end-point")::contains)
            .findFirst()
            .orElseThrow(() ->
                new JudgeException("no channel binding in common: " + Arrays.toString(bindings)));
    byte[] random = new byte[24];
    new SecureRandom().nextBytes(random);
    ScramLogin login =
        new ScramLogin(
            context.user(),
            context.password(),
            type,
            binding(type, socket.getSession()),
            HexFormat.of().formatHex(random));
    send(0, AUTH_BEGIN, new Payload().text("SCRAM-SHA-256-PLUS").bytes(login.first()));
    send(0, AUTH_PROOF, new Payload().bytes(login.proof(expect(AUTH_CHALLENGE).fields().bytes())));
    Fields outcome = expect(AUTH_OUTCOME).fields();
    boolean accepted = outcome.u8() == 1;
    byte[] serverFinal = outcome.bytes();
    if (!accepted) {
      throw new JudgeException("login of " + context.user() + " failed: user or password is wrong");
    }
    login.checkServer(serverFinal);
  }

  private static byte[] binding(String type, SSLSession session)
      throws IOException, GeneralSecurityException {
    if (type.equals("tls-exporter")) {
      return ((ExtendedSSLSession) session)
          .exportKeyingMaterialData("EXPORTER-Channel-Binding", new byte[0], 32);
    }
    X509Certificate certificate = (X509Certificate) session.getPeerCertificates()[0];
    String signature = certificate.getSigAlgName().toUpperCase(Locale.ROOT);
    String hash =
        signature.contains("SHA512")
            ? "SHA-512"
            : signature.contains("SHA384") ? "SHA-384" : "SHA-256";
    return MessageDigest.getInstance(hash).digest(certificate.getEncoded());
  }

  /** Begins a stream with its opening frame. */
  void open(int type, Payload payload) throws IOException {
    stream++;
    credit = 0;
    send(stream, type, payload);
  }

  /** Sends a frame on the open stream. */
  void send(int type, Payload payload) throws IOException {
    send(stream, type, payload);
  }

  /** Sends bytes of an item, in frames of at most 256 KiB, waiting for credit. */
  void sendData(byte[] bytes) throws IOException {
    int position = 0;
    while (position < bytes.length) {
      while (credit <= 0) {
        Frame frame = receive();
        if (frame.type() != POSITION) {
          throw unexpected(frame);
        }
      }
      int length = Math.min(bytes.length - position, 256 << 10);
      send(WRITE, new Payload().raw(Arrays.copyOfRange(bytes, position, position + length)));
      credit -= length;
      position += length;
    }
  }

  /** Grants the server so many bytes of credit on the open stream. */
  void grant(int bytes) throws IOException {
    send(CREDIT, new Payload().u32(bytes));
  }

  /**
   * Receives the next frame of the open stream, which must be of this type; POSITION frames are
   * passed over.
   */
  Frame expect(int type) throws IOException {
    Frame frame = receive();
    while (frame.type() == POSITION && type != POSITION) {
      frame = receive();
    }
    if (frame.type() != type) {
      throw unexpected(frame);
    }
    return frame;
  }

  /** Receives the next frame of the open stream; answers PING and counts CREDIT by itself. */
  Frame receive() throws IOException {
    while (true) {
      byte[] header = in.readNBytes(HEADER_BYTES);
      if (header.length < HEADER_BYTES) {
        throw new EOFException("the server closed the connection");
      }
      Fields fields = new Fields(header);
      long length = fields.u32();
      long frameStream = fields.u32();
      int type = fields.u8();
      if (length > MAX_PAYLOAD_BYTES) {
        throw new JudgeException("a frame of " + length + " bytes, at most " + MAX_PAYLOAD_BYTES);
      }
      byte[] payload = in.readNBytes((int) length);
      if (payload.length < length) {
        throw new EOFException("the server closed the connection inside a frame");
      }
      Frame frame = new Frame(type, payload);
      if (type == GOAWAY) {
        Fields goaway = frame.fields();
        throw new JudgeException(goaway.u16(), "the server closes: " + goaway.text());
      } else if (type == PING) {
        send(0, PONG, new Payload().u64(frame.fields().u64()));
      } else if (frameStream == stream) {
        if (type == CREDIT) {
          credit += frame.fields().u32();
        } else if (type == ERROR) {
          Fields error = frame.fields();
          throw new JudgeException(error.u16(), error.text());
        } else {
          return frame;
        }
      }
    }
  }

  private static JudgeException unexpected(Frame frame) {
    return new JudgeException("an unexpected frame of type " + Integer.toHexString(frame.type()));
  }

  private void send(long onStream, int type, Payload payload) throws IOException {
    byte[] body = payload.toBytes();
    ByteBuffer frame =
        ByteBuffer.allocate(HEADER_BYTES + body.length).order(ByteOrder.LITTLE_ENDIAN);
    frame
        .putInt(body.length)
        .putInt((int) onStream)
        .put((byte) type)
        .put((byte) 0)
        .putShort((short) 0)
        .put(body);
    out.write(frame.array());
    out.flush();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /** Trusts exactly one public key. */
  private static final class PinnedKey extends X509ExtendedTrustManager {
    private final String pin;

    PinnedKey(String pin) {
      this.pin = pin;
    }

    private void check(X509Certificate[] chain) throws CertificateException {
      try {
        byte[] digest =
            MessageDigest.getInstance("SHA-256").digest(chain[0].getPublicKey().getEncoded());
        String found = HexFormat.of().formatHex(digest);
        if (!found.equalsIgnoreCase(pin)) {
          throw new CertificateException(
              "the server's key is " + found + ", the context expects " + pin);
        }
      } catch (java.security.NoSuchAlgorithmException e) {
        throw new CertificateException(e);
      }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket peer)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkServerTrusted(
        X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket peer)
        throws CertificateException {
      throw new CertificateException("no clients here");
    }

    @Override
    public void checkClientTrusted(
        X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine)
        throws CertificateException {
      throw new CertificateException("no clients here");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      throw new CertificateException("no clients here");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
