package onefold.appliance.breaches.onefold.catalyst.client;

import onefold.store.Id;

/** A planted breach; see ModuleMapTest. */
public interface ClientSeesStore {
  /** What this package must not know. */
  Id forbidden();
}
