package onefold.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;

/**
 * The content of a file as an entry of a {@link ShareTree} holds it: a recipe, and how many of the
 * object's changes are in it.
 *
 * @param id never reused; an entry whose object has another id holds other content. Copies of a
 *     share hold the same ids: share and id together say which content is meant
 * @param root of what is folded; one of length 0 is never read and refers to no node, so none need
 *     be stored
 * @param folded number of the last change that {@code root} holds, 0 for none; changes of an object
 *     count from 1
 * @param dataBytes bytes of {@code root} that are neither hole nor reserved
 * @param note opaque to the store, at most {@link #MAX_NOTE_BYTES}; nobody changes the array
 */
public record ShareObject(Id id, ObjectRoot root, long folded, long dataBytes, byte[] note) {
  /** Most bytes of a note. */
  public static final int MAX_NOTE_BYTES = 256;

  public ShareObject {
    if (folded < 0) {
      throw new IllegalArgumentException("folded " + folded);
    }
    if (dataBytes < 0) {
      throw new IllegalArgumentException("dataBytes " + dataBytes);
    }
    if (note.length > MAX_NOTE_BYTES) {
      throw new IllegalArgumentException(
          "note of " + note.length + " bytes, at most " + MAX_NOTE_BYTES);
    }
  }

  /** A new object without content. Its root is that of no bytes, which nobody stores. */
  public static ShareObject empty(Id id, ParameterSet set) {
    try {
      ObjectRoot root = new RecipeBuilder(set, (level, node, length, fingerprint) -> {}).finish();
      return new ShareObject(id, root, 0, 0, new byte[0]);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // The sink does nothing.
    }
  }
}
