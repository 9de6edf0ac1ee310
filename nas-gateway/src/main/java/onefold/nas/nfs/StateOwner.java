package onefold.nas.nfs;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Who opens or locks at a client: one process, say. In version 4.0 its requests are numbered and
 * come one after the other, and the last one may be repeated (RFC 7530, 9.1.7); then {@link #turn}
 * is held during a request.
 */
abstract sealed class StateOwner permits OpenOwner, LockOwner {
  private final Client client;
  private final Bytes name;

  final ReentrantLock turn = new ReentrantLock();
  private int sequence; // guarded by turn
  private boolean numbered; // guarded by turn
  private int lastOperation; // guarded by turn
  private byte @Nullable [] lastReply; // guarded by turn
  private Compound.@Nullable Node lastNode; // guarded by turn

  StateOwner(Client client, Bytes name) {
    this.client = client;
    this.name = name;
  }

  Client client() {
    return client;
  }

  Bytes name() {
    return name;
  }

  /** What a number means. */
  enum Turn {
    NEXT,
    AGAIN,
    WRONG
  }

  /** Says what a request with this number is. */
  Turn check(int number, int operation) {
    if (!numbered || number == sequence + 1) {
      return Turn.NEXT;
    }
    return number == sequence && lastReply != null && lastOperation == operation
        ? Turn.AGAIN
        : Turn.WRONG;
  }

  boolean isNumbered() {
    return numbered;
  }

  /** The next request may have any number. */
  void startAnew() {
    numbered = false;
    lastReply = null;
  }

  void number(int number) {
    sequence = number;
    numbered = true;
  }

  void done(int number, int operation, byte[] reply, Compound.@Nullable Node node) {
    sequence = number;
    numbered = true;
    lastOperation = operation;
    lastReply = reply;
    lastNode = node;
  }

  byte[] lastReply() {
    byte[] reply = lastReply;
    if (reply == null) {
      throw new IllegalStateException("nothing was answered yet");
    }
    return reply;
  }

  Compound.@Nullable Node lastNode() {
    return lastNode;
  }
}
