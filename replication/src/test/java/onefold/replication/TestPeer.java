package onefold.replication;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import onefold.catalyst.client.Bandwidth;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.ClientSettings;
import onefold.catalyst.client.RetryPolicy;
import onefold.catalyst.client.ServerTrust;
import onefold.catalyst.client.WriteOptions;
import onefold.catalyst.server.Authenticator;
import onefold.catalyst.server.CatalystServer;
import onefold.catalyst.server.Right;
import onefold.catalyst.server.SelfSigned;
import onefold.catalyst.server.ServerLimits;
import onefold.catalyst.server.ServerSettings;
import onefold.catalyst.server.TlsIdentity;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.ScramVerifier;
import onefold.catalyst.wire.TlsProvider;
import onefold.store.ChunkStore;
import onefold.store.Compression;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.StorePolicy;
import onefold.store.StoreRecord;
import onefold.store.device.FileDevice;
import onefold.store.engine.Engine;
import onefold.store.engine.EngineSettings;
import onefold.store.scheduler.ThreadScheduler;

/** An engine with files and a Catalyst door on a free port of this machine, and store "default". */
final class TestPeer implements AutoCloseable {
  static final String PASSWORD = "correct horse";

  /** Made once: a key costs time. */
  static final TlsIdentity IDENTITY =
      SelfSigned.create(List.of("localhost", "127.0.0.1"), Instant.parse("2026-01-01T00:00:00Z"));

  private static final ScramVerifier VERIFIER =
      ScramVerifier.of(PASSWORD.toCharArray(), new SecureRandom());

  private final Path directory;
  private ThreadScheduler scheduler;
  private ChunkStore store;
  private CatalystServer server;
  private int downPort;

  private TestPeer(Path directory) throws IOException {
    this.directory = directory;
    this.scheduler = new ThreadScheduler();
    this.store = Engine.open(new FileDevice(directory), scheduler, EngineSettings.DEFAULT);
    this.server = CatalystServer.start(settings(0), store, new Users());
  }

  static TestPeer start(Path directory) throws IOException {
    Files.createDirectories(directory);
    return new TestPeer(directory);
  }

  private static ServerSettings settings(int port) {
    ServerLimits d = ServerLimits.DEFAULT;
    ServerLimits quick =
        new ServerLimits(
            d.maxConnections(),
            d.maxConnectionsBeforeLogin(),
            d.maxStreams(),
            d.windowBytes(),
            d.leastWindowBytes(),
            d.windowBudgetBytes(),
            d.loginTime(),
            d.loginAttempts(),
            Duration.ofMillis(1),
            d.idleSeconds(),
            d.patience(),
            d.uploadPatience(),
            d.maxParkedUploads(),
            d.parkedTime());
    return new ServerSettings(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
        IDENTITY,
        TlsProvider.JDK,
        quick,
        "test",
        1);
  }

  int port() {
    return server.port();
  }

  ChunkStore store() {
    return store;
  }

  StoreRecord record(String name) throws IOException {
    return store.findStore(name).orElseThrow();
  }

  DomainRecord domain() throws IOException {
    return store.domains().getFirst();
  }

  StoreRecord makeStore(String name) throws IOException {
    return store.createStore(
        Id.random(new SplittableRandom()),
        new StoreRecord(
            new Id(0, 0), name, domain().id(), 0, Compression.LZ4, 0, 0, StorePolicy.DEFAULT));
  }

  ClientSettings clientSettings() {
    return clientSettings(port());
  }

  static ClientSettings clientSettings(int port) {
    return ClientSettings.of(
            "127.0.0.1",
            port,
            "admin",
            PASSWORD.toCharArray(),
            new ServerTrust.Pinned(IDENTITY.pin()))
        .withTimes(Duration.ofSeconds(20), Duration.ofSeconds(30))
        .withRetry(new RetryPolicy(400, Duration.ofMillis(1), Duration.ofMillis(50)));
  }

  CatalystClient client() throws IOException {
    return CatalystClient.connect(clientSettings());
  }

  ItemInfo put(String storeName, String item, byte[] bytes) throws IOException {
    return put(storeName, item, bytes, Map.of());
  }

  ItemInfo put(String storeName, String item, byte[] bytes, Map<String, String> tags)
      throws IOException {
    try (CatalystClient client = client()) {
      return client
          .put(
              storeName,
              item,
              new ByteArrayInputStream(bytes),
              WriteOptions.DEFAULT.withReplace(true).withTags(tags).withBandwidth(Bandwidth.HIGH))
          .item();
    }
  }

  byte[] get(String storeName, String item) throws IOException {
    var out = new ByteArrayOutputStream();
    try (CatalystClient client = client()) {
      client.get(storeName, item, out);
    }
    return out.toByteArray();
  }

  /** Opens an item of this peer's store as what is copied from. */
  StoredObject object(String storeName, String item) throws IOException {
    StoreRecord in = record(storeName);
    return new StoredObject(
        store,
        in.domainId(),
        domain().parameterSet(),
        store.findItem(in.id(), item).orElseThrow().root());
  }

  /** Goes down, the engine too, and up again on the same port. */
  void restart() throws IOException {
    int port = port();
    close();
    scheduler = new ThreadScheduler();
    store = Engine.open(new FileDevice(directory), scheduler, EngineSettings.DEFAULT);
    server = CatalystServer.start(settings(port), store, new Users());
  }

  /** Leaves its port; the store stays open. */
  void goDown() {
    downPort = port();
    server.close();
  }

  /** Comes back to it. */
  void comeUp() throws IOException {
    server = CatalystServer.start(settings(downPort), store, new Users());
  }

  @Override
  public void close() throws IOException {
    server.close();
    store.close();
    scheduler.close();
  }

  private static final class Users implements Authenticator {
    private static final Map<String, Right> RIGHTS =
        Map.of("admin", Right.RELEASE, "appender", Right.APPEND, "reader", Right.READ);

    @Override
    public Optional<ScramVerifier> verifier(String user) {
      return RIGHTS.containsKey(user) ? Optional.of(VERIFIER) : Optional.empty();
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
