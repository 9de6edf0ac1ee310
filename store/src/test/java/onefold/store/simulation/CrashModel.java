package onefold.store.simulation;

/**
 * Which of the changes that were not forced a power loss leaves. All of them are states that POSIX
 * allows.
 */
public enum CrashModel {
  /** None. */
  LOSE_ALL,
  /** All: the process was killed, the power stayed. */
  KEEP_ALL,
  /** The first ones in the order they were made; the next one is torn. */
  ORDERED_PREFIX,
  /**
   * Like ext4 with delayed allocation: names in order up to some point, which every force moves; of
   * each file a beginning of what was appended; overwritten pages in any combination.
   */
  EXT4_LIKE,
  /** Each change by itself is kept whole or lost. */
  ANY_SUBSET,
  /** Each sector of 512 bytes by itself is kept or lost, each size and name too. */
  TORN_SECTORS,
  /** As {@link #TORN_SECTORS}, and each write may also end in the middle of a sector. */
  TORN_BYTES,
  /** All sizes and names are kept, the data is not: zeros. */
  SIZES_WITHOUT_DATA,
  /** As {@link #SIZES_WITHOUT_DATA}, but what was never written holds old bytes of other files. */
  SIZES_WITH_GARBAGE,
  /** All names are kept, nothing of the contents. */
  NAMES_WITHOUT_CONTENT,
  /** All contents are kept, no name is. */
  CONTENT_WITHOUT_NAMES
}
