package onefold.nas.nfs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import onefold.nas.AccessEntry;
import onefold.nas.AttributeChange;
import onefold.nas.Attributes;
import onefold.nas.FileSystem;
import onefold.nas.FileType;
import onefold.nas.SpaceStatus;
import onefold.nas.TimeChange;
import onefold.store.Id;
import org.jspecify.annotations.Nullable;

/** The attributes of NFSv4 on the wire (RFC 7530, 5; RFC 8881, 5; RFC 7862, 12; RFC 8276, 8). */
final class Attributes4 {
  static final int SUPPORTED_ATTRS = 0;
  static final int TYPE = 1;
  static final int FH_EXPIRE_TYPE = 2;
  static final int CHANGE = 3;
  static final int SIZE = 4;
  static final int LINK_SUPPORT = 5;
  static final int SYMLINK_SUPPORT = 6;
  static final int NAMED_ATTR = 7;
  static final int FSID = 8;
  static final int UNIQUE_HANDLES = 9;
  static final int LEASE_TIME = 10;
  static final int RDATTR_ERROR = 11;
  static final int ACL = 12;
  static final int ACLSUPPORT = 13;
  static final int CANSETTIME = 15;
  static final int CASE_INSENSITIVE = 16;
  static final int CASE_PRESERVING = 17;
  static final int CHOWN_RESTRICTED = 18;
  static final int FILEHANDLE = 19;
  static final int FILEID = 20;
  static final int FILES_AVAIL = 21;
  static final int FILES_FREE = 22;
  static final int FILES_TOTAL = 23;
  static final int HOMOGENEOUS = 26;
  static final int MAXFILESIZE = 27;
  static final int MAXLINK = 28;
  static final int MAXNAME = 29;
  static final int MAXREAD = 30;
  static final int MAXWRITE = 31;
  static final int MODE = 33;
  static final int NO_TRUNC = 34;
  static final int NUMLINKS = 35;
  static final int OWNER = 36;
  static final int OWNER_GROUP = 37;
  static final int RAWDEV = 41;
  static final int SPACE_AVAIL = 42;
  static final int SPACE_FREE = 43;
  static final int SPACE_TOTAL = 44;
  static final int SPACE_USED = 45;
  static final int TIME_ACCESS = 47;
  static final int TIME_ACCESS_SET = 48;
  static final int TIME_CREATE = 50;
  static final int TIME_DELTA = 51;
  static final int TIME_METADATA = 52;
  static final int TIME_MODIFY = 53;
  static final int TIME_MODIFY_SET = 54;
  static final int MOUNTED_ON_FILEID = 55;
  static final int SUPPATTR_EXCLCREAT = 75;
  static final int CLONE_BLKSIZE = 77;
  static final int XATTR_SUPPORT = 82;

  /** Allow and deny. */
  private static final int ACL_SUPPORT = 1 | 2;

  private static final int MAX_OWNER_BYTES = 1024;

  /** Longest attribute values of one change: an access list of most entries with long names. */
  private static final int MAX_VALUES_BYTES = 256 << 10;

  private static final Bitmap COMMON =
      Bitmap.of(
          SUPPORTED_ATTRS,
          TYPE,
          FH_EXPIRE_TYPE,
          CHANGE,
          SIZE,
          LINK_SUPPORT,
          SYMLINK_SUPPORT,
          NAMED_ATTR,
          FSID,
          UNIQUE_HANDLES,
          LEASE_TIME,
          RDATTR_ERROR,
          ACL,
          ACLSUPPORT,
          CANSETTIME,
          CASE_INSENSITIVE,
          CASE_PRESERVING,
          CHOWN_RESTRICTED,
          FILEHANDLE,
          FILEID,
          FILES_AVAIL,
          FILES_FREE,
          FILES_TOTAL,
          HOMOGENEOUS,
          MAXFILESIZE,
          MAXLINK,
          MAXNAME,
          MAXREAD,
          MAXWRITE,
          MODE,
          NO_TRUNC,
          NUMLINKS,
          OWNER,
          OWNER_GROUP,
          RAWDEV,
          SPACE_AVAIL,
          SPACE_FREE,
          SPACE_TOTAL,
          SPACE_USED,
          TIME_ACCESS,
          TIME_ACCESS_SET,
          TIME_CREATE,
          TIME_DELTA,
          TIME_METADATA,
          TIME_MODIFY,
          TIME_MODIFY_SET,
          MOUNTED_ON_FILEID);

