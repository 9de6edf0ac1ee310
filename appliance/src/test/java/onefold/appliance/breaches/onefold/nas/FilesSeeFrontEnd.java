package onefold.appliance.breaches.onefold.nas;

import onefold.appliance.breaches.onefold.nas.nfs.NfsSeesSmb;

/** A planted breach; see ModuleMapTest. */
public interface FilesSeeFrontEnd {
  /** What this package must not know. */
  NfsSeesSmb forbidden();
}
