package onefold.catalyst.client;

import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;

/** How the client knows that it talks to the right server. */
public sealed interface ServerTrust {
  /**
   * By its public key, whoever signed its certificate and whatever name and dates stand in it.
   *
   * @param pin SHA-256 of the SubjectPublicKeyInfo, 64 hex digits
   */
  record Pinned(String pin) implements ServerTrust {
    public Pinned {
      pin = pin.toLowerCase(Locale.ROOT);
      if (!pin.matches("[0-9a-f]{64}")) {
        throw new IllegalArgumentException("a pin has 64 hex digits: " + pin);
      }
    }
  }

  /**
   * By a certificate for its host name from one of these authorities.
   *
   * @param authorities trusted certificates; empty for those of the Java installation
   */
  record Certified(List<X509Certificate> authorities) implements ServerTrust {
    public Certified {
      authorities = List.copyOf(authorities);
    }
  }
}
