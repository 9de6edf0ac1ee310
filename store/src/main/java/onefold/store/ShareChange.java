package onefold.store;

/** One change of a {@link ShareTree}. */
public sealed interface ShareChange {
  byte[] key();

  /**
   * Sets the value of an entry and leaves its object as it is; makes an entry without object if
   * there is none.
   */
  record SetValue(byte[] key, byte[] value) implements ShareChange {}

  /** Sets a whole entry. */
  record SetEntry(ShareEntry entry) implements ShareChange {
    @Override
    public byte[] key() {
      return entry.key();
    }
  }

  /**
   * Takes a newer state of an entry's object, value untouched; does nothing if the entry is gone,
   * holds another object, or one that is folded as far already.
   */
  record SetObject(byte[] key, ShareObject object) implements ShareChange {}

  /** Removes an entry if it is there. */
  record Remove(byte[] key) implements ShareChange {}
}
