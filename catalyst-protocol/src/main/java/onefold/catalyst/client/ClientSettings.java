package onefold.catalyst.client;

import java.time.Duration;
import onefold.catalyst.wire.TlsProvider;

/**
 * How to reach an appliance and how to behave; made by {@link #of} and changed by the {@code with}
 * methods.
 *
 * @param host name or address
 * @param port of the Catalyst endpoint
 * @param user who logs in
 * @param password his; the array is not copied
 * @param trust how the server is known
 * @param tlsProvider who does TLS
 * @param connections over which the streams of a client are spread, at least 1
 * @param connectTime for TCP, TLS and login each
 * @param requestTime for the answer to one request; commits wait ten times as long
 * @param retry what to do when the connection breaks
 * @param bufferBytes of an item's data that a writer keeps until the appliance has it, at least 8
 *     MiB
 * @param checkpointBytes after so many bytes an upload makes what it has durable, 1 MiB to 256 MiB
 * @param workers threads for hashing and compressing
 * @param software name and version, told to the server
 */
public record ClientSettings(
    String host,
    int port,
    String user,
    char[] password,
    ServerTrust trust,
    TlsProvider tlsProvider,
    int connections,
    Duration connectTime,
    Duration requestTime,
    RetryPolicy retry,
    long bufferBytes,
    long checkpointBytes,
    int workers,
    String software) {
  /** The port when nothing else is said. */
  public static final int DEFAULT_PORT = 9387;

  /** Least {@link #bufferBytes}. */
  public static final long LEAST_BUFFER_BYTES = 8 << 20;

  /** Greatest {@link #checkpointBytes}. */
  public static final long MAX_CHECKPOINT_BYTES = 256 << 20;

  public ClientSettings {
    if (checkpointBytes < 1 << 20 || checkpointBytes > MAX_CHECKPOINT_BYTES) {
      throw new IllegalArgumentException("checkpointBytes " + checkpointBytes);
    }
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException("port " + port);
    }
    if (connections < 1 || connections > 64) {
      throw new IllegalArgumentException("connections " + connections + ", must be 1 to 64");
    }
    if (bufferBytes < LEAST_BUFFER_BYTES) {
      throw new IllegalArgumentException("bufferBytes " + bufferBytes + ", at least 8 MiB");
    }
    if (workers < 1) {
      throw new IllegalArgumentException("workers " + workers);
    }
  }

  /** Makes settings with everything else as usual. */
  public static ClientSettings of(
      String host, int port, String user, char[] password, ServerTrust trust) {
    return new ClientSettings(
        host,
        port,
        user,
        password,
        trust,
        TlsProvider.JDK,
        1,
        Duration.ofSeconds(15),
        Duration.ofMinutes(1),
        RetryPolicy.DEFAULT,
        64 << 20,
        MAX_CHECKPOINT_BYTES,
        Runtime.getRuntime().availableProcessors(),
        "onefold-client");
  }

  /** Returns these settings with another provider of TLS. */
  public ClientSettings withTlsProvider(TlsProvider value) {
    Draft changed = new Draft(this);
    changed.tlsProvider = value;
    return changed.toSettings();
  }

  /** Returns these settings with another number of connections. */
  public ClientSettings withConnections(int value) {
    Draft changed = new Draft(this);
    changed.connections = value;
    return changed.toSettings();
  }

  /** Returns these settings with other times. */
  public ClientSettings withTimes(Duration connect, Duration request) {
    Draft changed = new Draft(this);
    changed.connectTime = connect;
    changed.requestTime = request;
    return changed.toSettings();
  }

  /** Returns these settings with another retry policy. */
  public ClientSettings withRetry(RetryPolicy value) {
    Draft changed = new Draft(this);
    changed.retry = value;
    return changed.toSettings();
  }

  /** Returns these settings with another buffer. */
  public ClientSettings withBufferBytes(long value) {
    Draft changed = new Draft(this);
    changed.bufferBytes = value;
    return changed.toSettings();
  }

  /** Returns these settings with another interval of checkpoints. */
  public ClientSettings withCheckpointBytes(long value) {
    Draft changed = new Draft(this);
    changed.checkpointBytes = value;
    return changed.toSettings();
  }

  /** Returns these settings with another number of worker threads. */
  public ClientSettings withWorkers(int value) {
    Draft changed = new Draft(this);
    changed.workers = value;
    return changed.toSettings();
  }

  /** Returns these settings with another name of the software. */
  public ClientSettings withSoftware(String value) {
    Draft changed = new Draft(this);
    changed.software = value;
    return changed.toSettings();
  }

  /** Settings of which one is being changed. */
  private static final class Draft {
    private final String host;
    private final int port;
    private final String user;
    private final char[] password;
    private final ServerTrust trust;
    private TlsProvider tlsProvider;
    private int connections;
    private Duration connectTime;
    private Duration requestTime;
    private RetryPolicy retry;
    private long bufferBytes;
    private long checkpointBytes;
    private int workers;
    private String software;

    private Draft(ClientSettings from) {
      host = from.host;
      port = from.port;
      user = from.user;
      password = from.password;
      trust = from.trust;
      tlsProvider = from.tlsProvider;
      connections = from.connections;
      connectTime = from.connectTime;
      requestTime = from.requestTime;
      retry = from.retry;
      bufferBytes = from.bufferBytes;
      checkpointBytes = from.checkpointBytes;
      workers = from.workers;
      software = from.software;
    }

    private ClientSettings toSettings() {
      return new ClientSettings(
          host,
          port,
          user,
          password,
          trust,
          tlsProvider,
          connections,
          connectTime,
          requestTime,
          retry,
          bufferBytes,
          checkpointBytes,
          workers,
          software);
    }
  }

  /** Shows no password. */
  @Override
  public String toString() {
    return "ClientSettings[" + user + "@" + host + ":" + port + "]";
  }
}
