package onefold.nas;

/**
 * One entry of an access control list, as NFSv4 and NT have it (RFC 7530, 6.2.1).
 *
 * @param type what it does
 * @param flags inheritance and others; the numbers of NFSv4
 * @param mask rights; the numbers of NFSv4, which are those of NT
 * @param who whom it is for
 */
public record AccessEntry(Type type, int flags, int mask, Principal who) {
  /** What an entry does. */
  public enum Type {
    ALLOW(0),
    DENY(1),
    AUDIT(2),
    ALARM(3);

    private final int code;

    Type(int code) {
      this.code = code;
    }

    /** The number in NFSv4 and in formats. */
    public int code() {
      return code;
    }
  }

  /** Whom an entry is for. */
  public sealed interface Principal {
    /** The file's owner ({@code OWNER@}). */
    record Owner() implements Principal {}

    /** The file's group ({@code GROUP@}). */
    record OwningGroup() implements Principal {}

    /** Everyone, owner and group included ({@code EVERYONE@}). */
    record Everyone() implements Principal {}

    /** A user by number. */
    record User(long uid) implements Principal {}

    /** A group by number. */
    record Group(long gid) implements Principal {}
  }
}
