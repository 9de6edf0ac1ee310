package onefold.store.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import onefold.store.CorruptDataException;
import onefold.store.housekeeping.Ground.FinishedCycle;

/** What housekeeping keeps in the catalog: {@code docs/formats/housekeeping-record.md}. */
final class HousekeepingRecords {
  /** The kind of these records. */
  static final String KIND = "housekeeping";

  /** The key of the record with what an operator has set. The other keys are ids of domains. */
  static final String SETTINGS = "settings";

  private static final byte VERSION = 1;
  private static final int CYCLE_BYTES = 1 + 4 * Long.BYTES;
  private static final int SETTINGS_BYTES = 2;
  private static final int PAUSED = 1;
  private static final int NO_RECOMPRESSION = 2;

  private HousekeepingRecords() {}

  /**
   * What an operator has set for all domains.
   *
   * @param paused whether housekeeping waits
   * @param recompression whether cold containers are recompressed by themselves
   */
  record Settings(boolean paused, boolean recompression) {
    static final Settings NONE = new Settings(false, true);
  }

  static byte[] encode(FinishedCycle cycle) {
    return ByteBuffer.allocate(CYCLE_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(VERSION)
        .putLong(cycle.cycle())
        .putLong(cycle.atMillis())
        .putLong(cycle.liveChunkCount())
        .putLong(cycle.backlogBytes())
        .array();
  }

  static FinishedCycle decodeCycle(String key, byte[] value) throws CorruptDataException {
    ByteBuffer from = checked(key, value, CYCLE_BYTES);
    return new FinishedCycle(from.getLong(), from.getLong(), from.getLong(), from.getLong());
  }

  static byte[] encode(Settings settings) {
    int flags =
        (settings.paused() ? PAUSED : 0) | (settings.recompression() ? 0 : NO_RECOMPRESSION);
    return new byte[] {VERSION, (byte) flags};
  }

  static Settings decodeSettings(byte[] value) throws CorruptDataException {
    int flags = checked(SETTINGS, value, SETTINGS_BYTES).get();
    if ((flags & ~(PAUSED | NO_RECOMPRESSION)) != 0) {
      throw corrupt(SETTINGS, "flags that are known", Integer.toBinaryString(flags & 0xff));
    }
    return new Settings((flags & PAUSED) != 0, (flags & NO_RECOMPRESSION) == 0);
  }

  private static ByteBuffer checked(String key, byte[] value, int length)
      throws CorruptDataException {
    if (value.length != length || value[0] != VERSION) {
      throw corrupt(
          key,
          length + " bytes of version " + VERSION,
          value.length + " bytes" + (value.length > 0 ? " of version " + value[0] : ""));
    }
    return ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).position(1);
  }

  private static CorruptDataException corrupt(String key, String expected, String found) {
    return new CorruptDataException("record " + KIND + "/" + key, -1, expected, found);
  }
}
