package onefold.appliance.breaches.onefold.nas.nfs;

import onefold.appliance.breaches.onefold.nas.smb.PlantedSmb;

/** A planted breach; see ModuleMapTest. */
public interface NfsSeesSmb {
  /** What this package must not know. */
  PlantedSmb forbidden();
}
