package onefold.catalyst.client;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import onefold.catalyst.wire.ConnectionLostException;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.PinningTrustManager;
import onefold.catalyst.wire.QueueInbox;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireStream;
import org.jspecify.annotations.Nullable;

/**
 * The connections of a client: made when needed, made again when they break. Safe for many threads.
 */
final class Connections implements AutoCloseable {
  /** What is tried on a connection. */
  @FunctionalInterface
  interface Attempt<T> {
    T on(Connection connection) throws IOException;
  }

  private final ClientSettings settings;
  private final EventLoopGroup loop;
  private final SslContext tls;

  private final AtomicLong requestBytes = new AtomicLong();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition closedChanged = lock.newCondition();
  private final @Nullable Connection[] slots; // guarded by lock
  private final ReentrantLock[] opening; // one for each slot, held while it connects
  private int next; // guarded by lock
  private boolean closed; // guarded by lock

  Connections(ClientSettings settings) throws IOException {
    this.settings = settings;
    this.slots = new @Nullable Connection[settings.connections()];
    this.opening = new ReentrantLock[settings.connections()];
    for (int i = 0; i < opening.length; i++) {
      opening[i] = new ReentrantLock();
    }
    this.tls = context(settings);
    this.loop =
        new MultiThreadIoEventLoopGroup(
            Math.min(settings.connections(), Runtime.getRuntime().availableProcessors()),
            new DefaultThreadFactory("catalyst-client-loop", true),
            NioIoHandler.newFactory());
  }

  private static SslContext context(ClientSettings settings) throws IOException {
    SslContextBuilder builder =
        SslContextBuilder.forClient()
            .sslProvider(settings.tlsProvider().netty())
            .protocols("TLSv1.3")
            .ciphers(settings.tlsProvider().ciphers());
    switch (settings.trust()) {
      case ServerTrust.Pinned(String pin) ->
          builder.trustManager(new PinningTrustManager(pin)).endpointIdentificationAlgorithm(null);
      case ServerTrust.Certified(List<X509Certificate> authorities) -> {
        if (!authorities.isEmpty()) {
          builder.trustManager(authorities.toArray(new X509Certificate[0]));
        }
        builder.endpointIdentificationAlgorithm("HTTPS");
      }
    }
    return builder.build();
  }

  /** Returns the certificate a server shows, trusted or not. */
  static X509Certificate certificate(ClientSettings settings) throws IOException {
    SslContext anything =
        SslContextBuilder.forClient()
            .sslProvider(settings.tlsProvider().netty())
            .protocols("TLSv1.3")
            .trustManager(new PinningTrustManager(null))
            .endpointIdentificationAlgorithm(null)
            .build();
    var loop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("catalyst-client-loop", true), NioIoHandler.newFactory());
    try {
      return Connection.certificate(settings, loop, anything);
    } finally {
      var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  ClientSettings settings() {
    return settings;
  }

  /** Returns bytes of frames both ways for single requests, headers included. */
  long requestBytes() {
    return requestBytes.get();
  }

  /** Returns a connection that is logged in, making one if needed. */
  Connection get() throws IOException {
    int slot;
    lock.lock();
    try {
      slot = next;
      next = (next + 1) % slots.length;
    } finally {
      lock.unlock();
    }
    Connection there = usable(slot);
    if (there != null) {
      return there;
    }
    opening[slot].lock();
    try {
      there = usable(slot);
      return there != null ? there : keep(slot, Connection.open(settings, loop, tls));
    } finally {
      opening[slot].unlock();
    }
  }

  /**
   * Logs in for the first time. Only a line that broke in the middle of the login is tried again:
   * who gave a wrong address, port or password wants to hear of it at once.
   */
  void first() throws IOException {
    for (int failures = 0; ; failures++) {
      try {
        var _ = get();
        return;
      } catch (ConnectionLostException e) {
        if (failures >= settings.retry().attempts()) {
          throw e;
        }
        pause(settings.retry().delay(failures));
      }
    }
  }

  private @Nullable Connection usable(int slot) throws IOException {
    lock.lock();
    try {
      if (closed) {
        throw new WireException(ErrorCode.CANCELLED, "the client was closed");
      }
      Connection there = slots[slot];
      return there != null && there.isUsable() ? there : null;
    } finally {
      lock.unlock();
    }
  }

  private Connection keep(int slot, Connection fresh) throws IOException {
    lock.lock();
    try {
      if (!closed) {
        slots[slot] = fresh;
        return fresh;
      }
    } finally {
      lock.unlock();
    }
    fresh.close();
    throw new WireException(ErrorCode.CANCELLED, "the client was closed");
  }

  /** Returns whether trying again over a new connection may help. */
  static boolean isWorthRetrying(IOException failure) {
    return switch (failure) {
      case WireException e ->
          e.code() == ErrorCode.SHUTTING_DOWN || e.code() == ErrorCode.LIMIT_REACHED;
      case CatalystException _ -> false;
      case KeyMismatchException _ -> false;
      default -> true;
    };
  }

  /** Tries until it works, is refused, or the retry policy gives up. */
  <T> T retrying(Attempt<T> attempt) throws IOException {
    for (int failures = 0; ; failures++) {
      try {
        return attempt.on(get());
      } catch (IOException e) {
        if (!isWorthRetrying(e) || failures >= settings.retry().attempts()) {
          throw e;
        }
        pause(settings.retry().delay(failures));
      }
    }
  }

  /** Waits before the next attempt; a close of the client ends the wait. */
  void pause(Duration delay) throws IOException {
    lock.lock();
    try {
      long nanos = delay.toNanos();
      while (nanos > 0 && !closed) {
        nanos = closedChanged.awaitNanos(nanos);
      }
      if (closed) {
        throw new WireException(ErrorCode.CANCELLED, "the client was closed");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WireException(ErrorCode.CANCELLED, "interrupted");
    } finally {
      lock.unlock();
    }
  }

  /** Asks one question and waits for its answer, again and again as the policy says. */
  Message request(Message question) throws IOException {
    return retrying(connection -> {
      var inbox = new QueueInbox();
      WireStream stream = connection.channel().open(question, inbox);
      try {
        Message answer = inbox.take(settings.requestTime()).message();
        stream.finish();
        return answer;
      } finally {
        stream.cancel();
        requestBytes.addAndGet(stream.sentBytes() + stream.receivedBytes());
      }
    });
  }

  /** Turns what the wire says into what callers are told. */
  static IOException shown(IOException failure) {
    return switch (failure) {
      case WireException e -> new CatalystException(e);
      case ConnectionLostException e -> new IOException(e.getMessage(), e);
      default -> failure;
    };
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      closedChanged.signalAll();
      for (Connection connection : slots) {
        if (connection != null) {
          connection.close();
        }
      }
    } finally {
      lock.unlock();
    }
    var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
