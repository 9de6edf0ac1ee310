package onefold.appliance.configuration;

import java.io.IOException;

/**
 * The configuration says something that cannot be; the message names file, line, value and what
 * would be right.
 */
public final class ConfigurationException extends IOException {
  private static final long serialVersionUID = 1L;

  public ConfigurationException(String message) {
    super(message);
  }

  public ConfigurationException(String message, Throwable cause) {
    super(message, cause);
  }
}
