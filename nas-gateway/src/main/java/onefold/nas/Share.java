package onefold.nas;

import onefold.store.Id;

/**
 * A share that is served.
 *
 * @param id never used again
 * @param name its path is a slash and this
 * @param settings as they are now
 * @param files what is in it
 */
public record Share(Id id, String name, ShareSettings settings, FileSystem files) {
  /** Where NFS clients mount it. */
  public String path() {
    return "/" + name;
  }
}
