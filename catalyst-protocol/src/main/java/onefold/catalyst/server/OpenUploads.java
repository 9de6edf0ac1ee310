package onefold.catalyst.server;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireStream;
import onefold.store.Id;
import onefold.store.ObjectWriter;

/**
 * The uploads that are open on this server, so that a client that comes back takes over what its
 * broken connection left. High-bandwidth uploads are parked for a while: their position in memory
 * is worth keeping.
 */
final class OpenUploads implements AutoCloseable {
  /** How long a newcomer waits for the session it replaces to let go. */
  private static final Duration TAKE_OVER_TIME = Duration.ofSeconds(30);

  /** An upload that a session serves. */
  static final class Served {
    private final Id uploadId;
    private final Id storeId;
    private final String itemName;
    private final String user;
    private final WireStream stream;
    private final CountDownLatch released = new CountDownLatch(1);

    private Served(Id uploadId, Id storeId, String itemName, String user, WireStream stream) {
      this.uploadId = uploadId;
      this.storeId = storeId;
      this.itemName = itemName;
      this.user = user;
      this.stream = stream;
    }
  }

  private record Parked(Served was, ObjectWriter writer) {}

  private final int maxParked;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Id, Served> served = new LinkedHashMap<>(); // guarded by lock
  private final Map<Id, Parked> parked = new LinkedHashMap<>(); // guarded by lock; oldest first
  private boolean closed; // guarded by lock

  OpenUploads(int maxParked) {
    this.maxParked = maxParked;
  }

  /** Takes note that a stream serves an upload. */
  Served serve(Id uploadId, Id storeId, String itemName, String user, WireStream stream) {
    var now = new Served(uploadId, storeId, itemName, user, stream);
    lock.lock();
    try {
      served.put(uploadId, now);
    } finally {
      lock.unlock();
    }
    return now;
  }

  /** The session is over and has let go of the upload. */
  void release(Served upload) {
    lock.lock();
    try {
      served.remove(upload.uploadId, upload);
    } finally {
      lock.unlock();
    }
    upload.released.countDown();
  }

  /**
   * The session is over because its connection broke: keeps the writer for the client to come back.
   *
   * @return false if it cannot be kept; the caller closes it
   */
  boolean park(Served upload, ObjectWriter writer) {
    ObjectWriter pushedOut = null;
    lock.lock();
    try {
      if (closed || maxParked == 0) {
        return false;
      }
      if (parked.size() >= maxParked) {
        Id oldest = parked.keySet().iterator().next();
        Parked out = parked.remove(oldest);
        pushedOut = out == null ? null : out.writer;
      }
      parked.put(upload.uploadId, new Parked(upload, writer));
    } finally {
      lock.unlock();
    }
    if (pushedOut != null) {
      pushedOut.close();
    }
    release(upload);
    return true;
  }

  /** The time of a parked upload is over, if it still is the same one. */
  void expire(Served upload) {
    ObjectWriter writer = null;
    lock.lock();
    try {
      Parked there = parked.get(upload.uploadId);
      if (there != null && there.was == upload) {
        parked.remove(upload.uploadId);
        writer = there.writer;
      }
    } finally {
      lock.unlock();
    }
    if (writer != null) {
      writer.close();
    }
  }

  /**
   * Ends whatever serves this upload and returns its writer if that was parked.
   *
   * @throws WireException {@code CONFLICT} if it belongs to another user or does not let go
   */
  Optional<ObjectWriter> takeOver(Id uploadId, String user) throws WireException {
    Served old;
    lock.lock();
    try {
      old = served.get(uploadId);
    } finally {
      lock.unlock();
    }
    if (old != null) {
      requireSame(user, old);
      old.stream.fail(ErrorCode.CONFLICT, "the upload goes on over another connection");
      await(old);
    }
    lock.lock();
    try {
      Parked there = parked.get(uploadId);
      if (there == null) {
        return Optional.empty();
      }
      requireSame(user, there.was);
      parked.remove(uploadId);
      return Optional.of(there.writer);
    } finally {
      lock.unlock();
    }
  }

  private static void requireSame(String user, Served upload) throws WireException {
    if (!upload.user.equals(user)) {
      throw new WireException(ErrorCode.CONFLICT, "the upload is open by another user");
    }
  }

  private static void await(Served upload) throws WireException {
    try {
      if (!upload.released.await(TAKE_OVER_TIME.toSeconds(), TimeUnit.SECONDS)) {
        throw new WireException(
            ErrorCode.CONFLICT,
            "the upload is open over another connection, which did not let go of it");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WireException(ErrorCode.CANCELLED, "interrupted");
    }
  }

  /** A new upload of this name begins: what is parked under it will not be resumed. */
  void dropParked(Id storeId, String itemName) {
    var writers = new ArrayList<ObjectWriter>();
    lock.lock();
    try {
      parked
          .values()
          .removeIf(p -> {
            boolean same = p.was.storeId.equals(storeId) && p.was.itemName.equals(itemName);
            if (same) {
              writers.add(p.writer);
            }
            return same;
          });
    } finally {
      lock.unlock();
    }
    writers.forEach(ObjectWriter::close);
  }

  /** Closes a parked upload; false if it is not parked. */
  boolean dropParked(Id uploadId) {
    Parked there;
    lock.lock();
    try {
      there = parked.remove(uploadId);
    } finally {
      lock.unlock();
    }
    if (there == null) {
      return false;
    }
    there.writer.close();
    return true;
  }

  @Override
  public void close() {
    List<Parked> all;
    lock.lock();
    try {
      closed = true;
      all = new ArrayList<>(parked.values());
      parked.clear();
    } finally {
      lock.unlock();
    }
    for (Parked upload : all) {
      upload.writer.close();
    }
  }
}
