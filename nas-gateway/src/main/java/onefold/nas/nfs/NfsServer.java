package onefold.nas.nfs;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.List;
import java.util.function.LongSupplier;
import onefold.nas.Shares;

/**
 * Serves shares over NFS versions 3, 4.0, 4.1 and 4.2 and MOUNT version 3, all on one port of TCP.
 * Started, it listens until it is closed; it does not own the shares.
 */
public final class NfsServer implements AutoCloseable {
  private final Clients clients;
  private final RpcServer rpc;
  private final PortMapper portMapper;

  private NfsServer(
      NfsSettings settings,
      Shares shares,
      ClientRecords records,
      Kerberos kerberos,
      LongSupplier nanoClock)
      throws IOException {
    var doors =
        new Doors(shares, new FileHandles(settings.handleKey()), kerberos.isServed(), nanoClock);
    var random = new SecureRandom();
    this.clients = new Clients(settings.leaseSeconds(), nanoClock, random, records);
    var gss = new GssCalls(kerberos, nanoClock, random);
    try {
      this.rpc =
          new RpcServer(
              settings.addresses(),
              new RpcCalls(programs(doors, clients, nanoClock), gss),
              settings.maxConnections(),
              new Load(settings.maxCalls(), settings.maxCallBytes()));
    } catch (IOException | RuntimeException e) {
      clients.close();
      throw e;
    }
    this.portMapper = PortMapper.register(settings.portMappers(), settings.addresses(), rpc.port());
  }

  static List<RpcProgram> programs(Doors doors, Clients clients, LongSupplier nanoClock) {
    var cache = new ReplyCache(nanoClock);
    var nfs = new NfsProgram(new Nfs3(doors, cache), new Nfs4(doors, clients, cache));
    return List.of(nfs, new MountProgram(doors));
  }

  /**
   * Binds the addresses and serves.
   *
   * @param records kept over restarts, for what clients of version 4 may reclaim
   * @throws IOException if an address cannot be bound, or the records cannot be read
   */
  public static NfsServer start(
      NfsSettings settings, Shares shares, ClientRecords records, Kerberos kerberos)
      throws IOException {
    return start(settings, shares, records, kerberos, System::nanoTime);
  }

  /** The same by a clock of the caller's. */
  static NfsServer start(
      NfsSettings settings,
      Shares shares,
      ClientRecords records,
      Kerberos kerberos,
      LongSupplier nanoClock)
      throws IOException {
    return new NfsServer(settings, shares, records, kerberos, nanoClock);
  }

  /** Returns the port it listens on: of NFS and of MOUNT. */
  public int port() {
    return rpc.port();
  }

  /** Returns how many connections there are. */
  public int connectionCount() {
    return rpc.connectionCount();
  }

  /** Returns how many clients of version 4 have a lease. */
  public int clientCount() {
    return clients.clientCount();
  }

  /** Returns how many opens and locks clients of version 4 hold. */
  public int stateCount() {
    return clients.stateCount();
  }

  /** Forgets the clients whose lease is over, as happens by itself now and then. */
  void expire() {
    clients.expire();
  }

  /**
   * Stops listening and ends the connections when the calls under way are answered. What clients
   * have open they may reclaim after the next start. Safe to call again.
   */
  @Override
  public void close() {
    portMapper.close();
    rpc.close();
    clients.close();
  }
}
