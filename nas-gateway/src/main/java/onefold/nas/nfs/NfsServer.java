package onefold.nas.nfs;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.List;
import onefold.nas.Shares;

/**
 * Serves shares over NFS versions 3, 4.0, 4.1 and 4.2 and MOUNT version 3, all on one port of TCP.
 * Started, it listens until it is closed; it does not own the shares.
 */
public final class NfsServer implements AutoCloseable {
  private final Clients clients;
  private final RpcServer rpc;

  private NfsServer(NfsSettings settings, Shares shares, ClientRecords records) throws IOException {
    var doors = new Doors(shares, new FileHandles(settings.handleKey()), System::nanoTime);
    this.clients =
        new Clients(settings.leaseSeconds(), System::nanoTime, new SecureRandom(), records);
    try {
      this.rpc =
          new RpcServer(
              settings.addresses(),
              programs(doors, clients),
              settings.maxConnections(),
              new Load(settings.maxCalls(), settings.maxCallBytes()));
    } catch (IOException | RuntimeException e) {
      clients.close();
      throw e;
    }
  }

  static List<RpcProgram> programs(Doors doors, Clients clients) {
    var cache = new ReplyCache(System::nanoTime);
    var nfs = new NfsProgram(new Nfs3(doors, cache), new Nfs4(doors, clients, cache));
    return List.of(nfs, new MountProgram(doors));
  }

  /**
   * Binds the addresses and serves.
   *
   * @param records kept over restarts, for what clients of version 4 may reclaim
   * @throws IOException if an address cannot be bound, or the records cannot be read
   */
  public static NfsServer start(NfsSettings settings, Shares shares, ClientRecords records)
      throws IOException {
    return new NfsServer(settings, shares, records);
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

  /**
   * Stops listening and ends the connections when the calls under way are answered. What clients
   * have open they may reclaim after the next start. Safe to call again.
   */
  @Override
  public void close() {
    rpc.close();
    clients.close();
  }
}
