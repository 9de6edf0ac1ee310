package onefold.nas.nfs;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import onefold.nas.Security;

/**
 * Who a call says it is from.
 *
 * @param flavor of RPC authentication: {@link #NONE}, {@link #SYS} or {@link #GSS}
 * @param security how that was proved
 * @param uid user, unsigned
 * @param gid first group, unsigned
 * @param groups the others; nobody changes the array
 * @param machine name the client gives itself; with Kerberos the principal
 * @param anonymous whether nobody in particular is meant: the share's owner
 */
record Credential(
    int flavor,
    Security security,
    int uid,
    int gid,
    int[] groups,
    String machine,
    boolean anonymous) {
  static final int NONE = 0;
  static final int SYS = 1;
  static final int SHORT = 2;
  static final int GSS = 6;

  /** RFC 5531, 14.3. */
  static final int MAX_GROUPS = 16;

  /** Most bytes of a credential's or verifier's body, RFC 5531, 8.2. */
  static final int MAX_BODY_BYTES = 400;

  private static final int MAX_MACHINE_BYTES = 255;

  /** The user and group that calls without a name are from. */
  static final int NOBODY = 65534;

  static final Credential ANONYMOUS =
      new Credential(NONE, Security.SYS, NOBODY, NOBODY, new int[0], "", true);

  /** Reads the body of an AUTH_SYS credential. */
  static Credential readSys(XdrReader body) throws XdrException {
    body.readInt();
    byte[] machine = body.readOpaque(MAX_MACHINE_BYTES, "machine name");
    int uid = body.readInt();
    int gid = body.readInt();
    int count = body.readCount(MAX_GROUPS, "groups");
    int[] groups = new int[count];
    for (int i = 0; i < count; i++) {
      groups[i] = body.readInt();
    }
    String name = new String(machine, StandardCharsets.UTF_8);
    return new Credential(SYS, Security.SYS, uid, gid, groups, name, false);
  }

  /** A user of Kerberos; {@link #with} says how his call was protected. */
  static Credential ofPrincipal(
      String principal, int uid, int gid, Set<Long> groups, boolean anonymous) {
    int[] numbers = groups.stream().mapToInt(Long::intValue).limit(GssCalls.MAX_GROUPS).toArray();
    return new Credential(GSS, Security.KRB5, uid, gid, numbers, principal, anonymous);
  }

  Credential with(Security other) {
    return new Credential(flavor, other, uid, gid, groups, machine, anonymous);
  }

  /** Whether two calls are from the same user in the same way: who may touch a client's state. */
  boolean samePrincipal(Credential other) {
    return flavor == other.flavor && uid == other.uid && machine.equals(other.machine);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Credential that
        && flavor == that.flavor
        && security == that.security
        && uid == that.uid
        && gid == that.gid
        && anonymous == that.anonymous
        && Arrays.equals(groups, that.groups)
        && machine.equals(that.machine);
  }

  @Override
  public int hashCode() {
    return 31 * uid + gid;
  }
}
