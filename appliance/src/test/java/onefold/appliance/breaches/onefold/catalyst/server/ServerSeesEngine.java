package onefold.appliance.breaches.onefold.catalyst.server;

import onefold.store.engine.EngineSettings;

/** A planted breach; see ModuleMapTest. */
public interface ServerSeesEngine {
  /** What this package must not know. */
  EngineSettings forbidden();
}
