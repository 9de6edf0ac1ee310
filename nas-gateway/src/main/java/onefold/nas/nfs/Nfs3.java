package onefold.nas.nfs;

import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import java.util.function.BiConsumer;
import onefold.nas.Access;
import onefold.nas.AttributeChange;
import onefold.nas.Attributes;
import onefold.nas.Change;
import onefold.nas.CreateMode;
import onefold.nas.Created;
import onefold.nas.Credentials;
import onefold.nas.DirectoryEntry;
import onefold.nas.DirectoryPage;
import onefold.nas.FileError;
import onefold.nas.FileException;
import onefold.nas.FileSystem;
import onefold.nas.FileType;
import onefold.nas.OpenFile;
import onefold.nas.ReadResult;
import onefold.nas.Removed;
import onefold.nas.Renamed;
import onefold.nas.Share;
import onefold.nas.SpaceStatus;
import onefold.nas.SpecialFile;
import onefold.nas.Stability;
import onefold.nas.TimeChange;
import org.jspecify.annotations.Nullable;

/**
 * NFS version 3 (RFC 1813). Stateless: each call finds its file by handle and is checked anew.
 * Calls that must not be done twice go through {@link ReplyCache}.
 */
final class Nfs3 {
  private static final int OK = 0;
  private static final int ERROR_BADHANDLE = 10001;
  private static final int ERROR_BAD_COOKIE = 10003;
  private static final int ERROR_NOTSUPP = 10004;
  private static final int ERROR_TOOSMALL = 10005;
  private static final int ERROR_BADTYPE = 10007;
  private static final int ERROR_ACCES = 13;
  private static final int ERROR_INVAL = 22;
  private static final int ERROR_STALE = 70;

  private static final int MAX_HANDLE_BYTES = 64;
  private static final int SUPPORTED_ACCESS =
      Access.READ | Access.LOOKUP | Access.MODIFY | Access.EXTEND | Access.DELETE | Access.EXECUTE;

  /** Cookies of the two names that every directory has. */
  private static final long COOKIE_SELF = 1;

  private static final long COOKIE_PARENT = 2;

  /** Links, symbolic links, the same everywhere, times can be set (RFC 1813, 3.3.19). */
  private static final int PROPERTIES = 1 | 2 | 8 | 16;

  private static final System.Logger LOG = System.getLogger(Nfs3.class.getName());

  private final Doors doors;
  private final ReplyCache cache;

  Nfs3(Doors doors, ReplyCache cache) {
    this.doors = doors;
    this.cache = cache;
  }

  /** A call is answered with an error of the protocol. */
  private static final class Refused extends Exception {
    @java.io.Serial private static final long serialVersionUID = 1;

    private final int status;

    Refused(int status) {
      super("status " + status, null, false, false);
      this.status = status;
    }
  }

  /** A file that a handle names, and who wants something of it. */
  private record Place(Share share, Credentials who, long fileId) {
    FileSystem files() {
      return share.files();
    }

    /** For a reply that does not depend on them. */
    @Nullable Attributes attributesOrNull() {
      try {
        return files().attributes(fileId);
      } catch (IOException _) {
        return null;
      }
    }
  }

  RpcProgram.Outcome serve(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    boolean once =
        switch (call.procedure()) {
          case 2, 8, 9, 10, 11, 12, 13, 14, 15 -> true;
          default -> false;
        };
    if (!once) {
      return run(call, in, out);
    }
    ReplyCache.Entry entry = cache.enter(call);
    byte[] earlier = entry.earlier();
    if (earlier != null) {
      out.writeFixed(earlier);
      return RpcProgram.Outcome.SUCCESS;
    }
    int at = out.position();
    boolean kept = false;
    try {
      RpcProgram.Outcome outcome = run(call, in, out);
      kept = outcome == RpcProgram.Outcome.SUCCESS;
      return outcome;
    } finally {
      if (!kept) {
        entry.forget();
        out.rewind(at);
        out.writeInt(10006);
      }
      entry.done(out, at);
    }
  }

