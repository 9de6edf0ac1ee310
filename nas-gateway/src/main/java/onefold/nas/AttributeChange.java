package onefold.nas;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which attributes get which value; null for those that stay as they are.
 *
 * @param changeTime for clients of NT; all else sets it to now
 */
public record AttributeChange(
    @Nullable Integer mode,
    @Nullable Long uid,
    @Nullable Long gid,
    @Nullable Long sizeBytes,
    @Nullable TimeChange accessTime,
    @Nullable TimeChange modifyTime,
    @Nullable Instant changeTime,
    @Nullable Instant birthTime,
    @Nullable Integer dosAttributes) {
  /** Changes nothing. */
  public static final AttributeChange NONE =
      new AttributeChange(null, null, null, null, null, null, null, null, null);

  private static final long MAX_ID = 0xffff_ffffL;

  /** Checks the ranges. */
  public AttributeChange {
    if (mode != null && (mode & ~07777) != 0) {
      throw new IllegalArgumentException("mode " + Integer.toOctalString(mode));
    }
    if (uid != null && (uid < 0 || uid > MAX_ID)) {
      throw new IllegalArgumentException("uid " + uid);
    }
    if (gid != null && (gid < 0 || gid > MAX_ID)) {
      throw new IllegalArgumentException("gid " + gid);
    }
    if (sizeBytes != null && sizeBytes < 0) {
      throw new IllegalArgumentException("sizeBytes " + sizeBytes);
    }
  }

  /** With a mode, 0 to 07777. */
  public AttributeChange withMode(int bits) {
    return new AttributeChange(
        bits, uid, gid, sizeBytes, accessTime, modifyTime, changeTime, birthTime, dosAttributes);
  }

  public AttributeChange withUid(long owner) {
    return new AttributeChange(
        mode, owner, gid, sizeBytes, accessTime, modifyTime, changeTime, birthTime, dosAttributes);
  }

  public AttributeChange withGid(long group) {
    return new AttributeChange(
        mode, uid, group, sizeBytes, accessTime, modifyTime, changeTime, birthTime, dosAttributes);
  }

  public AttributeChange withSize(long bytes) {
    return new AttributeChange(
        mode, uid, gid, bytes, accessTime, modifyTime, changeTime, birthTime, dosAttributes);
  }

  public AttributeChange withAccessTime(TimeChange time) {
    return new AttributeChange(
        mode, uid, gid, sizeBytes, time, modifyTime, changeTime, birthTime, dosAttributes);
  }

  public AttributeChange withModifyTime(TimeChange time) {
    return new AttributeChange(
        mode, uid, gid, sizeBytes, accessTime, time, changeTime, birthTime, dosAttributes);
  }

  public AttributeChange withChangeTime(Instant time) {
    return new AttributeChange(
        mode, uid, gid, sizeBytes, accessTime, modifyTime, time, birthTime, dosAttributes);
  }

  public AttributeChange withBirthTime(Instant time) {
    return new AttributeChange(
        mode, uid, gid, sizeBytes, accessTime, modifyTime, changeTime, time, dosAttributes);
  }

  public AttributeChange withDosAttributes(int bits) {
    return new AttributeChange(
        mode, uid, gid, sizeBytes, accessTime, modifyTime, changeTime, birthTime, bits);
  }

  /** The same without size. */
  public AttributeChange withoutSize() {
    return new AttributeChange(
        mode, uid, gid, null, accessTime, modifyTime, changeTime, birthTime, dosAttributes);
  }
}
