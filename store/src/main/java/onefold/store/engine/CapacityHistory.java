package onefold.store.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import onefold.store.CorruptDataException;

/**
 * How much was used at times, at most {@link #MAX_SAMPLES} of them; the oldest are forgotten first.
 * Kept as one record of the catalog, as docs/formats/capacity-history.md says. Immutable.
 */
record CapacityHistory(List<Sample> samples) {
  /** Kind and key of the record. */
  static final String KIND = "capacity";

  static final String KEY = "history";

  /** About a month, a sample every six hours. */
  static final int MAX_SAMPLES = 128;

  static final long INTERVAL_MILLIS = 6 * 3_600_000L;

  /** Nothing is said about growth before so much time is known. */
  static final long LEAST_SPAN_MILLIS = 86_400_000;

  static final CapacityHistory EMPTY = new CapacityHistory(List.of());

  private static final int VERSION = 1;
  private static final int HEAD_BYTES = 8;
  private static final int SAMPLE_BYTES = 16;

  /** What was used at a store time. */
  record Sample(long storeTimeMillis, long usedBytes) {}

  CapacityHistory {
    samples = List.copyOf(samples);
  }

  /** Tells whether a sample is due. */
  boolean isDue(long storeTimeMillis) {
    return samples.isEmpty()
        || storeTimeMillis - samples.getLast().storeTimeMillis() >= INTERVAL_MILLIS;
  }

  CapacityHistory with(long storeTimeMillis, long usedBytes) {
    List<Sample> more = new ArrayList<>(samples);
    more.add(new Sample(storeTimeMillis, usedBytes));
    return new CapacityHistory(more.subList(Math.max(0, more.size() - MAX_SAMPLES), more.size()));
  }

  /** Bytes a day by least squares over all samples; empty before a day of them is known. */
  OptionalLong growthBytesPerDay() {
    if (samples.size() < 2
        || samples.getLast().storeTimeMillis() - samples.getFirst().storeTimeMillis()
            < LEAST_SPAN_MILLIS) {
      return OptionalLong.empty();
    }
    double meanDay = samples.stream().mapToDouble(CapacityHistory::day).average().orElse(0);
    double meanUsed = samples.stream().mapToLong(Sample::usedBytes).average().orElse(0);
    double together = 0;
    double square = 0;
    for (Sample sample : samples) {
      double fromMean = day(sample) - meanDay;
      together += fromMean * (sample.usedBytes() - meanUsed);
      square += fromMean * fromMean;
    }
    return OptionalLong.of(Math.round(together / square));
  }

  private static double day(Sample sample) {
    return sample.storeTimeMillis() / 86_400_000.0;
  }

  byte[] encode() {
    ByteBuffer out =
        ByteBuffer.allocate(HEAD_BYTES + SAMPLE_BYTES * samples.size())
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(VERSION)
            .putInt(samples.size());
    for (Sample sample : samples) {
      out.putLong(sample.storeTimeMillis()).putLong(sample.usedBytes());
    }
    return out.array();
  }

  /**
   * Reads a history back.
   *
   * @throws CorruptDataException if the bytes are none, or of a newer release
   */
  static CapacityHistory decode(byte[] bytes) throws CorruptDataException {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int version = bytes.length < HEAD_BYTES ? -1 : in.getInt();
    int count = bytes.length < HEAD_BYTES ? -1 : in.getInt();
    if (version != VERSION
        || count < 0
        || count > MAX_SAMPLES
        || bytes.length != HEAD_BYTES + SAMPLE_BYTES * count) {
      throw new CorruptDataException(
          "capacity history",
          0,
          "version " + VERSION + " and at most " + MAX_SAMPLES + " samples",
          "version " + version + ", " + count + " samples in " + bytes.length + " bytes");
    }
    List<Sample> samples = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      samples.add(new Sample(in.getLong(), in.getLong()));
    }
    return new CapacityHistory(samples);
  }
}
