package onefold.catalyst.server;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.List;

/**
 * What a server proves itself with.
 *
 * @param key of the first certificate
 * @param chain the server's certificate first
 */
public record TlsIdentity(PrivateKey key, List<X509Certificate> chain) {
  public TlsIdentity {
    if (chain.isEmpty()) {
      throw new IllegalArgumentException("no certificate");
    }
    chain = List.copyOf(chain);
  }

  /** Returns the server's own certificate. */
  public X509Certificate certificate() {
    return chain.getFirst();
  }

  /** Returns what clients pin: SHA-256 of the public key's SubjectPublicKeyInfo, 64 hex digits. */
  public String pin() {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256")
                  .digest(certificate().getPublicKey().getEncoded()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 belongs to every JDK", e);
    }
  }

  @Override
  public String toString() {
    return "TlsIdentity[" + pin() + "]";
  }
}
