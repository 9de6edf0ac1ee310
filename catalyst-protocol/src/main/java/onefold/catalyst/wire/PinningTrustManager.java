package onefold.catalyst.wire;

import java.net.Socket;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Knows a server by its public key alone. An extended one, so that the JDK adds no checks of host
 * names or dates of its own.
 */
public final class PinningTrustManager extends X509ExtendedTrustManager {
  /** The key is another one. */
  public static final class PinMismatch extends CertificateException {
    private static final long serialVersionUID = 1L;

    private final String foundPin;

    private PinMismatch(String foundPin, String expectedPin) {
      super("the server's key is " + foundPin + ", expected " + expectedPin);
      this.foundPin = foundPin;
    }

    /** The pin of the key that was shown. */
    public String foundPin() {
      return foundPin;
    }
  }

  private final @Nullable String pin;

  /**
   * Makes one.
   *
   * @param pin 64 hex digits, or null to take any key (only to show it to a human)
   */
  public PinningTrustManager(@Nullable String pin) {
    this.pin = pin;
  }

  /**
   * Returns the pin of a certificate's key: SHA-256 of its SubjectPublicKeyInfo, 64 hexadecimal
   * digits.
   */
  public static String pinOf(X509Certificate certificate) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(certificate.getPublicKey().getEncoded()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 belongs to every JDK", e);
    }
  }

  private void check(X509Certificate[] chain) throws CertificateException {
    if (chain.length == 0) {
      throw new CertificateException("the server showed no certificate");
    }
    String found = pinOf(chain[0]);
    if (pin != null && !pin.equalsIgnoreCase(found)) {
      throw new PinMismatch(found, pin);
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
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
  public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    throw new CertificateException("this end is a client");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    throw new CertificateException("this end is a client");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    throw new CertificateException("this end is a client");
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }
}
