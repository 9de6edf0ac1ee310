package onefold.replication;

import java.time.Duration;
import onefold.catalyst.client.ClientSettings;
import onefold.catalyst.client.RetryPolicy;
import onefold.catalyst.client.ServerTrust;
import onefold.catalyst.wire.TlsProvider;

/**
 * The appliance that a mapping replicates to, and how it is entered.
 *
 * @param host name or address
 * @param port of its Catalyst door
 * @param user of the peer; needs the right to write in the store there, and append is not enough to
 *     replace what changed
 * @param password of the user
 * @param pin of the peer's public key: nothing else is trusted
 */
public record Peer(String host, int port, String user, String password, String pin) {
  /** A line that broke is tried again for about a minute before the pass is given up. */
  private static final RetryPolicy RETRY =
      new RetryPolicy(8, Duration.ofMillis(100), Duration.ofSeconds(20));

  public Peer {
    if (host.isBlank() || user.isBlank() || password.isEmpty()) {
      throw new IllegalArgumentException("a peer needs a host, a user and a password");
    }
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException("port " + port);
    }
    if (!pin.matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException(
          "a peer needs the pin of its key, 64 hexadecimal digits; found '" + pin + "'");
    }
  }

  /** Returns how to connect to it. */
  ClientSettings settings() {
    return ClientSettings.of(host, port, user, password.toCharArray(), new ServerTrust.Pinned(pin))
        .withTlsProvider(TlsProvider.AUTO)
        .withRetry(RETRY)
        .withWorkers(1)
        .withSoftware("onefold replication");
  }

  /** Says where it is without its secrets. */
  @Override
  public String toString() {
    return user + "@" + host + ":" + port;
  }
}
