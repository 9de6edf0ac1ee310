package onefold.nas.nfs;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import onefold.nas.LockManager;
import org.jspecify.annotations.Nullable;

/**
 * The clients of NFSv4 with their leases, sessions and state. A client that is not heard of for a
 * lease is forgotten with all that it has opened and locked. After a restart, those that are in the
 * records may reclaim what they held during a grace period, in which nobody else gets anything new;
 * it ends early when all of them have said that they are through.
 *
 * <p>Order of locks: an owner's turn, this one's lock, a client's, the lock manager's.
 */
final class Clients implements AutoCloseable {
  static final int MAX_CLIENTS = 4096;
  static final int MAX_SESSIONS = 4096;
  static final int MAX_SESSIONS_OF_CLIENT = 64;

  /** So many clients and states of 4.0 that are gone are told so; older ones are unknown. */
  static final int MAX_EXPIRED = 10_000;

  private static final System.Logger LOG = System.getLogger(Clients.class.getName());

  private final int start;
  private final long leaseNanos;
  private final LongSupplier nanoClock;
  private final RandomGenerator random;
  private final ClientRecords records;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition closed = lock.newCondition();

  // Guarded by lock.
  private final Map<Long, Client> clients = new HashMap<>();
  private final Map<OwnerKey, Client> confirmed = new HashMap<>();
  private final Map<OwnerKey, Client> unconfirmed = new HashMap<>();
  private final Map<Session.SessionId, Session> sessions = new HashMap<>();
  private final LinkedHashSet<Long> expiredClients = new LinkedHashSet<>();
  private final Set<String> reclaimers = new HashSet<>();
  private boolean grace;
  private final long graceEndNanos;
  private int nextClient = 1;
  private boolean closing;
  private volatile boolean keepRecords;

  private final ConcurrentHashMap<Long, State> states = new ConcurrentHashMap<>();
  private final AtomicLong nextState = new AtomicLong(1);
  private final ReentrantLock expiredLock = new ReentrantLock();
  private final LinkedHashSet<Long> expiredStates = new LinkedHashSet<>(); // guarded by expiredLock
  private final Thread reaper;

  private record OwnerKey(boolean sessioned, Bytes owner) {}

  Clients(int leaseSeconds, LongSupplier nanoClock, RandomGenerator random, ClientRecords records)
      throws IOException {
    this.leaseNanos = TimeUnit.SECONDS.toNanos(leaseSeconds);
    this.nanoClock = nanoClock;
    this.random = random;
    this.records = records;
    int number;
    do {
      number = random.nextInt();
    } while (number == 0 || number == -1);
    this.start = number;
    reclaimers.addAll(records.keys());
    grace = !reclaimers.isEmpty();
    graceEndNanos = nanoClock.getAsLong() + leaseNanos;
    if (grace) {
      LOG.log(
          System.Logger.Level.INFO,
          () ->
              reclaimers.size()
                  + " NFSv4 clients may reclaim what they held for "
                  + leaseSeconds
                  + " s");
    }
    reaper = Thread.ofVirtual().name("nfs leases").start(this::reap);
  }

  int start() {
    return start;
  }

  int leaseSeconds() {
    return (int) TimeUnit.NANOSECONDS.toSeconds(leaseNanos);
  }

  // ---- identities

  /** What {@code SETCLIENTID} gave. */
  record Identity(long clientId, long confirmVerifier) {}

  /** SETCLIENTID (RFC 7530, 16.33). */
  Identity setClientId(Bytes owner, long verifier, Credential principal) throws Refusal {
    List<Client> dropped = new ArrayList<>();
    try {
      lock.lock();
      try {
        var key = new OwnerKey(false, owner);
        Client known = confirmed.get(key);
        if (known != null && !known.principal().samePrincipal(principal)) {
          if (known.hasState() && !isExpired(known)) {
            throw new Refusal(Status.CLID_INUSE);
          }
          dropped.add(forget(known));
          known = null;
        }
        Client waiting = unconfirmed.get(key);
        if (waiting != null) {
          dropped.add(forget(waiting));
        }
        Client same = known != null && known.verifier() == verifier ? known : null;
        makeRoom(dropped);
        long id = same == null ? newClientId() : same.id();
        var client = new Client(id, false, owner, verifier, principal);
        client.confirmVerifier = random.nextLong();
        client.renewedNanos = nanoClock.getAsLong();
        unconfirmed.put(key, client);
        if (same == null) {
          clients.put(client.id(), client);
        }
        return new Identity(client.id(), client.confirmVerifier);
      } finally {
        lock.unlock();
      }
    } finally {
      dropped.forEach(this::release);
    }
  }

