package onefold.catalyst.server;

import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import onefold.catalyst.wire.ChannelBinding;
import onefold.catalyst.wire.ConnectionLostException;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.Frame;
import onefold.catalyst.wire.FrameChannel;
import onefold.catalyst.wire.Inbox;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.QueueInbox;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireStream;
import org.jspecify.annotations.Nullable;

/** One client's connection: its login, then a session for each of its streams. */
final class ServerConnection implements FrameChannel.Owner {
  /** No login needs more frames than this; further ones are a flood. */
  private static final int MAX_LOGIN_FRAMES = 16;

  private static final System.Logger LOG = System.getLogger(ServerConnection.class.getName());

  private final CatalystServer server;
  private final Channel netty;
  private final FrameChannel channel;
  private final QueueInbox loginInbox = new QueueInbox();
  private final AtomicInteger sessionCount = new AtomicInteger();
  private int loginFrames; // touched by the event loop only
  private volatile @Nullable Doors doors;
  private volatile boolean over;

  ServerConnection(CatalystServer server, Channel netty) {
    this.server = server;
    this.netty = netty;
    this.channel =
        new FrameChannel(
            FrameChannel.Role.SERVER,
            this,
            server.settings().limits().patience(),
            server.settings().tlsProvider().wantsDirectBuffers());
    var _ =
        netty
            .eventLoop()
            .schedule(
                this::endUnlessLoggedIn,
                server.settings().limits().loginTime().toMillis(),
                TimeUnit.MILLISECONDS);
  }

  FrameChannel channel() {
    return channel;
  }

  boolean isLoggedIn() {
    return doors != null;
  }

  private void endUnlessLoggedIn() {
    if (doors == null && !over) {
      channel.goAway(ErrorCode.TIMED_OUT, "the login took too long");
      var _ = netty.close();
    }
  }

  // ---- on the event loop

  @Override
  public void ready() {
    server.startSession("login " + netty.remoteAddress(), this::login);
  }

  @Override
  public void connectionFrame(Frame frame) {
    if (doors != null || ++loginFrames > MAX_LOGIN_FRAMES) {
      channel.goAway(ErrorCode.PROTOCOL_ERROR, frame.type() + " after the login");
      return;
    }
    loginInbox.frame(frame);
  }

  @Override
  public @Nullable Inbox opening(Frame frame) {
    if (sessionCount.get() >= server.settings().limits().maxStreams()) {
      return null;
    }
    sessionCount.incrementAndGet();
    return new QueueInbox();
  }

  @Override
  public void opened(WireStream stream, Frame frame, Inbox inbox) {
    Doors user = doors;
    if (user == null || !(inbox instanceof QueueInbox queue)) {
      throw new IllegalStateException("a stream before the login");
    }
    String name = "stream " + stream.id() + " of " + user.user() + " at " + netty.remoteAddress();
    server.startSession(name, () -> serve(name, user, stream, frame, queue));
  }

  @Override
  public void closed(IOException why) {
    over = true;
    loginInbox.ended(why);
    server.ended(this);
  }

  // ---- on the connection's own thread

  private void login() {
    try {
      SslHandler tls = netty.pipeline().get(SslHandler.class);
      if (tls == null) {
        throw new ConnectionLostException("the connection was closed", null);
      }
      var login =
          new Login(
              server.settings(),
              server.authenticator(),
              channel,
              loginInbox,
              ChannelBinding.of(tls.engine(), server.settings().tls().certificate()),
              new SecureRandom());
      Login.Outcome outcome = login.run();
      doors = new Doors(server.store(), server.authenticator(), outcome.user());
      channel.loggedIn(server.settings().limits().idleSeconds());
      channel.sendConnection(new Message.AuthOutcome(true, outcome.serverFinal()));
    } catch (ConnectionLostException e) {
      channel.close();
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      WireException refusal = Refusals.of(e, "login from " + netty.remoteAddress());
      LOG.log(
          System.Logger.Level.INFO,
          () -> "login from " + netty.remoteAddress() + " refused: " + refusal.getMessage());
      channel.goAway(refusal.code(), String.valueOf(refusal.getMessage()));
    }
  }

  // ---- on a stream's thread

  private void serve(String name, Doors user, WireStream stream, Frame opening, QueueInbox inbox) {
    try {
      Message first = opening.message();
      switch (first) {
        case Message.OpenUpload open -> {
          try (var session =
              new SessionStream(stream, inbox, server.windows(), server.settings().limits())) {
            new UploadSession(user, server.uploads(), session, server::parked).run(open);
          }
        }
        case Message.OpenRead open -> {
          try (var session =
              new SessionStream(stream, inbox, server.windows(), server.settings().limits())) {
            new ReadSession(user, session).run(open);
          }
        }
        default -> stream.send(new Requests(user, server.uploads()).answer(first));
      }
      stream.finish();
    } catch (IOException | RuntimeException e) {
      if (!stream.hasEnded()) {
        WireException refusal = Refusals.of(e, name);
        stream.fail(refusal.code(), String.valueOf(refusal.getMessage()));
      }
    } finally {
      sessionCount.decrementAndGet();
    }
  }
}
