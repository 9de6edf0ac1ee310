package onefold.appliance.cli;

import java.time.InstantSource;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.function.LongSupplier;
import onefold.appliance.context.Contexts;

/**
 * What a verb sees of the world.
 *
 * @param terminal where it reads and writes
 * @param contexts where contexts are looked for
 * @param clock the machine's
 * @param nanoTime for rates
 */
public record Environment(
    Terminal terminal, Contexts contexts, InstantSource clock, LongSupplier nanoTime) {
  /** The process's own. */
  static Environment ofProcess() {
    return new Environment(
        Terminal.ofProcess(), Contexts.ofProcess(), InstantSource.system(), System::nanoTime);
  }

  ZonedDateTime now() {
    return ZonedDateTime.ofInstant(clock.instant(), ZoneId.systemDefault());
  }
}
