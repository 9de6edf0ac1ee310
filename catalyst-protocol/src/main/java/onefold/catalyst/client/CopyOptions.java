package onefold.catalyst.client;

import java.util.Map;
import java.util.SortedMap;
import onefold.catalyst.wire.Tags;
import onefold.catalyst.wire.WireId;

/**
 * How an item is to be copied; {@link #DEFAULT} changed by the {@code with} methods.
 *
 * @param replace whether an item of this name gives way; else it is refused
 * @param tags of the copy
 * @param lockDays to lock it for, at least the store's own; 0 for the store's own
 * @param resume an unfinished copy of this item to go on with, or {@link WireId#NONE}
 * @param pace is told before bytes are sent and waits as long as they must
 */
public record CopyOptions(
    boolean replace, SortedMap<String, String> tags, int lockDays, WireId resume, Pace pace) {
  /** Holds a sender to a bandwidth. */
  @FunctionalInterface
  public interface Pace {
    /** Waits until so many bytes more may be sent. */
    void before(int bytes) throws InterruptedException;
  }

  /** A new item without tags, locked as its store has it, as quick as the line is. */
  public static final CopyOptions DEFAULT =
      new CopyOptions(false, Tags.checked(Map.of()), 0, WireId.NONE, bytes -> {});

  public CopyOptions {
    tags = Tags.checked(tags);
    if (lockDays < 0) {
      throw new IllegalArgumentException("lockDays " + lockDays);
    }
  }

  /** Returns options that replace an item of this name, or do not. */
  public CopyOptions withReplace(boolean value) {
    return new CopyOptions(value, tags, lockDays, resume, pace);
  }

  /** Returns options with these tags. */
  public CopyOptions withTags(Map<String, String> value) {
    return new CopyOptions(replace, Tags.checked(value), lockDays, resume, pace);
  }

  /** Returns options with a lock. */
  public CopyOptions withLockDays(int value) {
    return new CopyOptions(replace, tags, value, resume, pace);
  }

  /** Returns options that go on with an unfinished copy. */
  public CopyOptions withResume(WireId value) {
    return new CopyOptions(replace, tags, lockDays, value, pace);
  }

  /** Returns options with a pace. */
  public CopyOptions withPace(Pace value) {
    return new CopyOptions(replace, tags, lockDays, resume, value);
  }
}