  private static final Bitmap SUPPORTED_1 = with(COMMON, SUPPATTR_EXCLCREAT);
  private static final Bitmap SUPPORTED_2 = with(SUPPORTED_1, CLONE_BLKSIZE, XATTR_SUPPORT);

  /** What a client may set. */
  private static final Bitmap SETTABLE =
      Bitmap.of(SIZE, ACL, MODE, OWNER, OWNER_GROUP, TIME_ACCESS_SET, TIME_CREATE, TIME_MODIFY_SET);

  private static final Bitmap WRITE_ONLY = Bitmap.of(TIME_ACCESS_SET, TIME_MODIFY_SET);

  private static Bitmap with(Bitmap some, int... more) {
    Bitmap all = some.and(some);
    for (int number : more) {
      all.add(number);
    }
    return all;
  }

  private Attributes4() {}

  static Bitmap supported(int minor) {
    return switch (minor) {
      case 0 -> COMMON;
      case 1 -> SUPPORTED_1;
      default -> SUPPORTED_2;
    };
  }

  static boolean isWriteOnly(Bitmap some) {
    return some.meets(WRITE_ONLY);
  }

  /** What is needed for writing attributes of some files, gathered once. */
  static final class Source {
    private final int minor;
    private final int leaseSeconds;
    private final FileHandles handles;
    private final Doors.@Nullable Entered entered;
    private @Nullable SpaceStatus space;

    /** For files of a share, or of none: the directory above the shares. */
    Source(int minor, int leaseSeconds, FileHandles handles, Doors.@Nullable Entered entered) {
      this.minor = minor;
      this.leaseSeconds = leaseSeconds;
      this.handles = handles;
      this.entered = entered;
    }

    private SpaceStatus space() throws IOException {
      SpaceStatus known = space;
      if (known == null) {
        known = entered == null ? new SpaceStatus(0, 0, 0, 0, 0) : entered.files().space();
        space = known;
      }
      return known;
    }
  }

  /** The number by which a share's root is known in the directory above the shares. */
  static long shareNumber(Id shareId) {
    return ((shareId.high() ^ shareId.low()) & Long.MAX_VALUE) | 16;
  }

  /**
   * Writes a bitmap and the values of what was asked for and is supported.
   *
   * @param error for {@code rdattr_error}
   */
  static void write(
      XdrWriter out, Bitmap wanted, Source source, Attributes a, FileHandles.Place place, int error)
      throws IOException {
    Bitmap given = wanted.and(supported(source.minor));
    given.remove(TIME_ACCESS_SET);
    given.remove(TIME_MODIFY_SET);
    given.write(out);
    int lengthAt = out.position();
    out.writeInt(0);
    for (int number = given.next(0); number >= 0; number = given.next(number + 1)) {
      writeValue(out, number, source, a, place, error);
    }
    out.patchInt(lengthAt, out.position() - lengthAt - 4);
  }

  /** Writes only {@code rdattr_error}: nothing else of the file can be had. */
  static void writeError(XdrWriter out, int error) {
    Bitmap.of(RDATTR_ERROR).write(out);
    out.writeInt(4).writeInt(error);
  }

