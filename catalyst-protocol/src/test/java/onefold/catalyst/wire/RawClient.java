package onefold.catalyst.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * A client that sends whatever it is told to, right or wrong, over the JDK's blocking TLS sockets.
 */
public final class RawClient implements AutoCloseable {
  private static final int READ_MILLIS = 20_000;

  private final SSLSocket socket;
  private final OutputStream out;
  private final DataInputStream in;

  /** Connects and does the TLS handshake, nothing more. */
  public RawClient(int port) throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLSv1.3");
      context.init(null, new TrustManager[] {new TrustAnything()}, new SecureRandom());
      socket =
          (SSLSocket)
              context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
    socket.setSoTimeout(READ_MILLIS);
    socket.startHandshake();
    out = socket.getOutputStream();
    in = new DataInputStream(socket.getInputStream());
  }

  /** Says HELLO and logs in. */
  public RawClient login(String user, String password) throws IOException {
    hello(1, 1, 0);
    if (!(read() instanceof Message.Welcome)) {
      throw new IOException("no WELCOME");
    }
    if (!(attempt(user, password) instanceof Message.AuthOutcome(boolean ok, byte[] _)) || !ok) {
      throw new IOException("not logged in");
    }
    return this;
  }

  /** Sends a HELLO. */
  public void hello(int lowest, int highest, long epoch) throws IOException {
    send(0, new Message.Hello(lowest, highest, epoch, 0, "raw"));
  }

  /** Tries to log in once and returns the last answer. */
  public Message attempt(String user, String password) throws IOException {
    var scram = new ScramClient(user, password.toCharArray(), binding(), new SecureRandom());
    send(0, new Message.AuthBegin(Scram.MECHANISM_PLUS, scram.first()));
    Message answer = read();
    if (!(answer instanceof Message.AuthChallenge(byte[] challenge))) {
      return answer;
    }
    send(0, new Message.AuthProof(scram.answer(challenge)));
    return read();
  }

  private ChannelBinding binding() throws IOException {
    try {
      X509Certificate certificate = (X509Certificate) socket.getSession().getPeerCertificates()[0];
      return new ChannelBinding(
          ChannelBinding.TLS_SERVER_END_POINT,
          MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  /** Sends a well-formed frame. */
  public void send(int stream, Message message) throws IOException {
    send(bytes(stream, message));
  }

  /** Returns a well-formed frame. */
  public static byte[] bytes(int stream, Message message) {
    ByteBuf frame = MessageFormat.encode(Unpooled::buffer, stream, message);
    byte[] bytes = new byte[frame.readableBytes()];
    frame.readBytes(bytes);
    frame.release();
    return bytes;
  }

  /** Returns a header with any values. */
  public static byte[] header(int length, int stream, int type, int flags) {
    return ByteBuffer.allocate(FrameFormat.HEADER_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(length)
        .putInt(stream)
        .put((byte) type)
        .put((byte) flags)
        .putShort((short) 0)
        .array();
  }

  /** Sends bytes as they are. */
  public void send(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
  }

  /** Reads the next frame's message, whatever its stream. */
  public Message read() throws IOException {
    byte[] header = in.readNBytes(FrameFormat.HEADER_BYTES);
    if (header.length < FrameFormat.HEADER_BYTES) {
      throw new EOFException("the server closed the connection");
    }
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    int length = fields.getInt();
    int stream = fields.getInt();
    FrameType type = FrameType.of(fields.get());
    if (type == null) {
      throw new IOException("frame of unknown type");
    }
    byte[] payload = new byte[length];
    in.readFully(payload);
    return new Frame(type, stream, payload).message();
  }

  /** Reads until a message of this class comes. */
  public <M extends Message> M readUntil(Class<M> wanted) throws IOException {
    while (true) {
      Message message = read();
      if (wanted.isInstance(message)) {
        return wanted.cast(message);
      }
    }
  }

  /** Reads until the connection ends; returns why, if the server said so. */
  public ErrorCode readToEnd() throws IOException {
    ErrorCode why = ErrorCode.INTERNAL;
    try {
      while (true) {
        if (read() instanceof Message.GoAway(ErrorCode code, String _)) {
          why = code;
        }
      }
    } catch (EOFException | SSLException | java.net.SocketException e) {
      return why;
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  private static final class TrustAnything implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
