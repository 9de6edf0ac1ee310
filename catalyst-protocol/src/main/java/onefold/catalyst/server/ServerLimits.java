package onefold.catalyst.server;

import java.time.Duration;

/**
 * The bounds of a server; what happens at each stands in docs/protocol/catalyst.md, section 8.
 *
 * @param maxConnections further ones are closed at once
 * @param maxConnectionsBeforeLogin of them, those that have not logged in
 * @param maxStreams of one connection
 * @param windowBytes what a client may have under way on a stream
 * @param leastWindowBytes what it may at least, however many streams are open
 * @param windowBudgetBytes windows of all streams together before they shrink to the least
 * @param loginTime for TLS handshake and login together
 * @param loginAttempts on one connection
 * @param loginDelay after the first failure; doubled by each further one
 * @param idleSeconds silence after which a connection is closed
 * @param patience how long a session waits for credit, and for the next request of a read
 * @param uploadPatience how long an upload waits for the next frame
 * @param maxParkedUploads uploads kept for clients whose connection broke
 * @param parkedTime how long
 */
public record ServerLimits(
    int maxConnections,
    int maxConnectionsBeforeLogin,
    int maxStreams,
    int windowBytes,
    int leastWindowBytes,
    long windowBudgetBytes,
    Duration loginTime,
    int loginAttempts,
    Duration loginDelay,
    int idleSeconds,
    Duration patience,
    Duration uploadPatience,
    int maxParkedUploads,
    Duration parkedTime) {
  /** What the protocol's page says. */
  public static final ServerLimits DEFAULT =
      new ServerLimits(
          512,
          64,
          64,
          4 << 20,
          256 << 10,
          128L << 20,
          Duration.ofSeconds(15),
          3,
          Duration.ofMillis(500),
          60,
          Duration.ofMinutes(10),
          Duration.ofHours(24),
          64,
          Duration.ofMinutes(2));

  public ServerLimits {
    if (maxConnections < 1 || maxConnectionsBeforeLogin < 1 || loginAttempts < 1) {
      throw new IllegalArgumentException("limits below 1 let nobody in");
    }
    if (maxStreams < 1 || maxStreams > 65_535) {
      throw new IllegalArgumentException("maxStreams " + maxStreams);
    }
    if (leastWindowBytes < 1 || windowBytes < leastWindowBytes) {
      throw new IllegalArgumentException(
          "windowBytes " + windowBytes + ", leastWindowBytes " + leastWindowBytes);
    }
  }
}
