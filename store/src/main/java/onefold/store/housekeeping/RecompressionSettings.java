package onefold.store.housekeeping;

import java.time.Duration;

/**
 * When and how strongly cold containers are written anew.
 *
 * @param zstdLevel of the new blocks, 1 to 22
 * @param cold for how long nobody has read a container, of the running time
 * @param idle for how long nothing has moved in the foreground before it begins or goes on
 */
public record RecompressionSettings(int zstdLevel, Duration cold, Duration idle) {
  /** An hour cold, a minute idle. */
  public static final RecompressionSettings DEFAULT =
      new RecompressionSettings(15, Duration.ofHours(1), Duration.ofMinutes(1));

  /** Checks the bounds. */
  public RecompressionSettings {
    if (zstdLevel < 1 || zstdLevel > 22) {
      throw new IllegalArgumentException("zstdLevel " + zstdLevel + ", must be 1 to 22");
    }
    if (cold.isNegative() || idle.isNegative()) {
      throw new IllegalArgumentException("cold " + cold + ", idle " + idle);
    }
  }
}
