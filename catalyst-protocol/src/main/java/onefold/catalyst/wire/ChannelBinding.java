package onefold.catalyst.wire;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLKeyException;
import javax.net.ssl.SSLSession;

/**
 * What ties a login to the TLS connection it is made on, so that it cannot be passed on by somebody
 * in the middle.
 *
 * @param type its registered name
 * @param data what both ends compute alike
 */
public record ChannelBinding(String type, byte[] data) {
  /** RFC 9266. */
  public static final String TLS_EXPORTER = "tls-exporter";

  /** RFC 5929. */
  public static final String TLS_SERVER_END_POINT = "tls-server-end-point";

  /**
   * Returns what this end can compute, in order of preference.
   *
   * @param engine after the handshake
   * @param serverCertificate the server's own, or what the client was shown
   */
  public static List<ChannelBinding> of(SSLEngine engine, X509Certificate serverCertificate)
      throws GeneralSecurityException {
    var bindings = new ArrayList<ChannelBinding>();
    SSLSession session = engine.getSession();
    if (session instanceof ExtendedSSLSession extended) {
      try {
        bindings.add(
            new ChannelBinding(
                TLS_EXPORTER,
                extended.exportKeyingMaterialData(
                    "EXPORTER-Channel-Binding", new byte[0], Scram.HASH_BYTES)));
      } catch (UnsupportedOperationException | SSLKeyException e) {
        // This provider cannot export keys (BoringSSL through Netty cannot): the other binding it
        // is.
      }
    }
    bindings.add(
        new ChannelBinding(
            TLS_SERVER_END_POINT,
            MessageDigest.getInstance(hashOf(serverCertificate))
                .digest(serverCertificate.getEncoded())));
    return bindings;
  }

  /** RFC 5929 §4.1: the hash of the certificate's signature, SHA-256 for the two broken ones. */
  private static String hashOf(X509Certificate certificate) {
    String signature = certificate.getSigAlgName().toUpperCase(Locale.ROOT);
    if (signature.startsWith("SHA384")) {
      return "SHA-384";
    }
    return signature.startsWith("SHA512") ? "SHA-512" : "SHA-256";
  }
}
