package onefold.replication;

import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.store.Id;

/**
 * What stands in a copy to say where it comes from: the tag {@value #KEY} with the ids of the
 * mapping and of the version of the item that it is a copy of. By it a mapping knows its own copies
 * on the peer, and never replaces what somebody else has written there.
 *
 * @param mapping that made the copy
 * @param item the version of the item
 */
record CopyTag(Id mapping, Id item) {
  static final String KEY = "onefold.copy";

  /** Reads the tag of an item; empty if it is no copy. */
  static Optional<CopyTag> of(Map<String, String> tags) {
    String value = tags.get(KEY);
    if (value == null || !value.matches("[0-9a-f]{32}/[0-9a-f]{32}")) {
      return Optional.empty();
    }
    return Optional.of(
        new CopyTag(Id.ofHex(value.substring(0, 32)), Id.ofHex(value.substring(33))));
  }

  /** Returns an item's tags without this one. */
  static SortedMap<String, String> without(Map<String, String> tags) {
    var others = new TreeMap<>(tags);
    others.remove(KEY);
    return others;
  }

  /** Returns an item's tags with this one in place of another. */
  SortedMap<String, String> with(Map<String, String> tags) {
    SortedMap<String, String> all = without(tags);
    all.put(KEY, mapping + "/" + item);
    return all;
  }
}
