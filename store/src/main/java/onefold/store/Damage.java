package onefold.store;

import java.util.List;
import onefold.chunker.ChunkKind;

/**
 * A damaged container that could not be repaired yet.
 *
 * @param containerNumber which
 * @param kind of its chunks
 * @param file where it lies in the data directory
 * @param offsetBytes of the first thing that is wrong in it, or -1
 * @param what was expected and found there
 * @param foundAtMillis store time
 * @param chunkCount chunks of it that have no sound copy anywhere
 * @param chunksUnknown whether it has lost chunks of which nothing says which they were
 * @param first whether somebody has put it first
 * @param mapped whether {@code items} is what needs it now
 * @param itemCount how many items need it
 * @param items the first {@value #MAX_ITEMS} of them, locked ones first, then the newest
 */
public record Damage(
    long containerNumber,
    ChunkKind kind,
    String file,
    long offsetBytes,
    String what,
    long foundAtMillis,
    int chunkCount,
    boolean chunksUnknown,
    boolean first,
    boolean mapped,
    int itemCount,
    List<Item> items) {
  /** Items of one damage that are kept. */
  public static final int MAX_ITEMS = 100;

  /** Ranges of one item that are kept. */
  public static final int MAX_RANGES = 100;

  /** Takes copies. */
  public Damage {
    items = List.copyOf(items);
  }

  /**
   * An item that cannot be read whole.
   *
   * @param storeId of its store
   * @param name of the item
   * @param createdAtMillis store time
   * @param kept whether it is locked or held
   * @param ranges what of it cannot be read, the first {@value Damage#MAX_RANGES}, in order
   */
  public record Item(
      Id storeId, String name, long createdAtMillis, boolean kept, List<Range> ranges) {
    /** Takes a copy. */
    public Item {
      ranges = List.copyOf(ranges);
    }
  }

  /**
   * Bytes of an item.
   *
   * @param offsetBytes where they begin
   * @param lengthBytes how many
   */
  public record Range(long offsetBytes, long lengthBytes) {}
}
