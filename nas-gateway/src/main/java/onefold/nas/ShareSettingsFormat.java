package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import onefold.store.CorruptDataException;

/** The settings of a share as the catalog keeps them; docs/formats/share-settings.md. */
public final class ShareSettingsFormat {
  static final int MAGIC = 0x5353_464f; // "OFSS", little-endian.
  static final int VERSION = 1;

  /** Most rules of a share. */
  public static final int MAX_RULES = 100;

  private static final int HEADER_BYTES = 36;

  private static final int FLAG_NFS = 1;
  private static final int FLAG_SMB = 2;
  private static final int FLAG_READ_ONLY = 4;
  private static final int FLAG_SNAPSHOTS_VISIBLE = 8;
  private static final int FLAG_SNAPSHOTS_OFF = 16;
  private static final int FLAG_WORM = 32;
  private static final int FLAGS_KNOWN = 63;

  private static final int WORM_BYTES = 32;

  private static final int RULE_READ_ONLY = 1;

  private ShareSettingsFormat() {}

  public static byte[] write(ShareSettings settings) {
    int bytes = HEADER_BYTES;
    List<byte[]> hosts = new ArrayList<>();
    for (ExportRule rule : settings.rules()) {
      byte[] text = rule.hosts().getBytes(UTF_8);
      hosts.add(text);
      bytes += 2 + text.length;
    }
    if (hosts.size() > MAX_RULES) {
      throw new IllegalArgumentException(hosts.size() + " rules, at most " + MAX_RULES);
    }
    if (settings.worm().on()) {
      bytes += WORM_BYTES;
    }
    ByteBuffer out = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int flags =
        (settings.nfs() ? FLAG_NFS : 0)
            | (settings.smb() ? FLAG_SMB : 0)
            | (settings.readOnly() ? FLAG_READ_ONLY : 0)
            | switch (settings.snapshotDirectory()) {
              case HIDDEN -> 0;
              case VISIBLE -> FLAG_SNAPSHOTS_VISIBLE;
              case OFF -> FLAG_SNAPSHOTS_OFF;
            }
            | (settings.worm().on() ? FLAG_WORM : 0);
    out.putInt(MAGIC)
        .putShort((short) VERSION)
        .putShort((short) settings.squash().code())
        .putInt(flags)
        .putLong(settings.quotaBytes())
        .putInt((int) settings.ownerUid())
        .putInt((int) settings.ownerGid())
        .putInt(securityBits(settings.security()))
        .putInt(hosts.size());
    for (int i = 0; i < hosts.size(); i++) {
      out.put((byte) (settings.rules().get(i).readOnly() ? RULE_READ_ONLY : 0))
          .put((byte) hosts.get(i).length)
          .put(hosts.get(i));
    }
    Worm worm = settings.worm();
    if (worm.on()) {
      out.putLong(worm.quietSeconds())
          .putLong(worm.defaultSeconds())
          .putLong(worm.leastSeconds())
          .putLong(worm.mostSeconds());
    }
    return out.array();
  }

  /**
   * Reads settings.
   *
   * @param name of the share, for errors
   */
  public static ShareSettings read(String name, byte[] settings) throws CorruptDataException {
    ByteBuffer in = ByteBuffer.wrap(settings).order(ByteOrder.LITTLE_ENDIAN);
    check(settings.length >= HEADER_BYTES, name, "36 bytes or more", settings.length + " bytes");
    int magic = in.getInt();
    check(magic == MAGIC, name, "settings of a share", "magic " + Integer.toHexString(magic));
    int version = Short.toUnsignedInt(in.getShort());
    check(version == VERSION, name, "version " + VERSION, "version " + version);
    Squash squash = squash(name, Short.toUnsignedInt(in.getShort()));
    int flags = in.getInt();
    check((flags & ~FLAGS_KNOWN) == 0, name, "flags below 64", "flags " + flags);
    long quotaBytes = in.getLong();
    check(quotaBytes >= 0, name, "a quota", "quota " + quotaBytes);
    long uid = Integer.toUnsignedLong(in.getInt());
    long gid = Integer.toUnsignedLong(in.getInt());
    Set<Security> security = security(name, in.getInt());
    int count = in.getInt();
    check(count >= 0 && count <= MAX_RULES, name, "0 to 100 rules", count + " rules");
    List<ExportRule> rules = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      check(in.remaining() >= 2, name, count + " rules", i + " rules");
      int ruleFlags = in.get();
      int length = Byte.toUnsignedInt(in.get());
      check((ruleFlags & ~RULE_READ_ONLY) == 0, name, "rule flags 0 or 1", "flags " + ruleFlags);
      check(in.remaining() >= length, name, count + " rules", i + " rules");
      byte[] hosts = new byte[length];
      in.get(hosts);
      rules.add(new ExportRule(new String(hosts, UTF_8), (ruleFlags & RULE_READ_ONLY) != 0));
    }
    boolean wormOn = (flags & FLAG_WORM) != 0;
    int rest = wormOn ? WORM_BYTES : 0;
    check(in.remaining() == rest, name, rest + " bytes more", in.remaining() + " bytes more");
    boolean visible = (flags & FLAG_SNAPSHOTS_VISIBLE) != 0;
    boolean off = (flags & FLAG_SNAPSHOTS_OFF) != 0;
    check(!visible || !off, name, "one flag of .snapshots", "flags " + flags);
    try {
      Worm worm =
          wormOn
              ? new Worm(true, in.getLong(), in.getLong(), in.getLong(), in.getLong())
              : Worm.NONE;
      return new ShareSettings(
          (flags & FLAG_NFS) != 0,
          (flags & FLAG_SMB) != 0,
          rules,
          squash,
          (flags & FLAG_READ_ONLY) != 0,
          quotaBytes,
          uid,
          gid,
          security,
          visible
              ? SnapshotDirectory.VISIBLE
              : off ? SnapshotDirectory.OFF : SnapshotDirectory.HIDDEN,
          worm);
    } catch (IllegalArgumentException e) {
      throw new CorruptDataException(
          "settings of share " + name, -1, "settings that can be", String.valueOf(e.getMessage()));
    }
  }

  /** AUTH_SYS alone is 0, as it was before there was anything else. */
  private static int securityBits(Set<Security> security) {
    int bits = 0;
    for (Security each : security) {
      bits |= each.bit();
    }
    return bits == Security.SYS.bit() ? 0 : bits;
  }

  private static Set<Security> security(String name, int bits) throws CorruptDataException {
    if (bits == 0) {
      return Set.of(Security.SYS);
    }
    check(bits > 1 && bits < 16, name, "security 0 or 2 to 15", "security " + bits);
    Set<Security> security = EnumSet.noneOf(Security.class);
    for (Security each : Security.values()) {
      if ((bits & each.bit()) != 0) {
        security.add(each);
      }
    }
    return security;
  }

  private static Squash squash(String name, int code) throws CorruptDataException {
    for (Squash squash : Squash.values()) {
      if (squash.code() == code) {
        return squash;
      }
    }
    throw new CorruptDataException(
        "settings of share " + name, -1, "squash 0 to 3", "squash " + code);
  }

  private static void check(boolean right, String name, String expected, String found)
      throws CorruptDataException {
    if (!right) {
      throw new CorruptDataException("settings of share " + name, -1, expected, found);
    }
  }
}