  /** SETCLIENTID_CONFIRM (RFC 7530, 16.34). */
  void confirmClientId(long clientId, long confirmVerifier, Credential principal) throws Refusal {
    List<Client> dropped = new ArrayList<>();
    try {
      lock.lock();
      try {
        Client waiting = null;
        for (Client each : unconfirmed.values()) {
          if (!each.sessioned()
              && each.id() == clientId
              && each.confirmVerifier == confirmVerifier) {
            waiting = each;
          }
        }
        Client known = clients.get(clientId);
        if (waiting == null) {
          if (known != null
              && known.confirmed
              && !known.sessioned()
              && known.confirmVerifier == confirmVerifier) {
            if (!known.principal().samePrincipal(principal)) {
              throw new Refusal(Status.CLID_INUSE);
            }
            return;
          }
          throw new Refusal(Status.STALE_CLIENTID);
        }
        if (!waiting.principal().samePrincipal(principal)) {
          throw new Refusal(Status.CLID_INUSE);
        }
        var key = new OwnerKey(false, waiting.owner());
        unconfirmed.remove(key);
        Client old = confirmed.get(key);
        if (old != null && old.id() == clientId) {
          // The same run of the client: only its callback address would have changed.
          old.confirmVerifier = confirmVerifier;
          old.renewedNanos = nanoClock.getAsLong();
          return;
        }
        if (old != null) {
          dropped.add(forget(old));
        }
        confirm(waiting, key);
      } finally {
        lock.unlock();
      }
    } finally {
      dropped.forEach(this::release);
    }
  }

  /** What {@code EXCHANGE_ID} gave. */
  record Exchanged(long clientId, int sequence, boolean confirmed) {}

  /** EXCHANGE_ID (RFC 8881, 18.35.4). */
  Exchanged exchangeId(Bytes owner, long verifier, Credential principal, boolean update)
      throws Refusal {
    List<Client> dropped = new ArrayList<>();
    try {
      lock.lock();
      try {
        var key = new OwnerKey(true, owner);
        Client known = confirmed.get(key);
        if (update) {
          if (known == null) {
            throw new Refusal(Status.NOENT);
          }
          if (known.verifier() != verifier) {
            throw new Refusal(Status.NOT_SAME);
          }
          if (!known.principal().samePrincipal(principal)) {
            throw new Refusal(Status.PERM);
          }
          return new Exchanged(known.id(), known.createSequence + 1, true);
        }
        if (known != null && !known.principal().samePrincipal(principal)) {
          if ((known.hasState() || known.sessionCount > 0) && !isExpired(known)) {
            throw new Refusal(Status.CLID_INUSE);
          }
          dropped.add(forget(known));
          known = null;
        }
        if (known != null && known.verifier() == verifier) {
          known.renewedNanos = nanoClock.getAsLong();
          return new Exchanged(known.id(), known.createSequence + 1, true);
        }
        Client waiting = unconfirmed.get(key);
        if (waiting != null) {
          dropped.add(forget(waiting));
        }
        makeRoom(dropped);
        var client = new Client(newClientId(), true, owner, verifier, principal);
        client.renewedNanos = nanoClock.getAsLong();
        unconfirmed.put(key, client);
        clients.put(client.id(), client);
        return new Exchanged(client.id(), 1, false);
      } finally {
        lock.unlock();
      }
    } finally {
      dropped.forEach(this::release);
    }
  }

  /** Writes the results of a CREATE_SESSION, given the session that was made. */
  interface SessionReply {
    byte[] of(Session session);
  }

