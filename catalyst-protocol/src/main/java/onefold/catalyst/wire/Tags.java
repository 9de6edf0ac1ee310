package onefold.catalyst.wire;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** What may be a tag of an item: bounds that keep every item well below a frame. */
public final class Tags {
  /** Most tags of an item. */
  public static final int MAX_COUNT = 64;

  /** Most bytes of a key. */
  public static final int MAX_KEY_BYTES = 128;

  /** Most bytes of a value. */
  public static final int MAX_VALUE_BYTES = 1024;

  /** Most bytes of all keys and values of an item together. */
  public static final int MAX_TOTAL_BYTES = 4096;

  private Tags() {}

  /**
   * Returns an unmodifiable copy in order of key.
   *
   * @throws IllegalArgumentException if there are too many, or one is too long or has an empty key
   */
  public static SortedMap<String, String> checked(Map<String, String> tags) {
    if (tags.size() > MAX_COUNT) {
      throw new IllegalArgumentException(tags.size() + " tags, at most " + MAX_COUNT);
    }
    long totalBytes = 0;
    for (Map.Entry<String, String> tag : tags.entrySet()) {
      int keyBytes = tag.getKey().getBytes(StandardCharsets.UTF_8).length;
      int valueBytes = tag.getValue().getBytes(StandardCharsets.UTF_8).length;
      if (keyBytes == 0 || keyBytes > MAX_KEY_BYTES) {
        throw new IllegalArgumentException(
            "tag key of " + keyBytes + " bytes, must be 1 to " + MAX_KEY_BYTES);
      }
      if (valueBytes > MAX_VALUE_BYTES) {
        throw new IllegalArgumentException(
            "value of tag '" + tag.getKey() + "' has " + valueBytes + " bytes, at most 1024");
      }
      totalBytes += keyBytes + valueBytes;
    }
    if (totalBytes > MAX_TOTAL_BYTES) {
      throw new IllegalArgumentException(
          "tags of " + totalBytes + " bytes together, at most " + MAX_TOTAL_BYTES);
    }
    return Collections.unmodifiableSortedMap(new TreeMap<>(tags));
  }
}
