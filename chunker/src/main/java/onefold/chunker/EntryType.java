package onefold.chunker;

/** What an entry of a recipe node stands for. */
public enum EntryType {
  /** A child node and the bytes that it covers; the only type in inner nodes. */
  CHILD(0),
  /** A whole chunk. */
  CHUNK(1),
  /** A part of a chunk. */
  SLICE(2),
  /** Zeros that nobody wrote. */
  HOLE(3),
  /** Preallocated space that reads as zeros. */
  RESERVED(4);

  private final int code;

  EntryType(int code) {
    this.code = code;
  }

  /** Returns the number that stands for the type in a node; 5 (delta) and 6 (external) are kept. */
  int code() {
    return code;
  }
}
