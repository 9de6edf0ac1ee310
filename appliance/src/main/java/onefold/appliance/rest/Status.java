package onefold.appliance.rest;

import java.util.Optional;
import onefold.appliance.MemoryAccountant;
import onefold.appliance.json.JsonObject;

/** What the appliance says about itself. */
public interface Status {
  /** Returns version, start, front-ends with their addresses, memory. */
  JsonObject describe();

  /** Returns who has how much of the memory. */
  MemoryAccountant memory();

  /** Returns why the appliance is not well; empty when all is well. */
  Optional<String> problem();
}
