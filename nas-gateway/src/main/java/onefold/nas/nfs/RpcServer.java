package onefold.nas.nfs;

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
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** ONC RPC version 2 (RFC 5531) over TCP for some programs on one port. */
final class RpcServer implements AutoCloseable {
  /** Replies pile up in a connection between these marks before its calls wait. */
  private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(1 << 20, 4 << 20);

  private static final int BACKLOG = 256;
  private static final long CLOSE_SECONDS = 20;
  private static final System.Logger LOG = System.getLogger(RpcServer.class.getName());

  private final RpcCalls calls;
  private final int maxConnections;
  private final Load load;
  private final MultiThreadIoEventLoopGroup loops;
  private final List<Channel> listeners = new ArrayList<>();
  private final Set<RpcConnection> connections = ConcurrentHashMap.newKeySet();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition callEnded = lock.newCondition();
  private int callCount; // guarded by lock
  private boolean closing; // guarded by lock

  /**
   * Binds and serves; {@code onEnd} hears of every connection that ends.
   *
   * @throws IOException if an address cannot be bound
   */
  RpcServer(List<InetSocketAddress> addresses, RpcCalls calls, int maxConnections, Load load)
      throws IOException {
    this.calls = calls;
    this.maxConnections = maxConnections;
    this.load = load;
    boolean epoll = Epoll.isAvailable();
    IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    Class<? extends ServerChannel> type =
        epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors());
    this.loops =
        new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory("nfs-loop", true), io);
    var bootstrap =
        new ServerBootstrap()
            .group(loops)
            .channel(type)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    accept(channel);
                  }
                });
    int port = 0;
    for (InetSocketAddress address : addresses) {
      // With port 0 all addresses get the port that the first was given.
      InetSocketAddress wanted =
          address.getPort() == 0 && port != 0
              ? new InetSocketAddress(address.getAddress(), port)
              : address;
      try {
        Channel listener = bootstrap.bind(wanted).sync().channel();
        listeners.add(listener);
        port = ((InetSocketAddress) listener.localAddress()).getPort();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        stopLoops();
        throw new IOException("interrupted while binding " + wanted, e);
      } catch (Exception e) {
        // Netty throws the checked IOException of the bind without declaring it.
        stopLoops();
        throw new IOException("the NFS port " + wanted + " cannot be opened: " + e.getMessage(), e);
      }
    }
  }

  int port() {
    return ((InetSocketAddress) listeners.getFirst().localAddress()).getPort();
  }

  int connectionCount() {
    return connections.size();
  }

  private void accept(Channel channel) {
    if (connections.size() >= maxConnections) {
      LOG.log(
          System.Logger.Level.WARNING,
          () ->
              "more than "
                  + maxConnections
                  + " NFS connections, closed that of "
                  + channel.remoteAddress());
      var _ = channel.close();
      return;
    }
    var connection = new RpcConnection(this, channel, load);
    connections.add(connection);
    channel.pipeline().addLast(connection);
  }

  void ended(RpcConnection connection) {
    connections.remove(connection);
  }

  /** Runs a call on a virtual thread of its own. */
  void start(Runnable call) {
    lock.lock();
    try {
      callCount++;
    } finally {
      lock.unlock();
    }
    var _ =
        Thread.ofVirtual()
            .name("nfs call")
            .start(() -> {
              try {
                call.run();
              } finally {
                callIsOver();
              }
            });
  }

  private void callIsOver() {
    lock.lock();
    try {
      callCount--;
      if (callCount == 0) {
        callEnded.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Serves one record.
   *
   * @return the reply, behind four bytes for its mark; null if there is none
   */
  @Nullable XdrWriter reply(RpcConnection connection, byte[] whole, int length) {
    try {
      return calls.reply(connection.clientAddress(), whole, length);
    } catch (XdrException e) {
      LOG.log(
          System.Logger.Level.DEBUG,
          () -> "no RPC header from " + connection.clientAddress() + ": " + e.getMessage());
      connection.close();
      return null;
    }
  }

  /** Stops listening, lets the calls under way end, and closes. Safe to call again. */
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
    for (Channel listener : listeners) {
      listener.close().syncUninterruptibly();
    }
    awaitCalls();
    connections.forEach(RpcConnection::close);
    stopLoops();
  }

  private void awaitCalls() {
    long nanos = TimeUnit.SECONDS.toNanos(CLOSE_SECONDS);
    lock.lock();
    try {
      while (callCount > 0 && nanos > 0) {
        nanos = callEnded.awaitNanos(nanos);
      }
      if (callCount > 0) {
        LOG.log(System.Logger.Level.WARNING, callCount + " NFS calls did not end in time");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  private void stopLoops() {
    loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