  /** CREATE_SESSION (RFC 8881, 18.36.4); returns its results, or those of the first time. */
  byte[] createSession(
      long clientId,
      int sequence,
      Credential principal,
      Session.Channel channel,
      SessionReply reply)
      throws Refusal {
    List<Client> dropped = new ArrayList<>();
    try {
      lock.lock();
      try {
        Client client = clients.get(clientId);
        if (client == null || !client.sessioned()) {
          throw new Refusal(Status.STALE_CLIENTID);
        }
        byte[] earlier = client.createReply;
        if (sequence == client.createSequence && earlier != null) {
          return earlier;
        }
        if (sequence != client.createSequence + 1) {
          throw new Refusal(Status.SEQ_MISORDERED);
        }
        if (!client.confirmed) {
          if (!client.principal().samePrincipal(principal)) {
            throw new Refusal(Status.CLID_INUSE);
          }
          var key = new OwnerKey(true, client.owner());
          Client old = confirmed.get(key);
          if (old != null) {
            dropped.add(forget(old));
          }
          unconfirmed.remove(key);
          confirm(client, key);
        }
        if (sessions.size() >= MAX_SESSIONS || client.sessionCount >= MAX_SESSIONS_OF_CLIENT) {
          throw new Refusal(Status.DELAY);
        }
        var id = new Session.SessionId(clientId, random.nextLong());
        var session = new Session(id, client, channel);
        sessions.put(id, session);
        client.sessionCount++;
        client.createSequence = sequence;
        client.renewedNanos = nanoClock.getAsLong();
        byte[] results = reply.of(session);
        client.createReply = results;
        return results;
      } finally {
        lock.unlock();
      }
    } finally {
      dropped.forEach(this::release);
    }
  }

  Session session(Session.SessionId id) throws Refusal {
    lock.lock();
    try {
      Session session = sessions.get(id);
      if (session == null) {
        throw new Refusal(Status.BADSESSION);
      }
      return session;
    } finally {
      lock.unlock();
    }
  }

  void destroySession(Session.SessionId id) throws Refusal {
    lock.lock();
    try {
      Session session = sessions.remove(id);
      if (session == null) {
        throw new Refusal(Status.BADSESSION);
      }
      session.client().sessionCount--;
    } finally {
      lock.unlock();
    }
  }

  void destroyClientId(long clientId) throws Refusal {
    Client dropped;
    lock.lock();
    try {
      Client client = clients.get(clientId);
      if (client == null || !client.sessioned()) {
        throw new Refusal(Status.STALE_CLIENTID);
      }
      if (client.sessionCount > 0 || client.hasState()) {
        throw new Refusal(Status.CLIENTID_BUSY);
      }
      dropped = forget(client);
    } finally {
      lock.unlock();
    }
    release(dropped);
  }

  /** The confirmed client of 4.0 with this id. */
  Client client(long clientId) throws Refusal {
    lock.lock();
    try {
      Client client = clients.get(clientId);
      if (client == null && expiredClients.contains(clientId)) {
        throw new Refusal(Status.EXPIRED);
      }
      if (client == null || !client.confirmed) {
        throw new Refusal(Status.STALE_CLIENTID);
      }
      return client;
    } finally {
      lock.unlock();
    }
  }

  // ---- leases

  /** Renews a client's lease. */
  void renew(Client client) {
    lock.lock();
    try {
      client.renewedNanos = nanoClock.getAsLong();
    } finally {
      lock.unlock();
    }
  }

  /** A request of a client begins: it is not forgotten before {@link #end}. */
  void begin(Client client) {
    lock.lock();
    try {
      client.requestCount++;
      client.renewedNanos = nanoClock.getAsLong();
    } finally {
      lock.unlock();
    }
  }

  void end(Client client) {
    lock.lock();
    try {
      client.requestCount--;
      client.renewedNanos = nanoClock.getAsLong();
    } finally {
      lock.unlock();
    }
  }

  private boolean isExpired(Client client) {
    return client.requestCount == 0 && nanoClock.getAsLong() - client.renewedNanos > leaseNanos;
  }

  /** Forgets all clients whose lease is over; returns whether there were any. */
  boolean expire() {
    List<Client> dropped = new ArrayList<>();
    List<String> unclaimed = List.of();
    lock.lock();
    try {
      for (Client client : List.copyOf(clients.values())) {
        if (isExpired(client)) {
          dropped.add(forget(client));
        }
      }
      unconfirmed.values().removeIf(this::isExpired);
      if (grace && nanoClock.getAsLong() - graceEndNanos >= 0) {
        unclaimed = endGrace();
      }
    } finally {
      lock.unlock();
    }
    dropped.forEach(this::release);
    unclaimed.forEach(this::removeRecord);
    return !dropped.isEmpty();
  }

