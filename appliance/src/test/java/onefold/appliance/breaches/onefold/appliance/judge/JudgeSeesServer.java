package onefold.appliance.breaches.onefold.appliance.judge;

import onefold.catalyst.server.CatalystServer;

/** A planted breach; see ModuleMapTest. */
public interface JudgeSeesServer {
  /** What this package must not know. */
  CatalystServer forbidden();
}