  private static void writeValue(
      XdrWriter out, int number, Source source, Attributes a, FileHandles.Place place, int error)
      throws IOException {
    switch (number) {
      case SUPPORTED_ATTRS -> supported(source.minor).write(out);
      case TYPE -> out.writeInt(typeNumber(a.type()));
      case FH_EXPIRE_TYPE -> out.writeInt(0);
      case CHANGE -> out.writeLong(a.change());
      case SIZE -> out.writeLong(a.sizeBytes());
      case LINK_SUPPORT, SYMLINK_SUPPORT, UNIQUE_HANDLES -> out.writeBoolean(true);
      case NAMED_ATTR, CASE_INSENSITIVE -> out.writeBoolean(false);
      case CANSETTIME, CASE_PRESERVING, CHOWN_RESTRICTED, HOMOGENEOUS, NO_TRUNC ->
          out.writeBoolean(true);
      case FSID ->
          out.writeLong(place.pseudoRoot() ? 0 : place.shareId().high())
              .writeLong(place.pseudoRoot() ? 0 : place.shareId().low());
      case LEASE_TIME -> out.writeInt(source.leaseSeconds);
      case RDATTR_ERROR -> out.writeInt(error);
      case ACL -> writeAccessList(out, source, a);
      case ACLSUPPORT -> out.writeInt(ACL_SUPPORT);
      case FILEHANDLE -> out.writeOpaque(source.handles.handle(place));
      case FILEID -> out.writeLong(a.fileId());
      case FILES_AVAIL, FILES_FREE -> out.writeLong(source.space().freeFiles());
      case FILES_TOTAL -> out.writeLong(source.space().totalFiles());
      case MAXFILESIZE -> out.writeLong(FileSystem.MAX_FILE_BYTES);
      case MAXLINK -> out.writeInt(FileSystem.MAX_LINKS);
      case MAXNAME -> out.writeInt(FileSystem.MAX_NAME_BYTES);
      case MAXREAD, MAXWRITE -> out.writeLong(NfsLimits.MAX_TRANSFER_BYTES);
      case MODE -> out.writeInt(a.mode());
      case NUMLINKS -> out.writeInt(a.linkCount());
      case OWNER -> out.writeString(Long.toString(a.uid()));
      case OWNER_GROUP -> out.writeString(Long.toString(a.gid()));
      case RAWDEV -> out.writeInt(a.deviceMajor()).writeInt(a.deviceMinor());
      case SPACE_AVAIL -> out.writeLong(source.space().availableBytes());
      case SPACE_FREE -> out.writeLong(source.space().freeBytes());
      case SPACE_TOTAL -> out.writeLong(source.space().totalBytes());
      case SPACE_USED -> out.writeLong(a.spaceBytes());
      case TIME_ACCESS -> writeTime(out, a.accessTime());
      case TIME_CREATE -> writeTime(out, a.birthTime());
      case TIME_DELTA -> out.writeLong(0).writeInt(1);
      case TIME_METADATA -> writeTime(out, a.changeTime());
      case TIME_MODIFY -> writeTime(out, a.modifyTime());
      case MOUNTED_ON_FILEID -> {
        boolean root = source.entered != null && a.fileId() == source.entered.files().rootId();
        out.writeLong(root ? shareNumber(place.shareId()) : a.fileId());
      }
      case SUPPATTR_EXCLCREAT -> SETTABLE.write(out);
      case CLONE_BLKSIZE -> out.writeInt(1);
      case XATTR_SUPPORT -> out.writeBoolean(!place.pseudoRoot());
      default -> throw new IllegalStateException("attribute " + number);
    }
  }

  private static void writeTime(XdrWriter out, Instant time) {
    out.writeLong(time.getEpochSecond()).writeInt(time.getNano());
  }

  private static int typeNumber(FileType type) {
    return switch (type) {
      case REGULAR -> 1;
      case DIRECTORY -> 2;
      case BLOCK_DEVICE -> 3;
      case CHARACTER_DEVICE -> 4;
      case SYMBOLIC_LINK -> 5;
      case SOCKET -> 6;
      case FIFO -> 7;
    };
  }

  private static void writeAccessList(XdrWriter out, Source source, Attributes a)
      throws IOException {
    List<AccessEntry> entries =
        source.entered == null
            ? List.of()
            : source.entered.files().accessList(source.entered.who(), a.fileId());
    out.writeInt(entries.size());
    for (AccessEntry entry : entries) {
      out.writeInt(entry.type().code()).writeInt(entry.flags()).writeInt(entry.mask());
      out.writeString(
          switch (entry.who()) {
            case AccessEntry.Principal.Owner() -> "OWNER@";
            case AccessEntry.Principal.OwningGroup() -> "GROUP@";
            case AccessEntry.Principal.Everyone() -> "EVERYONE@";
            case AccessEntry.Principal.User(long uid) -> Long.toString(uid);
            case AccessEntry.Principal.Group(long gid) -> Long.toString(gid);
          });
    }
  }

  /**
   * What a client wants to set.
   *
   * @param attributes all but the access list
   * @param accessList null for none
   * @param given which attributes it named
   */
  record Wanted(AttributeChange attributes, @Nullable List<AccessEntry> accessList, Bitmap given) {
    static final Wanted NOTHING = new Wanted(AttributeChange.NONE, null, new Bitmap());

    Wanted withoutSize() {
      return new Wanted(attributes.withoutSize(), accessList, given);
    }
  }

  /** Attributes as a client sent them, for comparison. */
  record Sent(Bitmap given, XdrReader.Range values) {}

  static Sent readRaw(XdrReader in) throws XdrException {
    Bitmap given = Bitmap.read(in);
    return new Sent(given, in.readRange(MAX_VALUES_BYTES, "attribute values"));
  }

