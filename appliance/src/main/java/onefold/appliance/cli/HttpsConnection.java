package onefold.appliance.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import onefold.catalyst.wire.PinningTrustManager;

/**
 * One HTTPS connection, just enough of HTTP/1.1 for the REST door: the JDK's own clients are slow
 * to start, and the older one knows no PATCH. TLS 1.3 only.
 */
final class HttpsConnection implements AutoCloseable {
  /** Instead of a pin: any key, to show it to somebody who decides. */
  static final String ANY_KEY = "any";

  private static final int CONNECT_MILLIS = 10_000;
  private static final int MAX_HEADER_BYTES = 64 << 10;
  private static final int MAX_BODY_BYTES = 64 << 20;

  private final String host;
  private final int port;
  private final String pin;

  private SSLSocket socket;
  private InputStream in;
  private OutputStream out;

  /** The server has said that it closes the connection: it serves so many requests on each. */
  private boolean closing;

  private HttpsConnection(String host, int port, String pin, SSLSocket socket) throws IOException {
    this.host = host;
    this.port = port;
    this.pin = pin;
    this.socket = socket;
    this.in = new BufferedInputStream(socket.getInputStream());
    this.out = socket.getOutputStream();
  }

  /** A reply. */
  record Reply(int status, String body) {}

  private static PinningTrustManager pinning(String pin) {
    return new PinningTrustManager(pin.equals(ANY_KEY) ? null : pin);
  }

  /**
   * Connects.
   *
   * @param pin of the server's key; empty to verify its certificate and name instead, {@link
   *     #ANY_KEY} for any
   * @throws IOException if nobody answers or the key is another one
   */
  static HttpsConnection open(String host, int port, String pin) throws IOException {
    return new HttpsConnection(host, port, pin, connect(host, port, pin));
  }

  private static SSLSocket connect(String host, int port, String pin) throws IOException {
    Socket plain = new Socket();
    boolean opened = false;
    try {
      plain.connect(new InetSocketAddress(host, port), CONNECT_MILLIS);
      plain.setTcpNoDelay(true);
      SSLContext tls = SSLContext.getInstance("TLS");
      tls.init(null, pin.isEmpty() ? null : new TrustManager[] {pinning(pin)}, null);
      SSLSocket socket = (SSLSocket) tls.getSocketFactory().createSocket(plain, host, port, true);
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setProtocols(new String[] {"TLSv1.3"});
      if (pin.isEmpty()) {
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
      }
      socket.setSSLParameters(parameters);
      socket.startHandshake();
      opened = true;
      return socket;
    } catch (GeneralSecurityException e) {
      throw new IOException("TLS: " + e.getMessage(), e);
    } finally {
      if (!opened) {
        plain.close();
      }
    }
  }

  /** The server's own certificate. */
  X509Certificate certificate() throws IOException {
    return (X509Certificate) socket.getSession().getPeerCertificates()[0];
  }

  /**
   * Sends a request and reads the whole reply; over a new connection to the same server where the
   * last one has ended.
   *
   * @param target path and query, percent-encoded
   * @param body UTF-8 JSON, or empty
   */
  Reply request(String method, String target, Map<String, String> headers, String body)
      throws IOException {
    if (closing) {
      connectAgain();
    }
    byte[] content = body.getBytes(StandardCharsets.UTF_8);
    StringBuilder head = new StringBuilder();
    head.append(method)
        .append(' ')
        .append(target)
        .append(" HTTP/1.1\r\nHost: ")
        .append(host)
        .append("\r\n");
    headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    if (content.length > 0) {
      head.append("Content-Type: application/json\r\n");
    }
    head.append("Content-Length: ").append(content.length).append("\r\n\r\n");
    byte[] headBytes = head.toString().getBytes(StandardCharsets.US_ASCII);
    byte[] all = new byte[headBytes.length + content.length];
    System.arraycopy(headBytes, 0, all, 0, headBytes.length);
    System.arraycopy(content, 0, all, headBytes.length, content.length);
    out.write(all);
    out.flush();
    return reply();
  }

  private void connectAgain() throws IOException {
    X509Certificate before = certificate();
    socket.close();
    socket = connect(host, port, pin);
    in = new BufferedInputStream(socket.getInputStream());
    out = socket.getOutputStream();
    closing = false;
    if (pin.equals(ANY_KEY) && !certificate().equals(before)) {
      throw new IOException(host + " shows another certificate than a moment ago");
    }
  }

  private Reply reply() throws IOException {
    String statusLine = line();
    String[] parts = statusLine.split(" ", 3);
    if (parts.length < 2 || !parts[0].startsWith("HTTP/1.")) {
      throw new IOException("the server speaks no HTTP: " + statusLine);
    }
    long length = -1;
    boolean chunked = false;
    String header = line();
    while (!header.isEmpty()) {
      int colon = header.indexOf(':');
      String name = colon < 0 ? header : header.substring(0, colon).toLowerCase(Locale.ROOT);
      String value = colon < 0 ? "" : header.substring(colon + 1).trim();
      if (name.equals("content-length")) {
        length = Long.parseLong(value);
      } else if (name.equals("transfer-encoding")) {
        chunked = value.equalsIgnoreCase("chunked");
      } else if (name.equals("connection")) {
        closing = value.equalsIgnoreCase("close");
      }
      header = line();
    }
    byte[] body = chunked ? chunks() : exactly(Math.max(0, length));
    return new Reply(Integer.parseInt(parts[1]), new String(body, StandardCharsets.UTF_8));
  }

  private byte[] chunks() throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    long size = Long.parseLong(line().split(";", 2)[0].trim(), 16);
    while (size > 0) {
      body.writeBytes(exactly(size));
      if (body.size() > MAX_BODY_BYTES) {
        throw new IOException("the reply is longer than " + MAX_BODY_BYTES + " bytes");
      }
      line();
      size = Long.parseLong(line().split(";", 2)[0].trim(), 16);
    }
    line();
    return body.toByteArray();
  }

  private byte[] exactly(long length) throws IOException {
    if (length > MAX_BODY_BYTES) {
      throw new IOException("a reply of " + length + " bytes, at most " + MAX_BODY_BYTES);
    }
    byte[] bytes = in.readNBytes((int) length);
    if (bytes.length < length) {
      throw new EOFException("the server closed the connection inside a reply");
    }
    return bytes;
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    int c = in.read();
    while (c != '\n') {
      if (c < 0) {
        throw new EOFException("the server closed the connection");
      }
      if (line.length() > MAX_HEADER_BYTES) {
        throw new IOException("a header of more than " + MAX_HEADER_BYTES + " bytes");
      }
      if (c != '\r') {
        line.append((char) c);
      }
      c = in.read();
    }
    return line.toString();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
