package onefold.appliance;

/** The release that runs. */
public final class Version {
  private Version() {}

  /**
   * Returns its number, from the manifest of the jar; {@code development} when run from classes.
   */
  public static String current() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
