package onefold.nas.nfs;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;

/**
 * How NFS is served.
 *
 * @param addresses to listen on, at least one; with port 0 all get the port the first was given
 * @param handleKey 32 bytes that file handles are sealed with; the same after each start, or all
 *     clients lose their files. Nobody changes the array
 * @param leaseSeconds after which a silent client of version 4 is forgotten, and how long clients
 *     may reclaim after a restart, 1 to 3600
 * @param maxConnections most connections
 * @param maxCalls most calls that are served at the same time
 * @param maxCallBytes most bytes of calls that are served at the same time
 * @param portMappers sockets at which rpcbind may be, the first that answers is told the port, if
 *     other machines can come; none to tell nobody
 */
public record NfsSettings(
    List<InetSocketAddress> addresses,
    byte[] handleKey,
    int leaseSeconds,
    int maxConnections,
    int maxCalls,
    long maxCallBytes,
    List<Path> portMappers) {
  /** Bytes of the key. */
  public static final int KEY_BYTES = FileHandles.KEY_BYTES;

  public static final int DEFAULT_LEASE_SECONDS = 60;
  public static final int DEFAULT_MAX_CONNECTIONS = 1000;
  public static final int DEFAULT_MAX_CALLS = 256;
  public static final long DEFAULT_MAX_CALL_BYTES = 64 << 20;

  public NfsSettings {
    addresses = List.copyOf(addresses);
    portMappers = List.copyOf(portMappers);
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException("no address");
    }
    if (handleKey.length != KEY_BYTES) {
      throw new IllegalArgumentException("key of " + handleKey.length + " bytes");
    }
    if (leaseSeconds < 1 || leaseSeconds > 3600) {
      throw new IllegalArgumentException("leaseSeconds " + leaseSeconds);
    }
    if (maxConnections < 1 || maxCalls < 1 || maxCallBytes < 1) {
      throw new IllegalArgumentException(
          maxConnections + " connections, " + maxCalls + " calls, " + maxCallBytes + " bytes");
    }
  }

  /** With the usual bounds. */
  public static NfsSettings of(List<InetSocketAddress> addresses, byte[] handleKey) {
    return new NfsSettings(
        addresses,
        handleKey,
        DEFAULT_LEASE_SECONDS,
        DEFAULT_MAX_CONNECTIONS,
        DEFAULT_MAX_CALLS,
        DEFAULT_MAX_CALL_BYTES,
        List.of());
  }

  public NfsSettings withLeaseSeconds(int seconds) {
    return new NfsSettings(
        addresses, handleKey, seconds, maxConnections, maxCalls, maxCallBytes, portMappers);
  }

  public NfsSettings withMaxCallBytes(long bytes) {
    return new NfsSettings(
        addresses, handleKey, leaseSeconds, maxConnections, maxCalls, bytes, portMappers);
  }

  public NfsSettings withPortMappers(List<Path> sockets) {
    return new NfsSettings(
        addresses, handleKey, leaseSeconds, maxConnections, maxCalls, maxCallBytes, sockets);
  }
}
