package onefold.catalyst.client;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import onefold.catalyst.wire.ChannelBinding;
import onefold.catalyst.wire.ConnectionLostException;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.Frame;
import onefold.catalyst.wire.FrameChannel;
import onefold.catalyst.wire.FrameFormat;
import onefold.catalyst.wire.FrameType;
import onefold.catalyst.wire.Inbox;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.PinningTrustManager;
import onefold.catalyst.wire.QueueInbox;
import onefold.catalyst.wire.Scram;
import onefold.catalyst.wire.ScramClient;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireStream;
import org.jspecify.annotations.Nullable;

/** One connection to the server, logged in. */
final class Connection implements FrameChannel.Owner, AutoCloseable {
  /** Frames pile up between these marks before senders wait. */
  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(512 << 10, 1 << 20);

  private final ClientSettings settings;
  private final FrameChannel channel;
  private final QueueInbox connectionInbox = new QueueInbox();
  private final CompletableFuture<Boolean> ready = new CompletableFuture<>();
  private volatile boolean loggedIn;
  private volatile @Nullable SocketAddress serverAddress;

  private final ReentrantLock probing = new ReentrantLock();
  private @Nullable LineProbe probe; // guarded by probing

  private Connection(ClientSettings settings) {
    this.settings = settings;
    this.channel =
        new FrameChannel(
            FrameChannel.Role.CLIENT,
            this,
            settings.requestTime().multipliedBy(10),
            settings.tlsProvider().wantsDirectBuffers());
  }

  /**
   * Connects and logs in.
   *
   * @throws KeyMismatchException if the server has another key than the pinned one
   * @throws WireException if the server refuses
   * @throws IOException if it cannot be reached
   */
  static Connection open(ClientSettings settings, EventLoopGroup loop, SslContext tls)
      throws IOException {
    var connection = new Connection(settings);
    Channel netty = connection.connect(loop, tls);
    try {
      connection.awaitTls();
      connection.login(netty);
      return connection;
    } catch (IOException | RuntimeException e) {
      var _ = netty.close();
      throw e;
    }
  }

  /** Connects only as far as the server's certificate. */
  static X509Certificate certificate(ClientSettings settings, EventLoopGroup loop, SslContext tls)
      throws IOException {
    var connection = new Connection(settings);
    Channel netty = connection.connect(loop, tls);
    try {
      connection.awaitTls();
      return serverCertificate(netty);
    } finally {
      var _ = netty.close();
    }
  }

