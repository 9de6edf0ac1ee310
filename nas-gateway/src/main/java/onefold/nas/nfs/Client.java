package onefold.nas.nfs;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A client of NFSv4: one run of one machine's client, and all it has opened and locked. What it is
 * renewed by is a lease; see {@link Clients}.
 */
final class Client {
  /** Most owners and open files of one client. */
  static final int MAX_STATES = 50_000;

  private final long id;
  private final boolean sessioned;
  private final Bytes owner;
  private final long verifier;
  private final Credential principal;

  // Guarded by the lock of Clients.
  long confirmVerifier;
  boolean confirmed;
  int requestCount;
  long renewedNanos;
  int sessionCount;

  /** Number of the last CREATE_SESSION that was served. */
  int createSequence;

  byte @Nullable [] createReply;

  /** Whether a record says that it may reclaim what it held before the restart. */
  boolean mayReclaim;

  boolean reclaimComplete;

  /** Whether it is in the durable records. */
  volatile boolean recorded;

  final ReentrantLock lock = new ReentrantLock();

  // Guarded by lock.
  final Map<Bytes, OpenOwner> openOwners = new HashMap<>();
  final Map<Bytes, LockOwner> lockOwners = new HashMap<>();
  final Map<Long, State> states = new HashMap<>();
  boolean expired;

  Client(long id, boolean sessioned, Bytes owner, long verifier, Credential principal) {
    this.id = id;
    this.sessioned = sessioned;
    this.owner = owner;
    this.verifier = verifier;
    this.principal = principal;
  }

  long id() {
    return id;
  }

  /** Whether it speaks 4.1 or later. */
  boolean sessioned() {
    return sessioned;
  }

  Bytes owner() {
    return owner;
  }

  long verifier() {
    return verifier;
  }

  Credential principal() {
    return principal;
  }

  boolean hasState() {
    lock.lock();
    try {
      return !states.isEmpty();
    } finally {
      lock.unlock();
    }
  }
}
