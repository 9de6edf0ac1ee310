package onefold.catalyst.client;

import java.io.IOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.FrameFormat;
import onefold.catalyst.wire.WireException;

/**
 * How fast a line seems to be: the quickest of a few echoes, small and great. A lower bound,
 * because a young connection has not yet found its pace.
 *
 * @param roundTripNanos of a small frame
 * @param bytesPerSecond to the server; 0 if the server is on this machine and nothing was measured
 */
record LineProbe(long roundTripNanos, double bytesPerSecond) {
  /**
   * What one core cuts and hashes in a second, seen on a server core of 2024 with its SHA
   * instructions.
   */
  static final double CORE_BYTES_PER_SECOND = 0.5e9;

  private static final int ECHOES = 3;

  /** Stands for a server on this machine: nothing is measured. */
  static final LineProbe LOCAL = new LineProbe(0, 0);

  /** Measures a connection; one thread at a time, for PONGs have one listener. */
  static LineProbe measure(Connection connection) throws IOException {
    long small = quickestEcho(connection, 0);
    long great = quickestEcho(connection, FrameFormat.MAX_PADDING_BYTES);
    double seconds = Math.max(1, great - small) / 1e9;
    return new LineProbe(small, FrameFormat.MAX_PADDING_BYTES / seconds);
  }

  private static long quickestEcho(Connection connection, int paddingBytes) throws IOException {
    var pongs = new ArrayBlockingQueue<Long>(ECHOES);
    connection.channel().onPong(pongs::offer);
    long best = Long.MAX_VALUE;
    long patienceSeconds = connection.patience().toSeconds();
    for (int i = 1; i <= ECHOES; i++) {
      long start = System.nanoTime();
      connection.channel().ping(i, paddingBytes);
      try {
        if (pongs.poll(patienceSeconds, TimeUnit.SECONDS) == null) {
          throw new WireException(ErrorCode.TIMED_OUT, "the server does not answer a PING");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new WireException(ErrorCode.CANCELLED, "interrupted");
      }
      best = Math.min(best, System.nanoTime() - start);
    }
    return best;
  }

  /** Returns whether the line brings more than so many cores could cut and hash. */
  boolean isFasterThan(int cores) {
    return bytesPerSecond > cores * CORE_BYTES_PER_SECOND;
  }
}