  private void reap() {
    long wait = Math.max(leaseNanos / 8, TimeUnit.MILLISECONDS.toNanos(100));
    while (true) {
      lock.lock();
      try {
        long left = wait;
        while (left > 0 && !closing) {
          left = closed.awaitNanos(left);
        }
        if (closing) {
          return;
        }
      } catch (InterruptedException _) {
        return;
      } finally {
        lock.unlock();
      }
      try {
        expire();
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.ERROR, "the leases of NFSv4", e);
      }
    }
  }

  private long newClientId() {
    return (long) start << 32 | (nextClient++ & 0xffff_ffffL);
  }

  private void confirm(Client client, OwnerKey key) {
    client.confirmed = true;
    client.renewedNanos = nanoClock.getAsLong();
    client.mayReclaim = grace && reclaimers.contains(recordKey(client));
    confirmed.put(key, client);
    clients.put(client.id(), client);
  }

  /** At the bound the client that was silent longest and holds nothing makes room. */
  private void makeRoom(List<Client> dropped) throws Refusal {
    if (clients.size() < MAX_CLIENTS) {
      return;
    }
    Client idle = null;
    for (Client client : clients.values()) {
      if (client.requestCount == 0
          && !client.hasState()
          && (idle == null || client.renewedNanos < idle.renewedNanos)) {
        idle = client;
      }
    }
    if (idle == null) {
      throw new Refusal(Status.DELAY);
    }
    dropped.add(forget(idle));
  }

  /** Takes a client out of all tables; {@link #release} must follow without the lock. */
  private Client forget(Client client) {
    if (clients.remove(client.id(), client) && client.confirmed && !client.sessioned()) {
      expiredClients.add(client.id());
      if (expiredClients.size() > MAX_EXPIRED) {
        expiredClients.removeFirst();
      }
    }
    var key = new OwnerKey(client.sessioned(), client.owner());
    confirmed.remove(key, client);
    unconfirmed.remove(key, client);
    if (client.sessionCount > 0) {
      sessions.values().removeIf(session -> session.client() == client);
      client.sessionCount = 0;
    }
    return client;
  }

  /** Gives back all that a forgotten client held. */
  private void release(Client client) {
    List<OpenState> opens = new ArrayList<>();
    client.lock.lock();
    try {
      client.expired = true;
      for (State state : List.copyOf(client.states.values())) {
        if (state instanceof OpenState open) {
          opens.add(open);
        }
        states.remove(state.number());
        if (!client.sessioned()) {
          expired(state.number());
        }
      }
      client.states.clear();
      for (OpenState open : opens) {
        LockManager locks = open.files().locks();
        for (LockOwner owner : open.locks.keySet()) {
          locks.unlockAll(open.key().fileId(), owner);
        }
        locks.close(open.key().fileId(), open.owner());
        open.close();
      }
      for (OpenOwner owner : client.openOwners.values()) {
        OpenState last = owner.closedLast;
        if (last != null) {
          states.remove(last.number());
        }
      }
      client.openOwners.clear();
      client.lockOwners.clear();
    } finally {
      client.lock.unlock();
    }
    if (client.recorded && !keepRecords) {
      lock.lock();
      try {
        // Another run of the same client may be in the records by the same key.
        Client successor = confirmed.get(new OwnerKey(client.sessioned(), client.owner()));
        if (successor != null && (successor.recorded || successor.mayReclaim)) {
          return;
        }
      } finally {
        lock.unlock();
      }
      removeRecord(recordKey(client));
    }
  }

  // ---- state

  private void expired(long number) {
    expiredLock.lock();
    try {
      expiredStates.add(number);
      if (expiredStates.size() > MAX_EXPIRED) {
        expiredStates.removeFirst();
      }
    } finally {
      expiredLock.unlock();
    }
  }

  /** Whether a state of 4.0 went with its client. */
  boolean isExpired(long number) {
    expiredLock.lock();
    try {
      return expiredStates.contains(number);
    } finally {
      expiredLock.unlock();
    }
  }

  long newStateNumber() {
    return nextState.getAndIncrement();
  }

  void add(State state) throws Refusal {
    Client client = state.client();
    if (client.expired) {
      throw new Refusal(Status.EXPIRED);
    }
    if (client.states.size() >= Client.MAX_STATES) {
      throw new Refusal(Status.RESOURCE);
    }
    client.states.put(state.number(), state);
    states.put(state.number(), state);
  }

  void remove(State state) {
    state.client().states.remove(state.number());
    states.remove(state.number());
  }

  /** Keeps a closed file's stateid known until its owner closes another. */
  void remember(OpenState closed) {
    OpenState before = closed.owner().closedLast;
    if (before != null) {
      states.remove(before.number());
    }
    closed.owner().closedLast = closed;
    states.put(closed.number(), closed);
  }

  @Nullable State state(long number) {
    return states.get(number);
  }

  /** How many files are open and locked, for statistics. */
  int stateCount() {
    return states.size();
  }

  int clientCount() {
    lock.lock();
    try {
      return clients.size();
    } finally {
      lock.unlock();
    }
  }

  // ---- restart

  /** Whether only those may get something who held it before the restart. */
  boolean inGrace() {
    lock.lock();
    try {
      return grace;
    } finally {
      lock.unlock();
    }
  }

  /** Checks that a client may reclaim. */
  void checkReclaim(Client client) throws Refusal {
    lock.lock();
    try {
      if (!grace || !client.mayReclaim || client.reclaimComplete) {
        throw new Refusal(Status.NO_GRACE);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Checks that a client may get what it did not hold. */
  void checkNew(Client client) throws Refusal {
    lock.lock();
    try {
      if (grace || (client.sessioned() && !client.reclaimComplete)) {
        throw new Refusal(Status.GRACE);
      }
    } finally {
      lock.unlock();
    }
  }

  void reclaimComplete(Client client) throws Refusal {
    List<String> unclaimed = List.of();
    lock.lock();
    try {
      if (client.reclaimComplete) {
        throw new Refusal(Status.COMPLETE_ALREADY);
      }
      client.reclaimComplete = true;
      if (grace) {
        String key = recordKey(client);
        reclaimers.remove(key);
        if (!client.recorded) {
          // It came back and held nothing.
          unclaimed = List.of(key);
        }
        if (reclaimers.isEmpty()) {
          grace = false;
          LOG.log(System.Logger.Level.INFO, "all NFSv4 clients have reclaimed what they held");
        }
      }
    } finally {
      lock.unlock();
    }
    unclaimed.forEach(this::removeRecord);
  }

  /** Ends the grace period; returns the records of those who did not come. */
  private List<String> endGrace() {
    grace = false;
    Set<String> held = new HashSet<>();
    for (Client client : clients.values()) {
      if (client.recorded) {
        held.add(recordKey(client));
      }
    }
    List<String> unclaimed = reclaimers.stream().filter(key -> !held.contains(key)).toList();
    reclaimers.clear();
    LOG.log(
        System.Logger.Level.INFO,
        () -> "the grace period of NFSv4 is over, " + unclaimed.size() + " clients did not come");
    return unclaimed;
  }

  /** Makes sure that a client is in the durable records before it is given something to hold. */
  void record(Client client) throws IOException {
    if (client.recorded) {
      return;
    }
    String key = recordKey(client);
    records.put(key, Optional.of(client.owner().array()));
    client.recorded = true;
  }

  private void removeRecord(String key) {
    try {
      records.put(key, Optional.empty());
    } catch (IOException e) {
      // It would only let a client try to reclaim that finds nothing left to claim.
      LOG.log(System.Logger.Level.WARNING, "the record of an NFSv4 client", e);
    }
  }

  private static String recordKey(Client client) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      byte[] sum = sha.digest(client.owner().array());
      return (client.sessioned() ? "4.1-" : "4.0-") + HexFormat.of().formatHex(sum);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * Stops looking after leases and gives back what clients hold; the records stay, so that they may
   * reclaim it. Calls have ended before.
   */
  @Override
  public void close() {
    lock.lock();
    try {
      closing = true;
      closed.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      reaper.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    keepRecords = true;
    List<Client> all = new ArrayList<>();
    lock.lock();
    try {
      for (Client client : List.copyOf(clients.values())) {
        all.add(forget(client));
      }
    } finally {
      lock.unlock();
    }
    all.forEach(this::release);
  }
}
