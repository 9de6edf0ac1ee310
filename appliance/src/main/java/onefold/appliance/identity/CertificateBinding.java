package onefold.appliance.identity;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.Locale;
import onefold.catalyst.wire.ChannelBinding;

/**
 * Binds a login over HTTPS to the server's certificate ({@code tls-server-end-point}, RFC 5929).
 */
public final class CertificateBinding {
  private CertificateBinding() {}

  /**
   * Returns the binding: the certificate's hash by the hash of its signature, SHA-256 for the two
   * broken ones.
   */
  public static ChannelBinding of(X509Certificate certificate) throws GeneralSecurityException {
    String signature = certificate.getSigAlgName().toUpperCase(Locale.ROOT);
    String hash =
        signature.startsWith("SHA384")
            ? "SHA-384"
            : signature.startsWith("SHA512") ? "SHA-512" : "SHA-256";
    return new ChannelBinding(
        ChannelBinding.TLS_SERVER_END_POINT,
        MessageDigest.getInstance(hash).digest(certificate.getEncoded()));
  }
}
