package onefold.store.index;

/** Takes the entries that a look-up meets. */
interface EntrySink {
  /** Takes an entry that has the fingerprint and kind of the look-up's row. */
  void found(int row, long container, long location);
}
