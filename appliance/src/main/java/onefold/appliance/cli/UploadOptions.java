package onefold.appliance.cli;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import onefold.catalyst.client.Bandwidth;
import onefold.catalyst.client.WriteOptions;
import onefold.catalyst.wire.CompressionChoice;
import picocli.CommandLine.Option;

/** The options that every verb has which writes an item. */
final class UploadOptions {
  @Option(names = "--replace", description = "Take the place of an item of this name, in one step.")
  private boolean replace;

  @Option(names = "--tag", paramLabel = "K=V", description = "A tag of the item; may be repeated.")
  private Map<String, String> tags = new LinkedHashMap<>();

  @Option(names = "--lock", paramLabel = "DAYS", description = "Lock the item for so many days.")
  private int lockDays;

  @Option(
      names = "--bandwidth",
      paramLabel = "B",
      description =
          "low: this machine cuts, hashes and compresses; high: the appliance does; auto chooses.")
  private String bandwidth = "auto";

  @Option(
      names = "--compression",
      paramLabel = "C",
      description = "lz4, zstd or none; the store's own when not said.")
  private String compression = "";

  /** Returns the options for the client. */
  WriteOptions toWriteOptions() throws Failure {
    if (lockDays < 0) {
      throw Failure.misused("--lock " + lockDays + " is less than 0 days");
    }
    Bandwidth chosen =
        switch (bandwidth.toLowerCase(Locale.ROOT)) {
          case "auto" -> Bandwidth.AUTO;
          case "low" -> Bandwidth.LOW;
          case "high" -> Bandwidth.HIGH;
          default ->
              throw Failure.misused(
                  "bandwidth '" + bandwidth + "' does not exist; there are auto, low and high");
        };
    CompressionChoice codec =
        switch (compression.toLowerCase(Locale.ROOT)) {
          case "" -> CompressionChoice.STORE_DEFAULT;
          case "lz4" -> CompressionChoice.LZ4;
          case "zstd" -> CompressionChoice.ZSTD;
          case "none" -> CompressionChoice.NONE;
          default ->
              throw Failure.misused(
                  "compression '" + compression + "' does not exist; there are lz4, zstd and none");
        };
    try {
      return WriteOptions.DEFAULT
          .withReplace(replace)
          .withTags(new TreeMap<>(tags))
          .withLockDays(lockDays)
          .withBandwidth(chosen)
          .withCompression(codec);
    } catch (IllegalArgumentException e) {
      throw Failure.misused(String.valueOf(e.getMessage()));
    }
  }
}
