package onefold.catalyst.client;

import java.util.Map;
import java.util.SortedMap;
import onefold.catalyst.wire.CompressionChoice;
import onefold.catalyst.wire.Tags;
import onefold.catalyst.wire.WireId;
import org.jspecify.annotations.Nullable;

/**
 * How an item is to be written; {@link #DEFAULT} changed by the {@code with} methods.
 *
 * @param replace whether an item of this name gives way; else it is refused
 * @param tags of the item
 * @param lockDays to lock it for, at least the store's own; 0 for the store's own
 * @param bandwidth who cuts and hashes
 * @param compression of new blocks
 * @param resume an unfinished upload of this item to go on with, or {@link WireId#NONE}. The caller
 *     writes the item from its first byte; what the appliance has is not sent again
 * @param expectedBytes how long the item will be, or -1; helps {@link Bandwidth#AUTO}
 * @param source for reading again, or null
 * @param progress who is told, or null
 */
public record WriteOptions(
    boolean replace,
    SortedMap<String, String> tags,
    int lockDays,
    Bandwidth bandwidth,
    CompressionChoice compression,
    WireId resume,
    long expectedBytes,
    @Nullable RereadableSource source,
    @Nullable ProgressListener progress) {
  /** A new item, no tags, everything else as the store and the line have it. */
  public static final WriteOptions DEFAULT =
      new WriteOptions(
          false,
          Tags.checked(Map.of()),
          0,
          Bandwidth.AUTO,
          CompressionChoice.STORE_DEFAULT,
          WireId.NONE,
          -1,
          null,
          null);

  public WriteOptions {
    tags = Tags.checked(tags);
    if (lockDays < 0) {
      throw new IllegalArgumentException("lockDays " + lockDays);
    }
  }

  /** Returns options that replace an item of this name, or do not. */
  public WriteOptions withReplace(boolean value) {
    return new WriteOptions(
        value, tags, lockDays, bandwidth, compression, resume, expectedBytes, source, progress);
  }

  /** Returns options with these tags. */
  public WriteOptions withTags(Map<String, String> value) {
    return new WriteOptions(
        replace,
        Tags.checked(value),
        lockDays,
        bandwidth,
        compression,
        resume,
        expectedBytes,
        source,
        progress);
  }

  /** Returns options with a lock. */
  public WriteOptions withLockDays(int value) {
    return new WriteOptions(
        replace, tags, value, bandwidth, compression, resume, expectedBytes, source, progress);
  }

  /** Returns options with this bandwidth. */
  public WriteOptions withBandwidth(Bandwidth value) {
    return new WriteOptions(
        replace, tags, lockDays, value, compression, resume, expectedBytes, source, progress);
  }

  /** Returns options with this compression. */
  public WriteOptions withCompression(CompressionChoice value) {
    return new WriteOptions(
        replace, tags, lockDays, bandwidth, value, resume, expectedBytes, source, progress);
  }

  /** Returns options that go on with an unfinished upload. */
  public WriteOptions withResume(WireId value) {
    return new WriteOptions(
        replace, tags, lockDays, bandwidth, compression, value, expectedBytes, source, progress);
  }

  /** Returns options that say how long the item will be. */
  public WriteOptions withExpectedBytes(long value) {
    return new WriteOptions(
        replace, tags, lockDays, bandwidth, compression, resume, value, source, progress);
  }

  /** Returns options with a source for reading again. */
  public WriteOptions withSource(RereadableSource value) {
    return new WriteOptions(
        replace, tags, lockDays, bandwidth, compression, resume, expectedBytes, value, progress);
  }

  /** Returns options with a listener. */
  public WriteOptions withProgress(ProgressListener value) {
    return new WriteOptions(
        replace, tags, lockDays, bandwidth, compression, resume, expectedBytes, source, value);
  }
}
