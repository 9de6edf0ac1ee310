package onefold.store.scrub;

import java.io.IOException;
import onefold.store.container.ReadPace;

/** Something that what is damaged can be made good from. */
public interface RepairSource {
  /** Names it. */
  String name();

  /**
   * Tries to make a damaged container good: either the container itself, or by storing sound copies
   * of its chunks that are in quarantine, as far as it has them.
   *
   * @param pace of what is read for it
   * @return whether the container itself is whole again
   * @throws onefold.store.CorruptDataException if this source cannot
   * @throws onefold.store.StoreFullException if there is no space for it
   */
  boolean repair(long containerNumber, ReadPace pace) throws IOException;
}
