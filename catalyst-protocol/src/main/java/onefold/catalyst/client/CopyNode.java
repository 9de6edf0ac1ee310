package onefold.catalyst.client;

import java.util.SortedMap;
import java.util.TreeMap;
import onefold.catalyst.wire.Bits;
import onefold.chunker.Fingerprint;
import org.jspecify.annotations.Nullable;

/** A node of the recipe that the peer lacks, or may lack. Belongs to the copy's thread. */
final class CopyNode {
  /** How far it is. */
  enum State {
    /** To be sent. */
    WANTED,
    /** Sent; the peer will say what it lacks below. */
    SENT,
    /** It lacks something; to be settled when that was sent. */
    LACKING,
    /** Settled; the peer will say whether it lacks something still. */
    SETTLING,
    /** The peer has it and everything below. */
    KNOWN
  }

  final int number;
  final int level;
  final Fingerprint fingerprint;

  /** Where in the object it begins. */
  final long startBytes;

  final long lengthBytes;

  State state = State.WANTED;

  /** Its bytes while the peer lacks something below it, else empty. */
  byte[] bytes = {};

  int entryCount;

  /** What the peer said it lacks; null before it did. */
  @Nullable Bits lacking;

  /** The nodes below it that the peer lacked, by entry. */
  final SortedMap<Integer, CopyNode> children = new TreeMap<>();

  /** The node with the same bytes that was under way before it, and stands for it. */
  @Nullable CopyNode twinOf;

  /** Whether its lacking chunks were put into blocks. */
  boolean gathered;

  /** The last packed block that holds some of them. */
  long packedNumber;

  /** How often something it lacked was sent. */
  int attempts;

  CopyNode(int number, int level, Fingerprint fingerprint, long startBytes, long lengthBytes) {
    this.number = number;
    this.level = level;
    this.fingerprint = fingerprint;
    this.startBytes = startBytes;
    this.lengthBytes = lengthBytes;
  }

  /** Returns how far it is, or whoever stands for it. */
  State progress() {
    CopyNode first = twinOf;
    return first == null ? state : first.state;
  }

  @Override
  public String toString() {
    return "node " + number + " of level " + level + " at " + startBytes + ", " + state;
  }
}
