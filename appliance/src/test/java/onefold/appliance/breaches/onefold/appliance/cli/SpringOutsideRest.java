package onefold.appliance.breaches.onefold.appliance.cli;

import org.springframework.boot.SpringApplication;

/** A planted breach; see ModuleMapTest. */
public interface SpringOutsideRest {
  /** What this package must not know. */
  SpringApplication forbidden();
}
