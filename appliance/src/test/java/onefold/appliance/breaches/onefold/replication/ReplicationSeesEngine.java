package onefold.appliance.breaches.onefold.replication;

import onefold.store.engine.EngineSettings;

/** A planted breach; see ModuleMapTest. */
public interface ReplicationSeesEngine {
  /** What this package must not know. */
  EngineSettings forbidden();
}
