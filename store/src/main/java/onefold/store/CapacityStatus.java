package onefold.store;

import java.util.OptionalLong;

/**
 * How much room there is, was promised, and is used up in time.
 *
 * @param usedBytes of all files of all domains
 * @param freeBytes of the file system
 * @param reserveBytes of these, kept for deletes and housekeeping
 * @param quotaBytes sum of the stores' quotas
 * @param storesWithoutQuota stores that were promised no bound
 * @param growthBytesPerDay how fast {@code usedBytes} has grown, a day of store time; negative if
 *     it has shrunk, 0 if that is not known yet
 * @param daysUntilFull of store time, at this pace; empty if it does not grow or is not known yet
 */
public record CapacityStatus(
    long usedBytes,
    long freeBytes,
    long reserveBytes,
    long quotaBytes,
    int storesWithoutQuota,
    long growthBytesPerDay,
    OptionalLong daysUntilFull) {
  /** What Onefold can use in all: what it uses, and what is free but for the reserve. */
  public long usableBytes() {
    return usedBytes + Math.max(0, freeBytes - reserveBytes);
  }

  /** How many times over the room was promised: logical quotas by usable bytes; 0 for nothing. */
  public double overCommit() {
    return usableBytes() == 0 ? 0 : (double) quotaBytes / usableBytes();
  }
}
