package onefold.nas;

import java.time.Instant;
import java.util.Objects;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a share that keeps its files lets be done to them. A file is committed when its mode loses
 * the last right to write, or after a time without changes; from then on it stays as it is, and its
 * name too, until the store's time has reached its access time. Then it can be removed, and still
 * not be changed. The time can be made later, never earlier.
 *
 * <p>The clock is the store's, which nobody sets: it may be late, never early.
 */
final class Retention {
  private static final int WRITE_BITS = 0222;
  private static final int DOS_READ_ONLY = 1;

  private final Supplier<ShareSettings> settings;
  private final LongSupplier storeMillis;

  Retention(Supplier<ShareSettings> settings, LongSupplier storeMillis) {
    this.settings = settings;
    this.storeMillis = storeMillis;
  }

  boolean on() {
    return settings.get().worm().on();
  }

  long nowMillis() {
    return storeMillis.getAsLong();
  }

  private Instant now() {
    return Instant.ofEpochMilli(nowMillis());
  }

  /** Checks that a file may be changed, or its name; {@code RETAINED}. */
  void checkChange(Inode inode) throws FileException {
    if (inode.committed()) {
      throw new FileException(
          FileError.RETAINED,
          "file " + inode.fileId() + " is kept as it is until " + inode.accessTime());
    }
  }

  /** Checks that a name of a file may be removed; {@code RETAINED}. */
  void checkRemove(Inode inode) throws FileException {
    if (isRetained(inode)) {
      throw new FileException(
          FileError.RETAINED,
          "file "
              + inode.fileId()
              + " is kept until "
              + inode.accessTime()
              + "; it is "
              + now()
              + " by the store's time");
    }
  }

  boolean isRetained(Inode inode) {
    return inode.committed() && inode.accessTime().isAfter(now());
  }

  /**
   * Whether a change of attributes commits a file: one that takes the rights to write, or sets NT's
   * read-only. An empty file is not committed so: clients make files read-only before they write.
   */
  boolean commits(Inode inode, long lengthBytes, AttributeChange change) {
    Integer mode = change.mode();
    Integer dosAttributes = change.dosAttributes();
    boolean readOnly =
        (mode != null && (mode & WRITE_BITS) == 0)
            || (dosAttributes != null && (dosAttributes & DOS_READ_ONLY) != 0);
    return on()
        && readOnly
        && inode.isRegular()
        && !inode.committed()
        && inode.linkCount() > 0
        && lengthBytes > 0;
  }

  /**
   * Commits a file: until its access time if somebody has set one that is to come, else for the
   * default time.
   *
   * @param wallTime by which clients say what is to come; the store's may be behind
   */
  void commit(Inode.Edit edit, Instant wallTime) {
    Instant wanted = edit.accessTime;
    boolean said = !wanted.equals(edit.birthTime);
    if (!said || !wanted.isAfter(now()) || !wanted.isAfter(wallTime)) {
      wanted = now().plusSeconds(settings.get().worm().defaultSeconds());
    }
    edit.accessTime = bounded(wanted);
    edit.mode &= ~WRITE_BITS;
    edit.committed = true;
  }

  private Instant bounded(Instant wanted) {
    Worm worm = settings.get().worm();
    Instant least = now().plusSeconds(worm.leastSeconds());
    Instant most = now().plusSeconds(worm.mostSeconds());
    return wanted.isBefore(least) ? least : wanted.isAfter(most) ? most : wanted;
  }

  /**
   * Reduces a change of a committed file to what it may have: a later access time.
   *
   * @throws FileException {@code RETAINED} if it would change anything else
   */
  AttributeChange onlyLater(Inode inode, AttributeChange change) throws FileException {
    boolean same =
        change.sizeBytes() == null
            && isSame(change.mode(), inode.mode())
            && isSame(change.uid(), inode.uid())
            && isSame(change.gid(), inode.gid())
            && isSame(change.dosAttributes(), inode.dosAttributes())
            && isSame(change.birthTime(), inode.birthTime())
            && isSame(change.modifyTime(), new TimeChange.At(inode.modifyTime()))
            && change.changeTime() == null;
    if (!same) {
      checkChange(inode);
    }
    return switch (change.accessTime()) {
      case null -> AttributeChange.NONE;
      case TimeChange.Now _ -> {
        checkChange(inode);
        yield AttributeChange.NONE;
      }
      case TimeChange.At(Instant time) -> {
        if (time.isBefore(inode.accessTime())) {
          checkChange(inode);
        }
        Instant later = bounded(time);
        yield later.isAfter(inode.accessTime())
            ? AttributeChange.NONE.withAccessTime(new TimeChange.At(later))
            : AttributeChange.NONE;
      }
    };
  }

  private static boolean isSame(@Nullable Object wanted, Object now) {
    return wanted == null || Objects.equals(wanted, now);
  }
}
