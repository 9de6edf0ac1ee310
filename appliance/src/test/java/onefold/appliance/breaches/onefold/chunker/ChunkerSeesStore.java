package onefold.appliance.breaches.onefold.chunker;

import onefold.store.Id;

/** A planted breach; see ModuleMapTest. */
public interface ChunkerSeesStore {
  /** What this package must not know. */
  Id forbidden();
}
