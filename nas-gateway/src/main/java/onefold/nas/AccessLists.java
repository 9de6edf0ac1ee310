package onefold.nas;

import java.util.ArrayList;
import java.util.List;
import onefold.nas.AccessEntry.Principal;

/** What access control lists mean (RFC 7530, 6.2 and 6.3). */
final class AccessLists {
  static final int READ_DATA = 0x1;
  static final int WRITE_DATA = 0x2;
  static final int APPEND_DATA = 0x4;
  static final int READ_NAMED = 0x8;
  static final int WRITE_NAMED = 0x10;
  static final int EXECUTE = 0x20;
  static final int DELETE_CHILD = 0x40;
  static final int READ_ATTRIBUTES = 0x80;
  static final int WRITE_ATTRIBUTES = 0x100;
  static final int DELETE = 0x1_0000;
  static final int READ_LIST = 0x2_0000;
  static final int WRITE_LIST = 0x4_0000;
  static final int WRITE_OWNER = 0x8_0000;
  static final int SYNCHRONIZE = 0x10_0000;

  /** The bit of an entry that only new files inherit: it does not count for this one. */
  static final int INHERIT_ONLY = 0x8;

  private static final int ALWAYS = READ_ATTRIBUTES | READ_LIST | SYNCHRONIZE;
  private static final int WRITE_BITS = WRITE_DATA | APPEND_DATA;

  private AccessLists() {}

  /** The list that says the same as permission bits. */
  static List<AccessEntry> ofMode(int mode, boolean directory) {
    int owner = rights(mode >> 6 & 7, directory) | WRITE_ATTRIBUTES | WRITE_LIST | WRITE_OWNER;
    int group = rights(mode >> 3 & 7, directory);
    int others = rights(mode & 7, directory);
    List<AccessEntry> entries = new ArrayList<>(5);
    // What the group or others may and the owner may not must be denied to him first.
    int denied = (group | others) & ~owner;
    if (denied != 0) {
      entries.add(new AccessEntry(AccessEntry.Type.DENY, 0, denied, new Principal.Owner()));
    }
    entries.add(new AccessEntry(AccessEntry.Type.ALLOW, 0, owner, new Principal.Owner()));
    entries.add(new AccessEntry(AccessEntry.Type.ALLOW, 0, group, new Principal.OwningGroup()));
    if ((others & ~group) != 0) {
      entries.add(
          new AccessEntry(AccessEntry.Type.DENY, 0, others & ~group, new Principal.OwningGroup()));
    }
    entries.add(new AccessEntry(AccessEntry.Type.ALLOW, 0, others, new Principal.Everyone()));
    return entries;
  }

  private static int rights(int bits, boolean directory) {
    int rights = ALWAYS;
    if ((bits & 4) != 0) {
      rights |= READ_DATA | READ_NAMED;
    }
    if ((bits & 2) != 0) {
      rights |= WRITE_DATA | APPEND_DATA | WRITE_NAMED | (directory ? DELETE_CHILD : 0);
    }
    if ((bits & 1) != 0) {
      rights |= EXECUTE;
    }
    return rights;
  }

  /** The permission bits that follow from a list (RFC 8881, 6.3.2); the upper bits are not set. */
  static int mode(List<AccessEntry> entries) {
    return bits(entries, 0) << 6 | bits(entries, 1) << 3 | bits(entries, 2);
  }

  private static int bits(List<AccessEntry> entries, int whom) {
    int allowed = 0;
    int decided = 0;
    for (AccessEntry entry : entries) {
      if ((entry.flags() & INHERIT_ONLY) != 0) {
        continue;
      }
      boolean counts =
          switch (entry.who()) {
            case Principal.Owner _ -> whom == 0;
            case Principal.OwningGroup _ -> whom == 1;
            case Principal.Everyone _ -> true;
            // What somebody is denied by name does not show in the bits.
            case Principal.User _ -> whom == 1 && entry.type() == AccessEntry.Type.ALLOW;
            case Principal.Group _ -> whom == 1 && entry.type() == AccessEntry.Type.ALLOW;
          };
      if (counts
          && (entry.type() == AccessEntry.Type.ALLOW || entry.type() == AccessEntry.Type.DENY)) {
        int fresh = entry.mask() & ~decided;
        decided |= fresh;
        allowed |= entry.type() == AccessEntry.Type.ALLOW ? fresh : 0;
      }
    }
    return ((allowed & READ_DATA) != 0 ? 4 : 0)
        | ((allowed & WRITE_BITS) == WRITE_BITS ? 2 : 0)
        | ((allowed & EXECUTE) != 0 ? 1 : 0);
  }

  /** The rights of those wanted that a list gives somebody. */
  static int allowed(List<AccessEntry> entries, Inode inode, Credentials who, int wanted) {
    int allowed = 0;
    int open = wanted;
    for (AccessEntry entry : entries) {
      if (open == 0) {
        break;
      }
      boolean counts =
          (entry.flags() & INHERIT_ONLY) == 0
              && switch (entry.who()) {
                case Principal.Owner _ -> who.uid() == inode.uid();
                case Principal.OwningGroup _ -> who.isIn(inode.gid());
                case Principal.Everyone _ -> true;
                case Principal.User(long uid) -> who.uid() == uid;
                case Principal.Group(long gid) -> who.isIn(gid);
              };
      if (counts) {
        switch (entry.type()) {
          case ALLOW -> {
            allowed |= entry.mask() & open;
            open &= ~entry.mask();
          }
          case DENY -> open &= ~entry.mask();
          case AUDIT, ALARM -> {}
        }
      }
    }
    return allowed;
  }

  /** A list after a change of mode: entries by name stay, the three others follow the bits. */
  static List<AccessEntry> withMode(List<AccessEntry> entries, int mode, boolean directory) {
    List<AccessEntry> changed = new ArrayList<>();
    for (AccessEntry entry : entries) {
      boolean named =
          switch (entry.who()) {
            case Principal.User _ -> true;
            case Principal.Group _ -> true;
            case Principal.Owner _ -> (entry.flags() & INHERIT_ONLY) != 0;
            case Principal.OwningGroup _ -> (entry.flags() & INHERIT_ONLY) != 0;
            case Principal.Everyone _ -> (entry.flags() & INHERIT_ONLY) != 0;
          };
      if (named) {
        // No name may more than the group bits say.
        int mask =
            entry.type() == AccessEntry.Type.ALLOW
                ? entry.mask() & (rights(mode >> 3 & 7, directory) | ~rights(7, directory))
                : entry.mask();
        changed.add(new AccessEntry(entry.type(), entry.flags(), mask, entry.who()));
      }
    }
    changed.addAll(ofMode(mode, directory));
    return changed;
  }
}
