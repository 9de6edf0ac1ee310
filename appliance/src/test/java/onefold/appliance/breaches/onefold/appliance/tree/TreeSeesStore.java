package onefold.appliance.breaches.onefold.appliance.tree;

import onefold.store.Id;

/** A planted breach; see ModuleMapTest. */
public interface TreeSeesStore {
  /** What this package must not know. */
  Id forbidden();
}
