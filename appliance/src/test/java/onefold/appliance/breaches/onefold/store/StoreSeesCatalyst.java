package onefold.appliance.breaches.onefold.store;

import onefold.catalyst.wire.WireId;

/** A planted breach; see ModuleMapTest. */
public interface StoreSeesCatalyst {
  /** What this package must not know. */
  WireId forbidden();
}