  private RpcProgram.Outcome run(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    switch (call.procedure()) {
      case 0 -> {}
      case 1 -> getAttributes(call, in, out);
      case 2 -> setAttributes(call, in, out);
      case 3 -> lookup(call, in, out);
      case 4 -> access(call, in, out);
      case 5 -> readLink(call, in, out);
      case 6 -> read(call, in, out);
      case 7 -> write(call, in, out);
      case 8 -> create(call, in, out);
      case 9 -> makeDirectory(call, in, out);
      case 10 -> makeSymbolicLink(call, in, out);
      case 11 -> makeSpecialFile(call, in, out);
      case 12 -> remove(call, in, out, false);
      case 13 -> remove(call, in, out, true);
      case 14 -> rename(call, in, out);
      case 15 -> link(call, in, out);
      case 16 -> readDirectory(call, in, out, false);
      case 17 -> readDirectory(call, in, out, true);
      case 18 -> fileSystemStatus(call, in, out);
      case 19 -> fileSystemInfo(call, in, out);
      case 20 -> pathConfiguration(call, in, out);
      case 21 -> commit(call, in, out);
      default -> {
        return RpcProgram.Outcome.PROCEDURE_UNAVAILABLE;
      }
    }
    return RpcProgram.Outcome.SUCCESS;
  }

  // ---- what goes wrong

