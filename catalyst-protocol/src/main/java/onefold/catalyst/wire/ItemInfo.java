package onefold.catalyst.wire;

import java.util.SortedMap;
import onefold.chunker.ObjectRoot;

/**
 * One version of an item as its users see it.
 *
 * @param name unique in its store
 * @param id of this version; the id of the upload that made it
 * @param version event counter of the catalog
 * @param root of its recipe: equal roots mean equal content
 * @param createdAtMillis store time of the commit
 * @param lockedUntilMillis store time before which nobody can delete or replace it; 0 for not
 *     locked
 * @param held not deletable or replaceable until released
 * @param newBytes raw bytes that its upload added to the domain
 * @param tags in order of key
 */
public record ItemInfo(
    String name,
    WireId id,
    long version,
    ObjectRoot root,
    long createdAtMillis,
    long lockedUntilMillis,
    boolean held,
    long newBytes,
    SortedMap<String, String> tags) {
  /** Returns the item's length. */
  public long lengthBytes() {
    return root.lengthBytes();
  }
}
