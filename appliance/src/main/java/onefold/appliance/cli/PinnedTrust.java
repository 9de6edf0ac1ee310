package onefold.appliance.cli;

import java.net.Socket;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/** Trusts exactly one public key, or any to learn which it is. */
final class PinnedTrust extends X509ExtendedTrustManager {
  /** Trusts any key: to show it to somebody who decides. */
  static final String ANY = "any";

  private final String pin;

  PinnedTrust(String pin) {
    this.pin = pin;
  }

  /**
   * Returns the pin of a certificate's key: SHA-256 of its SubjectPublicKeyInfo, 64 hexadecimal
   * digits.
   */
  static String pinOf(X509Certificate certificate) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(certificate.getPublicKey().getEncoded()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    }
  }

  /** The server's key is another one than the pinned. */
  static final class OtherKeyException extends CertificateException {
    private static final long serialVersionUID = 1L;

    OtherKeyException(String found, String expected) {
      super("the server's key is " + found + ", expected " + expected);
    }
  }

  private void check(X509Certificate[] chain) throws CertificateException {
    if (pin.equals(ANY)) {
      return;
    }
    String found = pinOf(chain[0]);
    if (!found.equalsIgnoreCase(pin)) {
      throw new OtherKeyException(found, pin);
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, Socket peer)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
    check(chain);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, Socket peer)
      throws CertificateException {
    throw new CertificateException("no clients here");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    throw new CertificateException("no clients here");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    throw new CertificateException("no clients here");
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }
}
