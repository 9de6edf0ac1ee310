package onefold.nas.nfs;

import java.util.Optional;
import java.util.Set;

/** Who the users of Kerberos are on files: from a name to numbers. */
public interface Accounts {
  /**
   * A user's numbers.
   *
   * @param uid unsigned, 32 bits
   * @param gid of the first group, likewise
   * @param groups the others
   */
  record Account(long uid, long gid, Set<Long> groups) {
    /** Checks and copies. */
    public Account {
      if (uid < 0 || uid > 0xffff_ffffL || gid < 0 || gid > 0xffff_ffffL) {
        throw new IllegalArgumentException("account " + uid + ":" + gid);
      }
      groups = Set.copyOf(groups);
    }
  }

  /**
   * Finds an account; may ask the network, and block.
   *
   * @param name a principal's without its realm: 1 to 64 letters, digits, dots, dashes, underscores
   */
  Optional<Account> find(String name);
}
