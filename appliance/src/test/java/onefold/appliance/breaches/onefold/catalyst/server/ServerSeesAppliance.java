package onefold.appliance.breaches.onefold.catalyst.server;

import onefold.appliance.context.Context;

/** A planted breach; see ModuleMapTest. */
public interface ServerSeesAppliance {
  /** What this package must not know. */
  Context forbidden();
}
