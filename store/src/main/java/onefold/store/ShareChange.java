package onefold.store;

import java.util.List;
import java.util.Optional;

/** One change of a {@link ShareTree}. Nobody changes its arrays afterwards. */
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

  /** Returns what becomes of the entry of this key; empty for none. */
  default Optional<ShareEntry> applied(Optional<ShareEntry> before) {
    return switch (this) {
      case SetValue(byte[] key, byte[] value) ->
          Optional.of(new ShareEntry(key, before.flatMap(ShareEntry::object), value));
      case SetEntry(ShareEntry entry) -> Optional.of(entry);
      case SetObject(byte[] key, ShareObject object) ->
          before.map(entry ->
              entry.object().filter(old -> isNewer(object, old)).isPresent()
                  ? new ShareEntry(key, Optional.of(object), entry.value())
                  : entry);
      case Remove(byte[] _) -> Optional.empty();
    };
  }

  private static boolean isNewer(ShareObject object, ShareObject old) {
    return object.id().equals(old.id()) && object.folded() > old.folded();
  }

  /** Returns the object that the change may bring in. */
  default Optional<ShareObject> newObject() {
    return switch (this) {
      case SetEntry(ShareEntry entry) -> entry.object();
      case SetObject(byte[] _, ShareObject object) -> Optional.of(object);
      case SetValue _, Remove _ -> Optional.empty();
    };
  }

  /** Returns how many bytes of key, value and note the change has. */
  default int bytes() {
    return key().length + valueBytes() + newObject().map(object -> object.note().length).orElse(0);
  }

  private int valueBytes() {
    return switch (this) {
      case SetValue(byte[] _, byte[] value) -> value.length;
      case SetEntry(ShareEntry entry) -> entry.value().length;
      case SetObject _, Remove _ -> 0;
    };
  }

  /**
   * Checks the changes of one call against the bounds of {@link ShareTree}.
   *
   * @throws IllegalArgumentException if there are none, more, or longer ones than may be
   */
  static void check(List<ShareChange> changes) {
    if (changes.isEmpty() || changes.size() > ShareTree.MAX_CHANGES) {
      throw new IllegalArgumentException(
          changes.size() + " changes, must be 1 to " + ShareTree.MAX_CHANGES);
    }
    long bytes = 0;
    for (ShareChange change : changes) {
      int keyBytes = change.key().length;
      if (keyBytes < 1 || keyBytes > ShareTree.MAX_KEY_BYTES) {
        throw new IllegalArgumentException(
            "key of " + keyBytes + " bytes, must be 1 to " + ShareTree.MAX_KEY_BYTES);
      }
      if (change.valueBytes() > ShareTree.MAX_VALUE_BYTES) {
        throw new IllegalArgumentException(
            "value of " + change.valueBytes() + " bytes, at most " + ShareTree.MAX_VALUE_BYTES);
      }
      bytes += change.bytes();
    }
    if (bytes > ShareTree.MAX_CHANGE_BYTES) {
      throw new IllegalArgumentException(
          "changes of " + bytes + " bytes, at most " + ShareTree.MAX_CHANGE_BYTES);
    }
  }
}