  /** The number of what went wrong. */
  private static int status(RpcCall call, Exception e) {
    if (e instanceof Refused refused) {
      return refused.status;
    }
    if (!(e instanceof FileException file)) {
      LOG.log(System.Logger.Level.WARNING, () -> "NFSv3 procedure " + call.procedure(), e);
      return 5;
    }
    if (file.error() == FileError.IO) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "NFSv3 procedure " + call.procedure() + ": " + e.getMessage());
    }
    return switch (file.error()) {
      case NOT_OWNER, RETAINED -> 1;
      case NOT_FOUND, NO_ATTRIBUTE -> 2;
      case IO -> 5;
      case NO_SUCH_POSITION -> 6;
      case ACCESS, SHARE_DENIED, LOCKED -> ERROR_ACCES;
      case EXISTS -> 17;
      case CROSS_SHARE -> 18;
      case NOT_DIRECTORY -> 20;
      case IS_DIRECTORY -> 21;
      case IS_SYMBOLIC_LINK, WRONG_TYPE, INVALID, BAD_NAME -> ERROR_INVAL;
      case TOO_BIG, ATTRIBUTE_TOO_BIG -> 27;
      case NO_SPACE -> 28;
      case READ_ONLY -> 30;
      case TOO_MANY_LINKS -> 31;
      case NAME_TOO_LONG -> 63;
      case NOT_EMPTY -> 66;
      case QUOTA -> 69;
      case STALE -> ERROR_STALE;
      case NOT_SAME -> 10002;
      case BAD_COOKIE -> ERROR_BAD_COOKIE;
      case NOT_SUPPORTED -> ERROR_NOTSUPP;
      case TOO_MANY_LOCKS, DELAY -> 10008;
    };
  }

  /** What a procedure does with the file that it is about, and writes behind the status. */
  private interface Answer {
    void write(Place place) throws IOException, Refused;
  }

  /** Answers OK and what is written; or what went wrong, and the attributes that the file has. */
  private void answer(RpcCall call, XdrReader.Range handle, XdrWriter out, Answer answer) {
    answer(call, handle, out, Nfs3::writePost, answer);
  }

  /** The same for a change: if it fails it says that nothing is known of the time before. */
  private void answerChange(RpcCall call, XdrReader.Range handle, XdrWriter out, Answer answer) {
    answer(call, handle, out, Nfs3::writeWeak, answer);
  }

  private void answer(
      RpcCall call,
      XdrReader.Range handle,
      XdrWriter out,
      BiConsumer<XdrWriter, @Nullable Place> afterwards,
      Answer answer) {
    Place place = null;
    int at = out.position();
    try {
      place = find(call, handle);
      out.writeInt(OK);
      answer.write(place);
    } catch (IOException | Refused e) {
      out.rewind(at);
      out.writeInt(status(call, e));
      afterwards.accept(out, place);
    }
  }

  // ---- arguments

  private static XdrReader.Range handle(XdrReader in) throws XdrException {
    return in.readRange(MAX_HANDLE_BYTES, "file handle");
  }

  private static byte[] name(XdrReader in) throws XdrException {
    return in.readOpaque(NfsLimits.MAX_NAME_BYTES, "name");
  }

  private Place find(RpcCall call, XdrReader.Range handle) throws IOException, Refused {
    FileHandles.Place place =
        doors
            .handles()
            .open(handle.array(), handle.offset(), handle.length())
            .filter(p -> !p.pseudoRoot())
            .orElseThrow(() -> new Refused(ERROR_BADHANDLE));
    Optional<Share> share = doors.find(place.shareId());
    if (share.isEmpty()) {
      throw new Refused(ERROR_STALE);
    }
    Doors.Entered entered =
        doors.enter(share.get(), call).orElseThrow(() -> new Refused(ERROR_ACCES));
    if (!Doors.takes(share.get(), call)) {
      throw new Refused(ERROR_ACCES);
    }
    return new Place(share.get(), entered.who(), place.fileId());
  }

  private static AttributeChange readAttributes(XdrReader in) throws XdrException {
    AttributeChange change = AttributeChange.NONE;
    if (in.readBoolean()) {
      change = change.withMode(in.readInt() & 07777);
    }
    if (in.readBoolean()) {
      change = change.withUid(in.readUint());
    }
    if (in.readBoolean()) {
      change = change.withGid(in.readUint());
    }
    if (in.readBoolean()) {
      long size = in.readLong();
      // What no file can be long is refused by the file layer as too big.
      change = change.withSize(size < 0 ? Long.MAX_VALUE : size);
    }
    TimeChange access = readTimeChange(in);
    if (access != null) {
      change = change.withAccessTime(access);
    }
    TimeChange modify = readTimeChange(in);
    return modify == null ? change : change.withModifyTime(modify);
  }

  private static @Nullable TimeChange readTimeChange(XdrReader in) throws XdrException {
    int how = in.readInt();
    return switch (how) {
      case 0 -> null;
      case 1 -> TimeChange.NOW;
      case 2 -> TimeChange.at(readTime(in));
      default -> throw new XdrException("time_how " + how);
    };
  }

  private static Instant readTime(XdrReader in) throws XdrException {
    long seconds = in.readUint();
    long nanos = in.readUint();
    return Instant.ofEpochSecond(seconds, Math.min(nanos, 999_999_999));
  }

  // ---- results

  private static void writeTime(XdrWriter out, Instant time) {
    long seconds = Math.clamp(time.getEpochSecond(), 0L, 0xffff_ffffL);
    out.writeInt((int) seconds).writeInt(time.getNano());
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

  private static void writeAttributes(XdrWriter out, Share share, Attributes a) {
    out.writeInt(typeNumber(a.type())).writeInt(a.mode()).writeInt(a.linkCount());
    out.writeInt((int) a.uid()).writeInt((int) a.gid());
    out.writeLong(a.sizeBytes()).writeLong(a.spaceBytes());
    out.writeInt(a.deviceMajor()).writeInt(a.deviceMinor());
    out.writeLong(share.id().high() ^ share.id().low()).writeLong(a.fileId());
    writeTime(out, a.accessTime());
    writeTime(out, a.modifyTime());
    writeTime(out, a.changeTime());
  }

  private static void writePost(
      XdrWriter out, @Nullable Place place, @Nullable Attributes attributes) {
    if (place == null || attributes == null) {
      out.writeBoolean(false);
    } else {
      out.writeBoolean(true);
      writeAttributes(out, place.share(), attributes);
    }
  }

  /** Writes the attributes as they are now, if they can be had. */
  private static void writePost(XdrWriter out, @Nullable Place place) {
    writePost(out, place, place == null ? null : place.attributesOrNull());
  }

  private static void writeWeak(XdrWriter out, Place place, Change change) {
    Attributes before = change.before();
    out.writeBoolean(true).writeLong(before.sizeBytes());
    writeTime(out, before.modifyTime());
    writeTime(out, before.changeTime());
    writePost(out, place, change.after());
  }

  /** Weak consistency data of something that was not changed. */
  private static void writeWeak(XdrWriter out, @Nullable Place place) {
    out.writeBoolean(false);
    writePost(out, place);
  }

  // ---- procedures

  private void getAttributes(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    int at = out.position();
    try {
      Place place = find(call, handle);
      Attributes attributes = place.files().attributes(place.fileId());
      out.writeInt(OK);
      writeAttributes(out, place.share(), attributes);
    } catch (IOException | Refused e) {
      out.rewind(at);
      out.writeInt(status(call, e));
    }
  }

  private void setAttributes(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    AttributeChange change = readAttributes(in);
    Instant guard = in.readBoolean() ? readTime(in) : null;
    answerChange(
        call,
        handle,
        out,
        place -> {
          if (change.sizeBytes() != null && denied(place, OpenFile.WRITE)) {
            throw new Refused(ERROR_ACCES);
          }
          Change done = place.files().setAttributes(place.who(), place.fileId(), change, guard);
          writeWeak(out, place, done);
        });
  }

  /** Whether another protocol's share mode keeps those without open away. */
  private static boolean denied(Place place, int access) {
    return place.files().locks().denies(place.fileId(), Nfs3.class, access);
  }

  private void lookup(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    byte[] name = name(in);
    answer(
        call,
        handle,
        out,
        directory -> {
          FileSystem files = directory.files();
          Attributes found;
          if (isDots(name, 1)) {
            found = files.attributes(directory.fileId());
            if (found.type() != FileType.DIRECTORY) {
              throw new FileException(FileError.NOT_DIRECTORY, "file " + found.fileId());
            }
          } else if (isDots(name, 2)) {
            found =
                directory.fileId() == files.rootId()
                    ? files.attributes(files.rootId())
                    : files.lookupParent(directory.who(), directory.fileId());
          } else {
            found = files.lookup(directory.who(), directory.fileId(), name);
          }
          out.writeOpaque(doors.handles().handle(directory.share().id(), found.fileId()));
          writePost(out, directory, found);
          writePost(out, directory);
        });
  }

  private static boolean isDots(byte[] name, int count) {
    if (name.length != count) {
      return false;
    }
    for (byte b : name) {
      if (b != '.') {
        return false;
      }
    }
    return true;
  }

  private void access(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    int wanted = in.readInt() & SUPPORTED_ACCESS;
    answer(
        call,
        handle,
        out,
        place -> {
          int granted = place.files().access(place.who(), place.fileId(), wanted);
          writePost(out, place);
          out.writeInt(granted);
        });
  }

  private void readLink(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    answer(
        call,
        handle,
        out,
        place -> {
          byte[] target = place.files().readLink(place.who(), place.fileId());
          writePost(out, place);
          out.writeOpaque(target);
        });
  }

  private void read(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    long position = in.readLong();
    int wanted = (int) Math.min(in.readUint(), NfsLimits.MAX_TRANSFER_BYTES);
    answer(
        call,
        handle,
        out,
        place -> {
          if (position < 0) {
            throw new Refused(ERROR_INVAL);
          }
          if (denied(place, OpenFile.READ)) {
            throw new Refused(ERROR_ACCES);
          }
          try (OpenFile file =
              place.files().open(place.who(), place.fileId(), OpenFile.READ, true)) {
            Attributes attributes = file.attributes();
            int count = (int) Math.clamp(attributes.sizeBytes() - position, 0L, (long) wanted);
            writePost(out, place, attributes);
            int countAt = out.position();
            out.writeInt(0).writeBoolean(false);
            int bytesAt = out.beginOpaque(count);
            ReadResult result =
                count == 0
                    ? new ReadResult(0, position + wanted >= attributes.sizeBytes())
                    : file.read(position, out.array(), bytesAt, count);
            out.endOpaque(bytesAt, result.lengthBytes());
            out.patchInt(countAt, result.lengthBytes());
            out.patchInt(countAt + 4, result.end() ? 1 : 0);
          }
        });
  }

  private void write(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    long position = in.readLong();
    long count = in.readUint();
    int how = in.readInt();
    if (how < 0 || how > 2) {
      throw new XdrException("stable_how " + how);
    }
    Stability stability =
        switch (how) {
          case 0 -> Stability.UNSTABLE;
          case 1 -> Stability.DATA;
          default -> Stability.FILE;
        };
    XdrReader.Range bytes = in.readRange(OpenFile.MAX_TRANSFER_BYTES, "data");
    answerChange(
        call,
        handle,
        out,
        place -> {
          if (position < 0 || count > bytes.length()) {
            throw new Refused(ERROR_INVAL);
          }
          if (denied(place, OpenFile.WRITE)) {
            throw new Refused(ERROR_ACCES);
          }
          try (OpenFile file =
              place.files().open(place.who(), place.fileId(), OpenFile.WRITE, true)) {
            Change done =
                file.write(position, bytes.array(), bytes.offset(), (int) count, stability);
            writeWeak(out, place, done);
            out.writeInt((int) count).writeInt(how).writeLong(place.files().writeVerifier());
          }
        });
  }

  private void create(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    byte[] name = name(in);
    int how = in.readInt();
    CreateMode mode =
        switch (how) {
          case 0 -> new CreateMode.Unchecked(readAttributes(in));
          case 1 -> new CreateMode.Guarded(readAttributes(in));
          case 2 -> new CreateMode.Exclusive(in.readLong(), AttributeChange.NONE);
          default -> throw new XdrException("createmode " + how);
        };
    made(call, handle, out, place -> place.files().create(place.who(), place.fileId(), name, mode));
  }

  private void makeDirectory(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    byte[] name = name(in);
    AttributeChange attributes = readAttributes(in).withoutSize();
    made(
        call,
        handle,
        out,
        place -> place.files().makeDirectory(place.who(), place.fileId(), name, attributes));
  }

  private void makeSymbolicLink(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    byte[] name = name(in);
    AttributeChange attributes = readAttributes(in).withoutSize();
    byte[] target = in.readOpaque(NfsLimits.MAX_TARGET_BYTES, "target");
    made(
        call,
        handle,
        out,
        place ->
            place.files().makeSymbolicLink(place.who(), place.fileId(), name, target, attributes));
  }

  private void makeSpecialFile(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    byte[] name = name(in);
    int type = in.readInt();
    AttributeChange attributes = AttributeChange.NONE;
    SpecialFile file = null;
    switch (type) {
      case 3, 4 -> {
        attributes = readAttributes(in).withoutSize();
        file =
            new SpecialFile(
                type == 3 ? FileType.BLOCK_DEVICE : FileType.CHARACTER_DEVICE,
                in.readInt(),
                in.readInt());
      }
      case 6, 7 -> {
        attributes = readAttributes(in).withoutSize();
        file = new SpecialFile(type == 6 ? FileType.SOCKET : FileType.FIFO, 0, 0);
      }
      default -> {}
    }
    AttributeChange wanted = attributes;
    SpecialFile special = file;
    made(
        call,
        handle,
        out,
        place -> {
          if (special == null) {
            throw new Refused(ERROR_BADTYPE);
          }
          return place.files().makeSpecialFile(place.who(), place.fileId(), name, special, wanted);
        });
  }

  private interface Making {
    Created in(Place directory) throws IOException, Refused;
  }

  private void made(RpcCall call, XdrReader.Range handle, XdrWriter out, Making making) {
    answerChange(
        call,
        handle,
        out,
        place -> {
          Created created = making.in(place);
          out.writeBoolean(true);
          out.writeOpaque(doors.handles().handle(place.share().id(), created.file().fileId()));
          writePost(out, place, created.file());
          writeWeak(out, place, created.directory());
        });
  }

  private void remove(RpcCall call, XdrReader in, XdrWriter out, boolean directory)
      throws XdrException {
    XdrReader.Range handle = handle(in);
    byte[] name = name(in);
    answerChange(
        call,
        handle,
        out,
        place -> {
          Removed removed =
              directory
                  ? place.files().removeDirectory(place.who(), place.fileId(), name)
                  : place.files().remove(place.who(), place.fileId(), name);
          writeWeak(out, place, removed.directory());
        });
  }

  private void rename(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range fromHandle = handle(in);
    byte[] fromName = name(in);
    XdrReader.Range toHandle = handle(in);
    byte[] toName = name(in);
    Place from = null;
    Place to = null;
    int at = out.position();
    try {
      from = find(call, fromHandle);
      to = find(call, toHandle);
      if (!from.share().id().equals(to.share().id())) {
        throw new FileException(FileError.CROSS_SHARE, "rename between shares");
      }
      Renamed renamed =
          from.files().rename(from.who(), from.fileId(), fromName, to.fileId(), toName);
      out.writeInt(OK);
      writeWeak(out, from, renamed.from());
      writeWeak(out, to, renamed.to());
    } catch (IOException | Refused e) {
      out.rewind(at);
      out.writeInt(status(call, e));
      writeWeak(out, from);
      writeWeak(out, to);
    }
  }

  private void link(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    XdrReader.Range directoryHandle = handle(in);
    byte[] name = name(in);
    Place place = null;
    Place directory = null;
    int at = out.position();
    try {
      place = find(call, handle);
      directory = find(call, directoryHandle);
      if (!place.share().id().equals(directory.share().id())) {
        throw new FileException(FileError.CROSS_SHARE, "link between shares");
      }
      Created created = place.files().link(place.who(), place.fileId(), directory.fileId(), name);
      out.writeInt(OK);
      writePost(out, place, created.file());
      writeWeak(out, directory, created.directory());
    } catch (IOException | Refused e) {
      out.rewind(at);
      out.writeInt(status(call, e));
      writePost(out, place);
      writeWeak(out, directory);
    }
  }

  // ---- directories

  private void readDirectory(RpcCall call, XdrReader in, XdrWriter out, boolean plus)
      throws XdrException {
    XdrReader.Range handle = handle(in);
    long cookie = in.readLong();
    in.readLong();
    long namesBytes = in.readUint();
    long wholeBytes = plus ? in.readUint() : namesBytes;
    answer(
        call,
        handle,
        out,
        place -> {
          if (cookie > COOKIE_PARENT && Long.compareUnsigned(cookie, FileSystem.FIRST_COOKIE) < 0) {
            throw new Refused(ERROR_BAD_COOKIE);
          }
          int room = (int) Math.min(wholeBytes, NfsLimits.MAX_TRANSFER_BYTES);
          list(place, cookie, room, plus ? namesBytes : Long.MAX_VALUE, plus, out);
        });
  }

  private void list(
      Place place, long cookie, int roomBytes, long namesBytes, boolean plus, XdrWriter out)
      throws IOException, Refused {
    FileSystem files = place.files();
    // An entry takes about so much with a short name.
    int limit = Math.clamp(roomBytes / (plus ? 180 : 36), 1, FileSystem.MAX_PAGE_ENTRIES);
    long after = cookie >= FileSystem.FIRST_COOKIE || cookie < 0 ? cookie : 0;
    DirectoryPage page = files.list(place.who(), place.fileId(), after, limit, plus);
    int start = out.position();
    writePost(out, place, page.directory());
    out.writeLong(0);
    long namesLeft = namesBytes;
    int end = start + roomBytes - 8;
    boolean any = false;
    boolean full = false;
    if (cookie == 0) {
      any = entry(out, place, page.directory(), dots(1), COOKIE_SELF, plus, end);
      full = !any;
    }
    if (!full && cookie <= COOKIE_SELF && cookie >= 0) {
      boolean fits = entry(out, place, parent(place, page), dots(2), COOKIE_PARENT, plus, end);
      any |= fits;
      full = !fits;
    }
    boolean last = false;
    while (!full) {
      for (DirectoryEntry entry : page.entries()) {
        int nameBytes = 24 + entry.name().length;
        if (any && namesLeft < nameBytes) {
          full = true;
        } else {
          full = !entry(out, place, entry, plus, end);
        }
        if (full) {
          break;
        }
        namesLeft -= nameBytes;
        any = true;
        after = entry.cookie();
      }
      if (full || page.end()) {
        last = !full;
        break;
      }
      page = files.list(place.who(), place.fileId(), after, limit, plus);
    }
    if (!any && full) {
      throw new Refused(ERROR_TOOSMALL);
    }
    out.writeBoolean(false).writeBoolean(last);
  }

  private static byte[] dots(int count) {
    return count == 1 ? new byte[] {'.'} : new byte[] {'.', '.'};
  }

  private static Attributes parent(Place place, DirectoryPage page) {
    if (place.fileId() == place.files().rootId()) {
      return page.directory();
    }
    try {
      return place.files().lookupParent(place.who(), place.fileId());
    } catch (IOException _) {
      // Removed at this moment; the number of the name is of no use to anybody then.
      return page.directory();
    }
  }

  private boolean entry(
      XdrWriter out,
      Place place,
      Attributes attributes,
      byte[] name,
      long cookie,
      boolean plus,
      int end) {
    return entry(
        out, place, new DirectoryEntry(name, attributes.fileId(), cookie, attributes), plus, end);
  }

  /** Writes an entry; false, and nothing written, if it does not fit. */
  private boolean entry(XdrWriter out, Place place, DirectoryEntry entry, boolean plus, int end) {
    int at = out.position();
    int length = entry.name().length;
    int needed = 4 + 8 + 4 + length + (-length & 3) + 8;
    if (plus) {
      needed += 4 + (entry.attributes() == null ? 0 : 84) + 4 + 4 + FileHandles.BYTES;
    }
    if (at + needed > end) {
      return false;
    }
    out.writeBoolean(true).writeLong(entry.fileId()).writeOpaque(entry.name());
    out.writeLong(entry.cookie());
    if (plus) {
      writePost(out, place, entry.attributes());
      out.writeBoolean(true);
      out.writeOpaque(doors.handles().handle(place.share().id(), entry.fileId()));
    }
    return true;
  }

  // ---- the file system

  private void fileSystemStatus(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    answer(
        call,
        handle,
        out,
        place -> {
          SpaceStatus space = place.files().space();
          writePost(out, place);
          out.writeLong(space.totalBytes()).writeLong(space.freeBytes());
          out.writeLong(space.availableBytes());
          out.writeLong(space.totalFiles())
              .writeLong(space.freeFiles())
              .writeLong(space.freeFiles());
          out.writeInt(0);
        });
  }

  private void fileSystemInfo(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    answer(
        call,
        handle,
        out,
        place -> {
          writePost(out, place);
          int most = NfsLimits.MAX_TRANSFER_BYTES;
          out.writeInt(most).writeInt(most).writeInt(4096);
          out.writeInt(most).writeInt(most).writeInt(4096);
          out.writeInt(64 << 10).writeLong(FileSystem.MAX_FILE_BYTES);
          out.writeInt(0).writeInt(1).writeInt(PROPERTIES);
        });
  }

  private void pathConfiguration(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    answer(
        call,
        handle,
        out,
        place -> {
          writePost(out, place);
          out.writeInt(FileSystem.MAX_LINKS).writeInt(FileSystem.MAX_NAME_BYTES);
          out.writeBoolean(true).writeBoolean(true).writeBoolean(false).writeBoolean(true);
        });
  }

  private void commit(RpcCall call, XdrReader in, XdrWriter out) throws XdrException {
    XdrReader.Range handle = handle(in);
    in.readLong();
    in.readInt();
    answerChange(
        call,
        handle,
        out,
        place -> {
          // Whoever may name the file may make durable what others were told was written.
          try (OpenFile file =
              place.files().open(Credentials.ROOT, place.fileId(), OpenFile.READ, true)) {
            Change done = file.commit();
            writeWeak(out, place, done);
            out.writeLong(place.files().writeVerifier());
          }
        });
  }
}
