package onefold.appliance.breaches.onefold.catalyst.client;

import onefold.replication.Figures;

/** A planted breach; see ModuleMapTest. */
public interface ClientSeesReplication {
  /** What this package must not know. */
  Figures forbidden();
}
