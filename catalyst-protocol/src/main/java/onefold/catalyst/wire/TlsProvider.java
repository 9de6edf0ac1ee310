package onefold.catalyst.wire;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which implementation of TLS 1.3 does the work. */
public enum TlsProvider {
  /** The JDK's: exports keys for channel binding, no native code. */
  JDK,
  /** BoringSSL through netty-tcnative. */
  BORINGSSL,
  /** BoringSSL if its native library can be loaded here, else the JDK's. */
  AUTO;

  /** Returns JDK or BORINGSSL. */
  public TlsProvider chosen() {
    return switch (this) {
      case JDK -> JDK;
      case BORINGSSL -> BORINGSSL;
      case AUTO -> OpenSsl.isAvailable() ? BORINGSSL : JDK;
    };
  }

  /** Returns Netty's name for it. */
  public SslProvider netty() {
    return chosen() == JDK ? SslProvider.JDK : SslProvider.OPENSSL;
  }

  /**
   * Returns the suites to offer, the cheapest first; null where the provider offers only its own
   * choice.
   */
  public @Nullable List<String> ciphers() {
    return chosen() == JDK ? List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384") : null;
  }

  /** Returns whether it wants what it encrypts off the heap. */
  public boolean wantsDirectBuffers() {
    return chosen() == BORINGSSL;
  }
}
