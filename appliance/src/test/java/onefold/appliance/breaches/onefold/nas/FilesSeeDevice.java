package onefold.appliance.breaches.onefold.nas;

import onefold.store.device.Device;

/** A planted breach; see ModuleMapTest. */
public interface FilesSeeDevice {
  /** What this package must not know. */
  Device forbidden();
}
