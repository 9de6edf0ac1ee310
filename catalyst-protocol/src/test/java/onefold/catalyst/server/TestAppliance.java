package onefold.catalyst.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.ClientSettings;
import onefold.catalyst.client.RetryPolicy;
import onefold.catalyst.client.ServerTrust;
import onefold.catalyst.wire.ScramVerifier;
import onefold.catalyst.wire.TlsProvider;
import onefold.store.ChunkStore;
import onefold.store.Id;
import onefold.store.InMemoryChunkStore;

/** A server on a free port of this machine over a store in memory, with users admin and reader. */
public final class TestAppliance implements AutoCloseable {
  public static final String PASSWORD = "correct horse";

  /** Made once: a key costs time. */
  public static final TlsIdentity IDENTITY =
      SelfSigned.create(List.of("localhost", "127.0.0.1"), Instant.parse("2026-01-01T00:00:00Z"));

  private static final ScramVerifier VERIFIER =
      ScramVerifier.of(PASSWORD.toCharArray(), new SecureRandom());

  /** Enough for a server that comes back on a busy machine: twenty seconds. */
  private static final int RETRIES = 400;

  private final ChunkStore store;
  private final ServerSettings settings;
  private CatalystServer server;
  private int stoppedPort;

  private TestAppliance(ChunkStore store, ServerSettings settings) throws IOException {
    this.store = store;
    this.settings = settings;
    this.server = CatalystServer.start(settings, store, new Users());
  }

  public static TestAppliance start() throws IOException {
    return start(memory(), ServerLimits.DEFAULT, TlsProvider.JDK);
  }

  public static InMemoryChunkStore memory() throws IOException {
    return new InMemoryChunkStore(InstantSource.system(), new SplittableRandom());
  }

  public static TestAppliance start(ChunkStore store, ServerLimits limits, TlsProvider provider)
      throws IOException {
    return new TestAppliance(
        store,
        new ServerSettings(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            IDENTITY,
            provider,
            limits,
            "test",
            1));
  }

  public static TestAppliance startInEpoch(long epoch) throws IOException {
    return new TestAppliance(
        memory(),
        new ServerSettings(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            IDENTITY,
            TlsProvider.JDK,
            quickLimits(),
            "test",
            epoch));
  }

  /** Starts on a port that another one has left. */
  public static TestAppliance startOn(int port, ChunkStore store) throws IOException {
    return new TestAppliance(
        store,
        new ServerSettings(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
            IDENTITY,
            TlsProvider.JDK,
            quickLimits(),
            "test",
            1));
  }

  /** Limits for tests in which logins fail: no waiting. */
  public static ServerLimits quickLimits() {
    ServerLimits d = ServerLimits.DEFAULT;
    return limits(d.loginTime(), d.maxConnections(), d.maxStreams());
  }

  /** Limits for tests of limits. */
  public static ServerLimits limits(Duration loginTime, int maxConnections, int maxStreams) {
    ServerLimits d = ServerLimits.DEFAULT;
    return new ServerLimits(
        maxConnections,
        d.maxConnectionsBeforeLogin(),
        maxStreams,
        d.windowBytes(),
        d.leastWindowBytes(),
        d.windowBudgetBytes(),
        loginTime,
        d.loginAttempts(),
        Duration.ofMillis(1),
        d.idleSeconds(),
        d.patience(),
        d.uploadPatience(),
        d.maxParkedUploads(),
        d.parkedTime());
  }

  public int port() {
    return server.port();
  }

  public CatalystServer server() {
    return server;
  }

  public ChunkStore store() {
    return store;
  }

  public InMemoryChunkStore memoryStore() {
    return (InMemoryChunkStore) store;
  }

  public Id storeId() throws IOException {
    return store.findStore("default").orElseThrow().id();
  }

  public ClientSettings clientSettings() {
    return clientSettings(port());
  }

  public static ClientSettings clientSettings(int port) {
    return ClientSettings.of(
            "127.0.0.1",
            port,
            "admin",
            PASSWORD.toCharArray(),
            new ServerTrust.Pinned(IDENTITY.pin()))
        .withTimes(Duration.ofSeconds(20), Duration.ofSeconds(30))
        .withRetry(new RetryPolicy(RETRIES, Duration.ofMillis(1), Duration.ofMillis(50)));
  }

  public CatalystClient client() throws IOException {
    return CatalystClient.connect(clientSettings());
  }

  /** Goes down; the store stays open. */
  public void stop() {
    stoppedPort = port();
    server.close();
  }

  /** Comes up again on the port it had. */
  public void startAgain() throws IOException {
    server =
        CatalystServer.start(
            new ServerSettings(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), stoppedPort),
                settings.tls(),
                settings.tlsProvider(),
                settings.limits(),
                settings.software(),
                settings.epoch()),
            store,
            new Users());
  }

  /** Goes down and up again on the same port; the store stays, uploads in memory do not. */
  public void restart() throws IOException {
    stop();
    startAgain();
  }

  @Override
  public void close() throws IOException {
    server.close();
    store.close();
  }

  private static final class Users implements Authenticator {
    private static final Map<String, Right> RIGHTS =
        Map.of("admin", Right.RELEASE, "appender", Right.APPEND, "reader", Right.READ);

    @Override
    public Optional<ScramVerifier> verifier(String user) {
      return RIGHTS.containsKey(user) || user.equals("stranger")
          ? Optional.of(VERIFIER)
          : Optional.empty();
    }

    @Override
    public byte[] unknownUserSecret() {
      return new byte[16];
    }

    @Override
    public boolean permits(String user, Right right, String storeName) {
      Right most = RIGHTS.get(user);
      return most != null && right.compareTo(most) <= 0;
    }
  }
}
