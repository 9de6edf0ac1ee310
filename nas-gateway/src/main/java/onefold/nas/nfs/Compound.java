package onefold.nas.nfs;

import onefold.nas.FileSystem;
import org.jspecify.annotations.Nullable;

/** One COMPOUND of NFSv4 while it is being served: what its operations hand on to each other. */
final class Compound {
  private final RpcCall call;
  private final int minor;
  private final int operationCount;
  private int index;
  private @Nullable Node current;
  private @Nullable Node saved;
  private Stateid currentState = Stateid.ANONYMOUS;
  private Stateid savedState = Stateid.ANONYMOUS;
  private @Nullable Session session;
  private @Nullable StateOwner turnOf;
  private int turnNumber;
  private byte @Nullable [] replayed;

  /**
   * A file handle that was put.
   *
   * @param place what it names
   * @param entered the share it is in; null for the directory above the shares
   */
  record Node(FileHandles.Place place, Doors.@Nullable Entered entered) {
    boolean isPseudoRoot() {
      return place.pseudoRoot();
    }

    long fileId() {
      return place.fileId();
    }

    /** The share it is in; refuses what cannot be done above the shares. */
    Doors.Entered share() throws Refusal {
      if (entered == null) {
        throw new Refusal(Status.ROFS);
      }
      return entered;
    }

    FileSystem files() throws Refusal {
      return share().files();
    }

    Node sibling(long fileId) {
      return new Node(new FileHandles.Place(false, place.shareId(), fileId), entered);
    }

    FileKey key() {
      return new FileKey(place.shareId(), place.fileId());
    }
  }

  Compound(RpcCall call, int minor, int operationCount) {
    this.call = call;
    this.minor = minor;
    this.operationCount = operationCount;
  }

  RpcCall call() {
    return call;
  }

  int minor() {
    return minor;
  }

  int operationCount() {
    return operationCount;
  }

  int index() {
    return index;
  }

  void next() {
    index++;
    replayed = null;
  }

  // ---- file handles

  Node current() throws Refusal {
    Node node = current;
    if (node == null) {
      throw new Refusal(Status.NOFILEHANDLE);
    }
    return node;
  }

  @Nullable Node currentOrNull() {
    return current;
  }

  void setCurrent(@Nullable Node node) {
    current = node;
    currentState = Stateid.ANONYMOUS;
  }

  Node saved() throws Refusal {
    Node node = saved;
    if (node == null) {
      throw new Refusal(Status.NOFILEHANDLE);
    }
    return node;
  }

  void save() throws Refusal {
    saved = current();
    savedState = currentState;
  }

  void restore() throws Refusal {
    Node node = saved;
    if (node == null) {
      throw new Refusal(minor == 0 ? Status.RESTOREFH : Status.NOFILEHANDLE);
    }
    current = node;
    currentState = savedState;
  }

  // ---- state

  void setState(Stateid state) {
    currentState = state;
  }

  /** The stateid that is meant: the last one of this compound for the special one. */
  Stateid meant(Stateid given) {
    return minor > 0 && given.equals(Stateid.CURRENT) ? currentState : given;
  }

  /** The stateid that is meant for the saved file. */
  Stateid meantSaved(Stateid given) {
    return minor > 0 && given.equals(Stateid.CURRENT) ? savedState : given;
  }

  @Nullable Session session() {
    return session;
  }

  void setSession(Session of) {
    session = of;
  }

  // ---- numbered requests of 4.0

  /**
   * Takes the turn of an owner; it is held until the operation is over.
   *
   * @return false if the request is a repeated one, and its reply is what it was
   * @throws Refusal {@code BAD_SEQID}
   */
  boolean take(StateOwner owner, int number, int operation) throws Refusal {
    owner.turn.lock();
    boolean kept = false;
    try {
      return switch (owner.check(number, operation)) {
        case NEXT -> {
          turnOf = owner;
          turnNumber = number;
          kept = true;
          yield true;
        }
        case AGAIN -> {
          replayed = owner.lastReply();
          Node node = owner.lastNode();
          if (node != null) {
            current = node;
          }
          yield false;
        }
        case WRONG -> throw new Refusal(Status.BAD_SEQID);
      };
    } finally {
      if (!kept) {
        owner.turn.unlock();
      }
    }
  }

  byte @Nullable [] replayed() {
    return replayed;
  }

  /** Ends the turn that was taken, if one was, and keeps the reply. */
  void endTurn(int operation, int status, XdrWriter out, int from) {
    StateOwner owner = turnOf;
    if (owner == null) {
      return;
    }
    turnOf = null;
    try {
      boolean counts =
          switch (status) {
            case Status.STALE_CLIENTID,
                Status.STALE_STATEID,
                Status.BAD_STATEID,
                Status.BAD_SEQID,
                Status.BADXDR,
                Status.RESOURCE,
                Status.NOFILEHANDLE ->
                false;
            default -> true;
          };
      if (counts) {
        owner.done(turnNumber, operation, out.copy(from), current);
      }
    } finally {
      owner.turn.unlock();
    }
  }
}