  /** Reads what is to be set. */
  static Wanted read(XdrReader in, int minor) throws XdrException, Refusal {
    Sent sent = readRaw(in);
    if (!sent.given().isWithin(supported(minor))) {
      throw new Refusal(Status.ATTRNOTSUPP);
    }
    if (!sent.given().isWithin(SETTABLE)) {
      throw new Refusal(Status.INVAL);
    }
    XdrReader.Range range = sent.values();
    var values = new XdrReader(range.array(), range.offset(), range.length());
    AttributeChange change = AttributeChange.NONE;
    List<AccessEntry> list = null;
    Bitmap given = sent.given();
    for (int number = given.next(0); number >= 0; number = given.next(number + 1)) {
      switch (number) {
        case SIZE -> {
          long size = values.readLong();
          change = change.withSize(size < 0 ? Long.MAX_VALUE : size);
        }
        case ACL -> list = readAccessList(values);
        case MODE -> {
          int mode = values.readInt();
          if ((mode & ~07777) != 0) {
            throw new Refusal(Status.INVAL);
          }
          change = change.withMode(mode);
        }
        case OWNER -> change = change.withUid(readPrincipal(values));
        case OWNER_GROUP -> change = change.withGid(readPrincipal(values));
        case TIME_ACCESS_SET -> change = change.withAccessTime(readTimeChange(values));
        case TIME_CREATE -> change = change.withBirthTime(readTime(values));
        case TIME_MODIFY_SET -> change = change.withModifyTime(readTimeChange(values));
        default -> throw new IllegalStateException("attribute " + number);
      }
    }
    if (values.remaining() != 0) {
      throw new XdrException(values.remaining() + " bytes behind the attributes");
    }
    return new Wanted(change, list, given);
  }

  private static TimeChange readTimeChange(XdrReader in) throws XdrException, Refusal {
    int how = in.readInt();
    return switch (how) {
      case 0 -> TimeChange.NOW;
      case 1 -> TimeChange.at(readTime(in));
      default -> throw new XdrException("time_how4 " + how);
    };
  }

  private static Instant readTime(XdrReader in) throws XdrException, Refusal {
    long seconds = in.readLong();
    long nanos = in.readUint();
    if (nanos > 999_999_999) {
      throw new Refusal(Status.INVAL);
    }
    // Beyond the years that anybody means, but within what an instant holds.
    return Instant.ofEpochSecond(Math.clamp(seconds, -(1L << 40), 1L << 40), nanos);
  }

  private static long readPrincipal(XdrReader in) throws XdrException, Refusal {
    return principal(new String(in.readOpaque(MAX_OWNER_BYTES, "owner"), StandardCharsets.UTF_8));
  }

  /** The number of an owner: a number, or one of the two names that are the same everywhere. */
  private static long principal(String text) throws Refusal {
    if (text.isEmpty()) {
      throw new Refusal(Status.INVAL);
    }
    int at = text.indexOf('@');
    String name = at < 0 ? text : text.substring(0, at);
    if (name.equals("root")) {
      return 0;
    }
    if (name.equals("nobody") || name.equals("nogroup")) {
      return Credential.NOBODY;
    }
    if (name.isEmpty()
        || name.length() > 10
        || !name.chars().allMatch(c -> c >= '0' && c <= '9')
        || Long.parseLong(name) > 0xffff_ffffL) {
      throw new Refusal(Status.BADOWNER);
    }
    return Long.parseLong(name);
  }

  private static final int GROUP_FLAG = 0x40;

  private static List<AccessEntry> readAccessList(XdrReader in) throws XdrException, Refusal {
    int count = (int) in.readUint();
    if (count < 0 || count > FileSystem.MAX_ACCESS_ENTRIES) {
      throw new Refusal(Status.INVAL);
    }
    List<AccessEntry> entries = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int type = in.readInt();
      int flags = in.readInt();
      int mask = in.readInt();
      String who = new String(in.readOpaque(MAX_OWNER_BYTES, "who"), StandardCharsets.UTF_8);
      if (type != 0 && type != 1) {
        throw new Refusal(type == 2 || type == 3 ? Status.ATTRNOTSUPP : Status.INVAL);
      }
      AccessEntry.Principal principal =
          switch (who) {
            case "OWNER@" -> new AccessEntry.Principal.Owner();
            case "GROUP@" -> new AccessEntry.Principal.OwningGroup();
            case "EVERYONE@" -> new AccessEntry.Principal.Everyone();
            default ->
                (flags & GROUP_FLAG) != 0
                    ? new AccessEntry.Principal.Group(principal(who))
                    : new AccessEntry.Principal.User(principal(who));
          };
      AccessEntry.Type kind = type == 0 ? AccessEntry.Type.ALLOW : AccessEntry.Type.DENY;
      entries.add(new AccessEntry(kind, flags, mask, principal));
    }
    return entries;
  }
}
