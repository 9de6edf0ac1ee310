package onefold.store.inspect;

import java.util.List;
import onefold.store.CorruptDataException;
import onefold.store.container.ContainerInfo;

/**
 * What a container holds and who depends on it.
 *
 * @param damages what reading every byte has found
 * @param onlyHere chunks that no other container of the domain holds
 * @param lost of those, what cannot be read
 * @param needing items that need a chunk that is only here, in order of name; empty for the
 *     catalog's
 * @param affected items that need a lost one
 */
public record ContainerReport(
    InspectedDomain domain,
    ContainerInfo info,
    List<CorruptDataException> damages,
    int onlyHere,
    int lost,
    List<ItemName> needing,
    List<ItemName> affected) {
  /** A name that a user types. */
  public record ItemName(String store, String item) {
    @Override
    public String toString() {
      return store + "/" + item;
    }
  }

  public boolean isSound() {
    return damages.isEmpty();
  }
}
