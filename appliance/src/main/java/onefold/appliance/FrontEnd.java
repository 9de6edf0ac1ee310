package onefold.appliance;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** A door of the appliance. */
public enum FrontEnd {
  /** Backup clients, TLS. */
  CATALYST(9387),
  /** REST, health, metrics and the program itself, HTTPS. */
  HTTPS(8443),
  /** Clients that mount shares: NFS versions 3, 4.0, 4.1 and 4.2, and MOUNT, TCP. */
  NFS(2049);

  private final int defaultPort;

  FrontEnd(int defaultPort) {
    this.defaultPort = defaultPort;
  }

  public int defaultPort() {
    return defaultPort;
  }

  /** Returns its name in options, configuration, {@code ports.json} and contexts. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns the names of all, for a message. */
  public static String labels() {
    return Arrays.stream(values()).map(FrontEnd::label).collect(Collectors.joining(", "));
  }

  /**
   * Returns the front-end of this name.
   *
   * @throws IllegalArgumentException if there is none; the message names those that are
   */
  public static FrontEnd ofLabel(String label) {
    for (FrontEnd frontEnd : values()) {
      if (frontEnd.label().equals(label)) {
        return frontEnd;
      }
    }
    throw new IllegalArgumentException(
        "front-end '" + label + "' does not exist; there are " + labels());
  }
}
