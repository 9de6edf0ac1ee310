package onefold.nas.nfs;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A session of NFSv4.1: slots, each of which holds the number of its last request and the reply, so
 * that a request that is sent again is answered again, not done again (RFC 8881, 2.10.6).
 */
final class Session {
  /** Most slots of a session. */
  static final int MAX_SLOTS = 64;

  /** Longest reply that a slot keeps. */
  static final int MAX_CACHED_BYTES = 8 << 10;

  /** Replies so short are kept although the client does not ask for it. */
  static final int KEPT_ANYWAY_BYTES = 512;

  static final int MAX_OPERATIONS = 64;

  record SessionId(long high, long low) {
    static SessionId read(XdrReader in) throws XdrException {
      return new SessionId(in.readLong(), in.readLong());
    }

    void write(XdrWriter out) {
      out.writeLong(high).writeLong(low);
    }
  }

  /**
   * What the two sides agreed on for a channel.
   *
   * @param maxRequestBytes of a request, its RPC header included
   * @param maxResponseBytes of a reply likewise
   * @param maxCachedBytes of a reply that is kept
   * @param maxOperations of a compound
   * @param slots requests at a time
   */
  record Channel(
      int maxRequestBytes,
      int maxResponseBytes,
      int maxCachedBytes,
      int maxOperations,
      int slots) {}

  private static final class Slot {
    private int sequence;
    private boolean busy;
    private boolean used;
    private byte @Nullable [] reply;
  }

  private final SessionId id;
  private final Client client;
  private final Channel channel;
  private final ReentrantLock lock = new ReentrantLock();
  private final Slot[] slots; // guarded by lock

  Session(SessionId id, Client client, Channel channel) {
    this.id = id;
    this.client = client;
    this.channel = channel;
    this.slots = new Slot[channel.slots()];
    for (int i = 0; i < slots.length; i++) {
      slots[i] = new Slot();
    }
  }

  SessionId id() {
    return id;
  }

  Client client() {
    return client;
  }

  Channel channel() {
    return channel;
  }

  /**
   * Begins a request in a slot.
   *
   * @return null if it is a new one, after which {@link #end} must follow; else the reply it got
   * @throws Refusal if the number is neither the last nor the next, the first request is still
   *     being served, or its reply was not kept
   */
  byte @Nullable [] begin(int slotNumber, int sequence) throws Refusal {
    lock.lock();
    try {
      if (slotNumber < 0 || slotNumber >= slots.length) {
        throw new Refusal(Status.BADSLOT);
      }
      Slot slot = slots[slotNumber];
      if (sequence == slot.sequence + 1) {
        if (slot.busy) {
          throw new Refusal(Status.DELAY);
        }
        slot.busy = true;
        return null;
      }
      if (slot.busy || sequence != slot.sequence || !slot.used) {
        throw new Refusal(Status.SEQ_MISORDERED);
      }
      if (slot.reply == null) {
        throw new Refusal(Status.RETRY_UNCACHED_REP);
      }
      return slot.reply;
    } finally {
      lock.unlock();
    }
  }

  /** Ends a request that was begun, and keeps its reply. */
  void end(int slotNumber, int sequence, byte @Nullable [] reply) {
    lock.lock();
    try {
      Slot slot = slots[slotNumber];
      slot.busy = false;
      slot.sequence = sequence;
      slot.used = true;
      slot.reply = reply;
    } finally {
      lock.unlock();
    }
  }

  /** Ends a request that was refused before anything of it was done: the number may come again. */
  void giveUp(int slotNumber) {
    lock.lock();
    try {
      slots[slotNumber].busy = false;
    } finally {
      lock.unlock();
    }
  }
}
