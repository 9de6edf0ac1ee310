package onefold.catalyst.server;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import onefold.catalyst.wire.ErrorCode;
import onefold.store.ChunkStore;

/**
 * The Catalyst endpoint of an appliance. Started, it listens until it is closed; it does not own
 * the store.
 */
public final class CatalystServer implements AutoCloseable {
  /** How long a closing server waits for its sessions. */
  private static final long CLOSE_SECONDS = 20;

  /** Most connections the kernel keeps waiting for us. */
  private static final int BACKLOG = 128;

  /** Frames pile up in a connection between these marks before senders wait. */
  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(512 << 10, 1 << 20);

  private static final System.Logger LOG = System.getLogger(CatalystServer.class.getName());

  private final ServerSettings settings;
  private final ChunkStore store;
  private final Authenticator authenticator;
  private final TransferBudget windows;
  private final OpenUploads uploads;
  private final MultiThreadIoEventLoopGroup loops;
  private final SslContext tls;
  private final Channel listener;

  private final Set<ServerConnection> connections = ConcurrentHashMap.newKeySet();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition sessionEnded = lock.newCondition();
  private int sessionCount; // guarded by lock
  private boolean closing; // guarded by lock

  private CatalystServer(
      ServerSettings settings,
      ChunkStore store,
      Authenticator authenticator,
      TransferBudget windows)
      throws IOException {
    this.settings = settings;
    this.store = store;
    this.authenticator = authenticator;
    this.windows = windows;
    this.uploads = new OpenUploads(settings.limits().maxParkedUploads());
    this.tls =
        SslContextBuilder.forServer(
                settings.tls().key(), settings.tls().chain().toArray(new X509Certificate[0]))
            .sslProvider(settings.tlsProvider().netty())
            .protocols("TLSv1.3")
            .ciphers(settings.tlsProvider().ciphers())
            .build();
    boolean epoll = Epoll.isAvailable();
    IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    Class<? extends ServerChannel> type =
        epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors());
    this.loops =
        new MultiThreadIoEventLoopGroup(
            threads, new DefaultThreadFactory("catalyst-loop", true), io);
    var bootstrap =
        new ServerBootstrap()
            .group(loops)
            .channel(type)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    accept(channel);
                  }
                });
    try {
      this.listener = bootstrap.bind(settings.address()).sync().channel();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stopLoops();
      throw new IOException("interrupted while binding " + settings.address(), e);
    } catch (Exception e) {
      // Netty throws the checked IOException of the bind without declaring it.
      stopLoops();
      throw new IOException(
          "the Catalyst port " + settings.address() + " cannot be opened: " + e.getMessage(), e);
    }
  }

  /**
   * Binds the port and serves.
   *
   * @throws IOException if the port cannot be bound
   */
  public static CatalystServer start(
      ServerSettings settings, ChunkStore store, Authenticator authenticator) throws IOException {
    return start(
        settings,
        store,
        authenticator,
        new TransferBudget(settings.limits().windowBudgetBytes(), () -> 0));
  }

  /**
   * The same with a budget for what clients have under way.
   *
   * @param windows shared with other endpoints; stands in place of that of the limits
   */
  public static CatalystServer start(
      ServerSettings settings,
      ChunkStore store,
      Authenticator authenticator,
      TransferBudget windows)
      throws IOException {
    return new CatalystServer(settings, store, authenticator, windows);
  }

  /** Returns the address it listens on, with the port it got. */
  public InetSocketAddress address() {
    return (InetSocketAddress) listener.localAddress();
  }

  /** Returns the port it listens on. */
  public int port() {
    return address().getPort();
  }

  /** Returns how many clients are connected. */
  public int connectionCount() {
    return connections.size();
  }

  /** Returns how many logins and streams are being served. */
  public int sessionCount() {
    lock.lock();
    try {
      return sessionCount;
    } finally {
      lock.unlock();
    }
  }

  ServerSettings settings() {
    return settings;
  }

  ChunkStore store() {
    return store;
  }

  Authenticator authenticator() {
    return authenticator;
  }

  TransferBudget windows() {
    return windows;
  }

  OpenUploads uploads() {
    return uploads;
  }

  // ---- connections

  private void accept(Channel channel) {
    long notLoggedIn = connections.stream().filter(c -> !c.isLoggedIn()).count();
    if (connections.size() >= settings.limits().maxConnections()
        || notLoggedIn >= settings.limits().maxConnectionsBeforeLogin()) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "too many connections, closed that of " + channel.remoteAddress());
      var _ = channel.close();
      return;
    }
    var connection = new ServerConnection(this, channel);
    connections.add(connection);
    channel.pipeline().addLast(tls.newHandler(channel.alloc()), connection.channel());
  }

  void ended(ServerConnection connection) {
    connections.remove(connection);
  }

  /** Runs a session on a virtual thread of its own. */
  void startSession(String name, Runnable session) {
    lock.lock();
    try {
      sessionCount++;
    } finally {
      lock.unlock();
    }
    var _ =
        Thread.ofVirtual()
            .name(name)
            .start(() -> {
              try {
                session.run();
              } finally {
                endSession();
              }
            });
  }

  private void endSession() {
    lock.lock();
    try {
      sessionCount--;
      sessionEnded.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** An upload was parked: gives it up after a while. */
  void parked(OpenUploads.Served upload) {
    if (!loops.isShuttingDown()) {
      var _ =
          loops
              .next()
              .schedule(
                  () -> startSession("parked upload", () -> uploads.expire(upload)),
                  settings.limits().parkedTime().toMillis(),
                  TimeUnit.MILLISECONDS);
    }
  }

  /**
   * Stops listening, tells the clients, and waits for the sessions: what was acknowledged stays, an
   * upload under way stays unfinished. Safe to call again.
   */
  @Override
  public void close() {
    lock.lock();
    try {
      if (closing) {
        return;
      }
      closing = true;
    } finally {
      lock.unlock();
    }
    listener.close().syncUninterruptibly();
    for (ServerConnection connection : connections) {
      connection.channel().goAway(ErrorCode.SHUTTING_DOWN, "the appliance is going down");
    }
    awaitSessions();
    uploads.close();
    stopLoops();
  }

  private void awaitSessions() {
    long nanos = TimeUnit.SECONDS.toNanos(CLOSE_SECONDS);
    lock.lock();
    try {
      while (sessionCount > 0 && nanos > 0) {
        nanos = sessionEnded.awaitNanos(nanos);
      }
      if (sessionCount > 0) {
        LOG.log(System.Logger.Level.WARNING, sessionCount + " sessions did not end in time");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  private void stopLoops() {
    loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
