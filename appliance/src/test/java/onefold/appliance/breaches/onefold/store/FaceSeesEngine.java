package onefold.appliance.breaches.onefold.store;

import onefold.store.engine.EngineSettings;

/** A planted breach; see ModuleMapTest. */
public interface FaceSeesEngine {
  /** What this package must not know. */
  EngineSettings forbidden();
}
