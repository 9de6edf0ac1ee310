package onefold.appliance.breaches.onefold.nas;

import onefold.store.engine.EngineSettings;

/** A planted breach; see ModuleMapTest. */
public interface FilesSeeEngine {
  /** What this package must not know. */
  EngineSettings forbidden();
}
