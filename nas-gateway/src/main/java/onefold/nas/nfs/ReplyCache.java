package onefold.nas.nfs;

import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Replies to calls of NFSv3 that must not be done twice, for clients that send one again: over a
 * new connection after a broken one, or because the first answer was late. At most {@link
 * #MAX_REPLIES}, each at most {@link #MAX_REPLY_BYTES} and {@link #KEPT_SECONDS} old; the oldest go
 * first, also while they are being made.
 */
final class ReplyCache {
  static final int MAX_REPLIES = 4096;
  static final int MAX_REPLY_BYTES = 1024;
  static final int KEPT_SECONDS = 300;

  /** So much of the arguments counts for being the same call. */
  private static final int SUMMED_BYTES = 512;

  /** A client's xid alone may come again after its restart: the arguments count too. */
  private record Key(
      InetAddress client,
      Credential credential,
      int xid,
      int program,
      int version,
      int procedure,
      int length,
      int sum) {}

  private record Aged(Key key, long nanos) {}

  private final LongSupplier nanoClock;
  private final ReentrantLock lock = new ReentrantLock();
  // Guarded by lock.
  private final Map<Key, CompletableFuture<byte[]>> replies = new HashMap<>();
  private final ArrayDeque<Aged> ages = new ArrayDeque<>();

  ReplyCache(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  /** A call that is made for the first time, or was made before. */
  final class Entry {
    private final Key key;
    private final CompletableFuture<byte[]> reply;
    private final boolean first;

    private Entry(Key key, CompletableFuture<byte[]> reply, boolean first) {
      this.key = key;
      this.reply = reply;
      this.first = first;
    }

    /**
     * Returns the results of the first call, which are waited for while it is being served; null if
     * this is it, and {@link #done} must be called.
     */
    byte @Nullable [] earlier() {
      return first ? null : reply.join();
    }

    /** Keeps the results, from a position on, for the calls to come. */
    void done(XdrWriter results, int from) {
      if (results.position() - from > MAX_REPLY_BYTES) {
        forget();
      }
      reply.complete(results.copy(from));
    }

    /** The call failed in a way that may be tried again. */
    void forget() {
      lock.lock();
      try {
        replies.remove(key, reply);
      } finally {
        lock.unlock();
      }
    }
  }

  Entry enter(RpcCall call) {
    var crc = new CRC32C();
    XdrReader.Range body = call.body();
    crc.update(body.array(), body.offset(), Math.min(body.length(), SUMMED_BYTES));
    var key =
        new Key(
            call.client(),
            call.credential(),
            call.xid(),
            call.program(),
            call.version(),
            call.procedure(),
            body.length(),
            (int) crc.getValue());
    long now = nanoClock.getAsLong();
    lock.lock();
    try {
      while (!ages.isEmpty()
          && (ages.size() >= MAX_REPLIES
              || now - ages.getFirst().nanos() > KEPT_SECONDS * 1_000_000_000L)) {
        replies.remove(ages.removeFirst().key());
      }
      CompletableFuture<byte[]> known = replies.get(key);
      if (known != null) {
        return new Entry(key, known, false);
      }
      var fresh = new CompletableFuture<byte[]>();
      replies.put(key, fresh);
      ages.addLast(new Aged(key, now));
      return new Entry(key, fresh, true);
    } finally {
      lock.unlock();
    }
  }

  int size() {
    lock.lock();
    try {
      return replies.size();
    } finally {
      lock.unlock();
    }
  }
}