  private Channel connect(EventLoopGroup loop, SslContext tls) throws IOException {
    var bootstrap =
        new Bootstrap()
            .group(loop)
            .channel(NioSocketChannel.class)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
            .option(
                ChannelOption.CONNECT_TIMEOUT_MILLIS,
                Math.toIntExact(settings.connectTime().toMillis()))
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel netty) {
                    SslHandler handler =
                        tls.newHandler(netty.alloc(), settings.host(), settings.port());
                    handler.setHandshakeTimeoutMillis(settings.connectTime().toMillis());
                    netty.pipeline().addLast(handler, channel);
                  }
                });
    var address = new InetSocketAddress(settings.host(), settings.port());
    if (address.isUnresolved()) {
      throw new IOException("the name '" + settings.host() + "' is not known");
    }
    ChannelFuture connecting = bootstrap.connect(address);
    try {
      if (!connecting.await(settings.connectTime().toMillis() + 1000)) {
        throw new IOException("no connection to " + shown() + " in time");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      var _ = connecting.channel().close();
      throw new WireException(ErrorCode.CANCELLED, "interrupted while connecting");
    }
    if (!connecting.isSuccess()) {
      throw new IOException(
          "cannot connect to " + shown() + ": " + connecting.cause().getMessage(),
          connecting.cause());
    }
    serverAddress = connecting.channel().remoteAddress();
    return connecting.channel();
  }

  private String shown() {
    return settings.host() + ":" + settings.port();
  }

  private void awaitTls() throws IOException {
    try {
      ready.get(settings.connectTime().toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WireException(ErrorCode.CANCELLED, "interrupted while connecting");
    } catch (TimeoutException e) {
      throw new IOException("no TLS handshake with " + shown() + " in time", e);
    } catch (ExecutionException e) {
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof PinningTrustManager.PinMismatch mismatch
            && settings.trust() instanceof ServerTrust.Pinned(String pin)) {
          throw new KeyMismatchException(pin, mismatch.foundPin());
        }
      }
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new IOException("no TLS connection with " + shown() + ": " + cause.getMessage(), cause);
    }
  }

  private static X509Certificate serverCertificate(Channel netty) throws IOException {
    SslHandler handler = netty.pipeline().get(SslHandler.class);
    if (handler == null) {
      throw new ConnectionLostException("the connection was closed", null);
    }
    return (X509Certificate) handler.engine().getSession().getPeerCertificates()[0];
  }

  private void login(Channel netty) throws IOException {
    channel.sendConnection(
        new Message.Hello(FrameFormat.VERSION, FrameFormat.VERSION, 0, 0, settings.software()));
    if (!(take() instanceof Message.Welcome welcome)) {
      throw WireException.malformed("the server's first frame is not WELCOME");
    }
    if (welcome.version() != FrameFormat.VERSION
        || welcome.maxPayloadBytes() < FrameFormat.MAX_PAYLOAD_BYTES) {
      throw new WireException(
          ErrorCode.VERSION_UNSUPPORTED, "the server chose version " + welcome.version());
    }
    var scram =
        new ScramClient(
            settings.user(),
            settings.password(),
            binding(netty, welcome.bindingTypes()),
            new SecureRandom());
    channel.sendConnection(new Message.AuthBegin(Scram.MECHANISM_PLUS, scram.first()));
    if (!(take() instanceof Message.AuthChallenge challenge)) {
      throw wrongPassword();
    }
    channel.sendConnection(new Message.AuthProof(scram.answer(challenge.serverFirst())));
    if (!(take() instanceof Message.AuthOutcome(boolean ok, byte[] serverFinal)) || !ok) {
      throw wrongPassword();
    }
    scram.verify(serverFinal);
    loggedIn = true;
    channel.loggedIn(Math.max(3, welcome.idleSeconds()));
  }

  private static WireException wrongPassword() {
    return new WireException(ErrorCode.AUTHENTICATION_FAILED, "wrong user or password");
  }

  private static ChannelBinding binding(Channel netty, List<String> offered) throws IOException {
    SslHandler handler = netty.pipeline().get(SslHandler.class);
    if (handler == null) {
      throw new ConnectionLostException("the connection was closed", null);
    }
    try {
      List<ChannelBinding> own = ChannelBinding.of(handler.engine(), serverCertificate(netty));
      for (String type : offered) {
        for (ChannelBinding candidate : own) {
          if (candidate.type().equals(type)) {
            return candidate;
          }
        }
      }
    } catch (GeneralSecurityException e) {
      throw new IOException("no channel binding: " + e.getMessage(), e);
    }
    throw new WireException(
        ErrorCode.AUTHENTICATION_FAILED,
        "the server offers no channel binding that this client can do: " + offered);
  }

  private Message take() throws IOException {
    return connectionInbox.take(settings.connectTime()).message();
  }

  FrameChannel channel() {
    return channel;
  }

  /** Returns how fast the line is, measured once. */
  LineProbe probe() throws IOException {
    probing.lock();
    try {
      LineProbe there = probe;
      if (there == null) {
        there = isLocal() ? LineProbe.LOCAL : LineProbe.measure(this);
        probe = there;
      }
      return there;
    } finally {
      probing.unlock();
    }
  }

  Duration patience() {
    return settings.requestTime();
  }

  /** Returns whether the server is on this machine. */
  boolean isLocal() {
    return isLocal(serverAddress);
  }

  boolean isUsable() {
    return loggedIn && channel.isOpen();
  }

  /** Returns whether the server's address is one of this machine. */
  private static boolean isLocal(@Nullable SocketAddress address) {
    if (!(address instanceof InetSocketAddress there)) {
      return false;
    }
    InetAddress ip = there.getAddress();
    try {
      return ip != null
          && (ip.isLoopbackAddress() || NetworkInterface.getByInetAddress(ip) != null);
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    channel.end(new WireException(ErrorCode.CANCELLED, "the client was closed"));
    channel.close();
  }

  // ---- on the event loop

  @Override
  public void ready() {
    ready.complete(true);
  }

  @Override
  public @Nullable Inbox opening(Frame frame) {
    return null;
  }

  @Override
  public void opened(WireStream stream, Frame frame, Inbox inbox) {
    throw new IllegalStateException("servers open no streams");
  }

  @Override
  public void connectionFrame(Frame frame) {
    if (frame.type() == FrameType.GOAWAY) {
      IOException why;
      try {
        var goAway = (Message.GoAway) frame.message();
        why = new WireException(goAway.code(), goAway.text());
      } catch (WireException e) {
        why = e;
      }
      channel.end(why);
      channel.close();
    } else if (loggedIn) {
      channel.end(WireException.malformed(frame.type() + " after the login"));
      channel.close();
    } else {
      connectionInbox.frame(frame);
    }
  }

  @Override
  public void closed(IOException why) {
    ready.completeExceptionally(why);
    connectionInbox.ended(why);
  }
}
