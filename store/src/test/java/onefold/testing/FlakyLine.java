package onefold.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A TCP line to a port of this machine that breaks where it is told to. */
public final class FlakyLine implements AutoCloseable {
  private final ServerSocket listener;
  private final int targetPort;
  private final Queue<Long> breaksUp = new ConcurrentLinkedQueue<>();
  private final Queue<Long> breaksDown = new ConcurrentLinkedQueue<>();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicLong upBytes = new AtomicLong();
  private final AtomicLong downBytes = new AtomicLong();
  private final Semaphore traffic = new Semaphore(0);
  private final AtomicInteger connectionCount = new AtomicInteger();

  public FlakyLine(int targetPort) throws IOException {
    this.targetPort = targetPort;
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    var _ = Thread.ofVirtual().name("flaky-line").start(this::accept);
  }

  public int port() {
    return listener.getLocalPort();
  }

  /** The next connection that has no break planned breaks after so many bytes to the server. */
  public void breakAfterUp(long bytes) {
    breaksUp.add(bytes);
  }

  /** The same for bytes to the client. */
  public void breakAfterDown(long bytes) {
    breaksDown.add(bytes);
  }

  /** Breaks all connections now. */
  public void breakNow() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  /** Waits until something more has crossed it, at most a tenth of a second. */
  public void awaitTraffic() throws InterruptedException {
    var _ = traffic.tryAcquire(100, TimeUnit.MILLISECONDS);
    traffic.drainPermits();
  }

  public long upBytes() {
    return upBytes.get();
  }

  public long downBytes() {
    return downBytes.get();
  }

  public int connectionCount() {
    return connectionCount.get();
  }

  private void accept() {
    try {
      while (true) {
        Socket client = listener.accept();
        connectionCount.incrementAndGet();
        Socket server;
        try {
          server = new Socket(InetAddress.getLoopbackAddress(), targetPort);
        } catch (IOException e) {
          client.close();
          continue;
        }
        sockets.add(client);
        sockets.add(server);
        Long up = breaksUp.poll();
        Long down = breaksDown.poll();
        pump(client, server, up == null ? Long.MAX_VALUE : up, upBytes);
        pump(server, client, down == null ? Long.MAX_VALUE : down, downBytes);
      }
    } catch (IOException e) {
      // Closed: the test is over.
    }
  }

  private void pump(Socket from, Socket to, long limitBytes, AtomicLong count) {
    var _ =
        Thread.ofVirtual()
            .start(() -> {
              byte[] buffer = new byte[16 << 10];
              long left = limitBytes;
              try (from;
                  to) {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                while (left > 0) {
                  int n = in.read(buffer, 0, (int) Math.min(left, buffer.length));
                  if (n < 0) {
                    return;
                  }
                  out.write(buffer, 0, n);
                  left -= n;
                  count.addAndGet(n);
                  traffic.release();
                }
              } catch (IOException e) {
                // The other direction broke first.
              } finally {
                sockets.remove(from);
                sockets.remove(to);
              }
            });
  }

  @Override
  public void close() throws IOException {
    listener.close();
    breakNow();
  }
}
