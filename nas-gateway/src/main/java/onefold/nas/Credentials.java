package onefold.nas;

import java.util.Set;

/**
 * Who asks, as the permission checks see him: already squashed as the export says.
 *
 * @param uid 0 is root, who may everything but write where {@code readOnly} says no
 * @param gid the primary group
 * @param groups all others
 * @param readOnly whether the way he came by may change nothing, whatever permissions say
 */
public record Credentials(long uid, long gid, Set<Long> groups, boolean readOnly) {
  /** Most supplementary groups. */
  public static final int MAX_GROUPS = 1024;

  /** Root, with the right to change. */
  public static final Credentials ROOT = new Credentials(0, 0, Set.of(), false);

  private static final long MAX_ID = 0xffff_ffffL;

  /** Checks and copies. */
  public Credentials {
    if (uid < 0 || uid > MAX_ID) {
      throw new IllegalArgumentException("uid " + uid);
    }
    if (gid < 0 || gid > MAX_ID) {
      throw new IllegalArgumentException("gid " + gid);
    }
    if (groups.size() > MAX_GROUPS) {
      throw new IllegalArgumentException(groups.size() + " groups, at most " + MAX_GROUPS);
    }
    groups = Set.copyOf(groups);
  }

  public boolean isRoot() {
    return uid == 0;
  }

  /** Whether a group is the primary one or another of his. */
  public boolean isIn(long group) {
    return gid == group || groups.contains(group);
  }
}
