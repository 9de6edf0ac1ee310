package onefold.appliance.breaches;

/** Classes that break one rule of the module map each, to show that the rules catch them. */
public final class PlantedBreaches {
  /** Before the package that a planted class pretends to be in. */
  public static final String PREFIX = "onefold.appliance.breaches.";

  private PlantedBreaches() {}
}
