package onefold.catalyst.client;

import onefold.chunker.Fingerprint;

/** A node of the recipe on its way to the appliance. Belongs to the negotiation's thread. */
final class PendingNode {
  /** How far it is. */
  enum State {
    /** To be asked about. */
    NEW,
    /** Asked about. */
    ASKED,
    /** The same node is under way already. */
    TWIN,
    /** Not there; to be sent. */
    ABSENT,
    /** Sent; the appliance will say what it lacks below. */
    SENT,
    /** It lacks something; to be settled when that was sent. */
    LACKING,
    /** Settled; the appliance will say whether it lacks something still. */
    SETTLING,
    /** The appliance has it and everything below. */
    KNOWN
  }

  /** Counts the nodes of an upload in the order they were made: children before parents. */
  final long number;

  final int level;
  final byte[] node;
  final Fingerprint fingerprint;
  final int entryCount;

  /** Where in the item it begins; for leaves. */
  final long startBytes;

  /** Made by a look at the unfinished tree; the finished one has another in its place. */
  final boolean provisional;

  State state = State.NEW;

  /** The last block that holds something it lacked. */
  long lastBlock;

  /** How often something it lacked was sent. */
  int attempts;

  PendingNode(
      long number,
      int level,
      byte[] node,
      Fingerprint fingerprint,
      int entryCount,
      long startBytes,
      boolean provisional) {
    this.number = number;
    this.level = level;
    this.node = node;
    this.fingerprint = fingerprint;
    this.entryCount = entryCount;
    this.startBytes = startBytes;
    this.provisional = provisional;
  }

  /**
   * Returns how many have-answers it costs at most: about itself, then about itself and everything
   * below when it is sent, with the chunks, and when it is settled.
   */
  int mostAnswers() {
    return 3 * (entryCount + 1);
  }

  /** Returns its number on the wire. */
  int wireNumber() {
    return (int) number;
  }

  @Override
  public String toString() {
    return "node " + number + " of level " + level + ", " + state;
  }
}
