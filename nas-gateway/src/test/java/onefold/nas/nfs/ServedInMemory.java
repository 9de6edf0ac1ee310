package onefold.nas.nfs;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import onefold.chunker.ParameterSet;
import onefold.nas.ExportRule;
import onefold.nas.ServedShares;
import onefold.nas.Share;
import onefold.nas.ShareSettings;
import onefold.nas.SpaceSource;
import onefold.nas.Squash;
import onefold.store.Id;
import onefold.store.MemoryShareStore;

/**
 * An NFS server over shares in memory: {@code backup}, {@code other}, and {@code closed}, which no
 * client may enter.
 */
final class ServedInMemory implements AutoCloseable {
  private static final int LEASE_SECONDS = 600;

  private final Random random = new Random(7);
  private final ReentrantLock randomLock = new ReentrantLock();
  final MemoryShareStore store = new MemoryShareStore(new Random(11));
  final MemoryRecords records = new MemoryRecords();
  final ServedShares shares;
  private final Kerberos kerberos;
  private final LongSupplier nanoClock;
  NfsServer server;

  /** Records in memory, which outlive the server. */
  static final class MemoryRecords implements ClientRecords {
    final Map<String, byte[]> records = new ConcurrentHashMap<>();

    @Override
    public Set<String> keys() {
      return Set.copyOf(records.keySet());
    }

    @Override
    public void put(String key, Optional<byte[]> value) {
      if (value.isPresent()) {
        records.put(key, value.get());
      } else {
        records.remove(key);
      }
    }
  }

  ServedInMemory() throws IOException {
    this(0, LEASE_SECONDS);
  }

  ServedInMemory(int port, int leaseSeconds) throws IOException {
    this(port, leaseSeconds, Kerberos.NONE, System::nanoTime);
  }

  ServedInMemory(int port, int leaseSeconds, Kerberos kerberos, LongSupplier nanoClock)
      throws IOException {
    this.kerberos = kerberos;
    this.nanoClock = nanoClock;
    shares =
        new ServedShares(
            store,
            id -> ParameterSet.SET_1,
            InstantSource.system(),
            this::newId,
            () -> new SpaceSource.Room(1L << 40, 1L << 39));
    shares.create(newId(), "backup", store.domainId(), settings("localhost"));
    shares.create(newId(), "other", store.domainId(), settings("localhost"));
    shares.create(newId(), "closed", store.domainId(), settings("192.0.2.1"));
    server = start(port, leaseSeconds);
  }

  private NfsServer start(int port, int leaseSeconds) throws IOException {
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    return NfsServer.start(
        NfsSettings.of(List.of(address), new byte[NfsSettings.KEY_BYTES])
            .withLeaseSeconds(leaseSeconds),
        shares,
        records,
        kerberos,
        nanoClock);
  }

  /** Ends the server and starts another, as after a crash of the process. */
  void restart() throws IOException {
    server.close();
    server = start(0, LEASE_SECONDS);
  }

  Share share(String name) {
    return shares.find(name).orElseThrow();
  }

  NfsClient connect() throws IOException {
    return new NfsClient(server.port());
  }

  private Id newId() {
    randomLock.lock();
    try {
      return Id.random(random);
    } finally {
      randomLock.unlock();
    }
  }

  private static ShareSettings settings(String hosts) {
    var rules = List.of(new ExportRule(hosts, false));
    return ShareSettings.LOOPBACK.withNfs(true, rules).withSquash(Squash.NONE).withOwner(0, 0);
  }

  @Override
  public void close() throws IOException {
    server.close();
    shares.close();
  }

  /**
   * Serves until it is killed, for clients that are started by hand: {@code PORT LEASE_SECONDS}.
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    try (var served =
        new ServedInMemory(Integer.parseInt(arguments[0]), Integer.parseInt(arguments[1]))) {
      System.out.println("port " + served.server.port());
      new java.util.concurrent.CountDownLatch(1).await();
    }
  }
}
