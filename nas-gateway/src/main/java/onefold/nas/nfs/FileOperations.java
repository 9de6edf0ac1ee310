package onefold.nas.nfs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import onefold.nas.Access;
import onefold.nas.AttributeMode;
import onefold.nas.AttributeNames;
import onefold.nas.Attributes;
import onefold.nas.Change;
import onefold.nas.Created;
import onefold.nas.Credentials;
import onefold.nas.DirectoryEntry;
import onefold.nas.DirectoryPage;
import onefold.nas.FileError;
import onefold.nas.FileException;
import onefold.nas.FileSystem;
import onefold.nas.FileType;
import onefold.nas.OpenFile;
import onefold.nas.Removed;
import onefold.nas.Renamed;
import onefold.nas.Security;
import onefold.nas.Share;
import onefold.nas.SpecialFile;

/** The operations of NFSv4 on names and attributes. */
final class FileOperations {
  private static final int SUPPORTED_ACCESS =
      Access.READ | Access.LOOKUP | Access.MODIFY | Access.EXTEND | Access.DELETE | Access.EXECUTE;
  private static final int SUPPORTED_ACCESS_2 =
      SUPPORTED_ACCESS | Access.ATTRIBUTE_READ | Access.ATTRIBUTE_WRITE | Access.ATTRIBUTE_LIST;

  private static final long ROOT_NUMBER = 1;
  private static final int MAX_XATTR_NAME_BYTES = 1024;

  /** The mechanism's object identifier 1.2.840.113554.1.2.2, as it stands in DER. */
  private static final byte[] KERBEROS = {
    0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x12, 1, 2, 2
  };

  private final Doors doors;
  private final Clients clients;
  private final States states;
  private final Instant started = Instant.now();

  FileOperations(Doors doors, Clients clients, States states) {
    this.doors = doors;
    this.clients = clients;
    this.states = states;
  }

  boolean serve(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    switch (operation) {
      case Operation.ACCESS -> access(c, in, out);
      case Operation.COMMIT -> commit(c, in, out);
      case Operation.CREATE -> create(c, in, out);
      case Operation.GETATTR -> getAttributes(c, in, out);
      case Operation.GETFH -> out.writeOpaque(doors.handles().handle(c.current().place()));
      case Operation.LINK -> link(c, in, out);
      case Operation.LOOKUP -> c.setCurrent(lookup(c, readName(in)));
      case Operation.LOOKUPP -> c.setCurrent(parent(c));
      case Operation.VERIFY -> {
        if (!isSame(c, in)) {
          throw new Refusal(Status.NOT_SAME);
        }
      }
      case Operation.NVERIFY -> {
        if (isSame(c, in)) {
          throw new Refusal(Status.SAME);
        }
      }
      case Operation.PUTFH -> putHandle(c, in);
      case Operation.PUTPUBFH, Operation.PUTROOTFH -> c.setCurrent(root());
      case Operation.READDIR -> readDirectory(c, in, out);
      case Operation.READLINK -> readLink(c, out);
      case Operation.REMOVE -> remove(c, in, out);
      case Operation.RENAME -> rename(c, in, out);
      case Operation.RESTOREFH -> c.restore();
      case Operation.SAVEFH -> c.save();
      case Operation.SECINFO -> securityOfName(c, in, out);
      case Operation.SETATTR -> setAttributes(c, in, out);
      default -> {
        return serveLater(c, operation, in, out);
      }
    }
    return true;
  }

  private boolean serveLater(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    switch (operation) {
      case Operation.SECINFO_NO_NAME -> security(c, in, out);
      case Operation.GETXATTR -> getAttribute(c, in, out);
      case Operation.SETXATTR -> setAttribute(c, in, out);
      case Operation.LISTXATTRS -> listAttributes(c, in, out);
      case Operation.REMOVEXATTR -> removeAttribute(c, in, out);
      default -> {
        return false;
      }
    }
    return true;
  }

  // ---- names and handles

  private static Compound.Node root() {
    return new Compound.Node(FileHandles.Place.ROOT, null);
  }

  static byte[] readName(XdrReader in) throws XdrException, Refusal {
    byte[] name = in.readOpaque(NfsLimits.MAX_NAME_BYTES, "name");
    if (name.length == 0) {
      throw new Refusal(Status.INVAL);
    }
    return name;
  }

  private void putHandle(Compound c, XdrReader in) throws IOException, Refusal {
    XdrReader.Range handle = in.readRange(NfsLimits.MAX_HANDLE_BYTES, "file handle");
    FileHandles.Place place =
        doors
            .handles()
            .open(handle.array(), handle.offset(), handle.length())
            .orElseThrow(() -> new Refusal(Status.BADHANDLE));
    c.setCurrent(place.pseudoRoot() ? root() : enter(c, place));
  }

  private Compound.Node enter(Compound c, FileHandles.Place place) throws IOException, Refusal {
    Optional<Share> share = doors.find(place.shareId());
    if (share.isEmpty()) {
      throw new Refusal(Status.STALE);
    }
    Compound.Node node = see(c, share.get(), place);
    if (!Doors.takes(share.get(), c.call())) {
      throw new Refusal(Status.WRONGSEC);
    }
    return node;
  }

  /** A file as who may enter its share sees it, however he proves who he is. */
  private Compound.Node see(Compound c, Share share, FileHandles.Place place) throws Refusal {
    Doors.Entered entered =
        doors.enter(share, c.call()).orElseThrow(() -> new Refusal(Status.ACCESS));
    return new Compound.Node(place, entered);
  }

  private static FileHandles.Place rootOf(Share share) {
    return new FileHandles.Place(false, share.id(), share.files().rootId());
  }

  private Share requireShare(byte[] name) throws IOException, Refusal {
    checkName(name);
    return doors
        .shares()
        .find(new String(name, StandardCharsets.UTF_8))
        .orElseThrow(() -> new Refusal(Status.NOENT));
  }

  private Compound.Node lookup(Compound c, byte[] name) throws IOException, Refusal {
    Compound.Node directory = c.current();
    if (directory.isPseudoRoot()) {
      return enter(c, rootOf(requireShare(name)));
    }
    Doors.Entered share = directory.share();
    Attributes found = share.files().lookup(share.who(), directory.fileId(), name);
    return directory.sibling(found.fileId());
  }

  /** Checks a name as the file layer would, where there is none. */
  private static void checkName(byte[] name) throws Refusal {
    if (name.length > FileSystem.MAX_NAME_BYTES) {
      throw new Refusal(Status.NAMETOOLONG);
    }
    boolean dots = name[0] == '.' && (name.length == 1 || (name.length == 2 && name[1] == '.'));
    if (dots) {
      throw new Refusal(Status.BADNAME);
    }
  }

  private Compound.Node parent(Compound c) throws IOException, Refusal {
    Compound.Node directory = c.current();
    if (directory.isPseudoRoot()) {
      throw new Refusal(Status.NOENT);
    }
    Doors.Entered share = directory.share();
    if (directory.fileId() == share.files().rootId()) {
      return root();
    }
    return directory.sibling(share.files().lookupParent(share.who(), directory.fileId()).fileId());
  }

  // ---- attributes

  private Attributes attributes(Compound.Node node) throws IOException {
    if (node.entered() != null) {
      return node.entered().files().attributes(node.fileId());
    }
    long change = 1;
    for (Share share : doors.shares().list()) {
      change += share.id().low() >>> 8;
    }
    return new Attributes(
        ROOT_NUMBER,
        FileType.DIRECTORY,
        0555,
        2 + doors.shares().list().size(),
        0,
        0,
        4096,
        0,
        0,
        0,
        started,
        started,
        started,
        started,
        change,
        0);
  }

  private Attributes4.Source source(Compound c, Compound.Node node) {
    return new Attributes4.Source(
        c.minor(), clients.leaseSeconds(), doors.handles(), node.entered());
  }

  private void getAttributes(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Bitmap wanted = Bitmap.read(in);
    Compound.Node node = c.current();
    if (Attributes4.isWriteOnly(wanted)) {
      throw new Refusal(Status.INVAL);
    }
    Attributes4.write(out, wanted, source(c, node), attributes(node), node.place(), Status.OK);
  }

  private boolean isSame(Compound c, XdrReader in) throws IOException, Refusal {
    Attributes4.Sent sent = Attributes4.readRaw(in);
    Compound.Node node = c.current();
    if (!sent.given().isWithin(Attributes4.supported(c.minor()))) {
      throw new Refusal(Status.ATTRNOTSUPP);
    }
    if (Attributes4.isWriteOnly(sent.given()) || sent.given().has(Attributes4.RDATTR_ERROR)) {
      throw new Refusal(Status.INVAL);
    }
    var own = new XdrWriter(512, NfsLimits.MAX_REPLY_BYTES);
    Attributes4.write(
        own, sent.given(), source(c, node), attributes(node), node.place(), Status.OK);
    var ours = new XdrReader(own.toBytes());
    Attributes4.Sent mine = Attributes4.readRaw(ours);
    return java.util.Arrays.equals(sent.values().copy(), mine.values().copy());
  }

  private void setAttributes(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid stateid = Stateid.read(in);
    Compound.Node node = c.current();
    Attributes4.Wanted wanted = Attributes4.read(in, c.minor());
    Doors.Entered share = node.share();
    if (wanted.attributes().sizeBytes() != null) {
      try (var file = states.use(c, node, c.meant(stateid), OpenFile.WRITE)) {
        // With the right to write that the open gave; then the rest.
        if (file.isOpenByState()) {
          file.file().setLength(wanted.attributes().sizeBytes());
          wanted = wanted.withoutSize();
        }
      }
    }
    apply(share, node.fileId(), wanted);
    wanted.given().write(out);
  }

  /** Sets what is to be set, the access list last, as it stands for the mode. */
  static void apply(Doors.Entered share, long fileId, Attributes4.Wanted wanted)
      throws IOException {
    if (!wanted.attributes().equals(onefold.nas.AttributeChange.NONE)) {
      share.files().setAttributes(share.who(), fileId, wanted.attributes(), null);
    }
    List<onefold.nas.AccessEntry> list = wanted.accessList();
    if (list != null) {
      share.files().setAccessList(share.who(), fileId, list);
    }
  }

  private void access(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    int wanted = in.readInt();
    Compound.Node node = c.current();
    int all = c.minor() < 2 ? SUPPORTED_ACCESS : SUPPORTED_ACCESS_2;
    if ((wanted & ~all) != 0 && c.minor() == 0) {
      throw new Refusal(Status.INVAL);
    }
    boolean directory = attributes(node).type() == FileType.DIRECTORY;
    int supported = wanted & all & ~(directory ? Access.EXECUTE : Access.LOOKUP | Access.DELETE);
    int granted;
    if (node.entered() == null) {
      granted = supported & (Access.READ | Access.LOOKUP);
    } else {
      Doors.Entered share = node.share();
      granted = share.files().access(share.who(), node.fileId(), supported);
    }
    out.writeInt(supported).writeInt(granted);
  }

  private void readLink(Compound c, XdrWriter out) throws IOException, Refusal {
    Compound.Node node = c.current();
    if (node.isPseudoRoot()) {
      throw new Refusal(c.minor() == 0 ? Status.INVAL : Status.WRONG_TYPE);
    }
    Doors.Entered share = node.share();
    FileType type = share.files().attributes(node.fileId()).type();
    if (type != FileType.SYMBOLIC_LINK) {
      throw new Refusal(c.minor() == 0 ? Status.INVAL : Status.WRONG_TYPE);
    }
    out.writeOpaque(share.files().readLink(share.who(), node.fileId()));
  }

  private void commit(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    long position = in.readLong();
    long count = in.readUint();
    Compound.Node node = c.current();
    if (node.isPseudoRoot()) {
      throw new Refusal(Status.ISDIR);
    }
    if (Long.compareUnsigned(position + count, position) < 0) {
      throw new Refusal(Status.INVAL);
    }
    // Whoever may name the file may make durable what others were told was written.
    try (OpenFile file = node.files().open(Credentials.ROOT, node.fileId(), OpenFile.READ, true)) {
      file.commit();
    }
    out.writeLong(node.files().writeVerifier());
  }

  // ---- changes of names

  static void writeChange(XdrWriter out, Change change) {
    out.writeBoolean(true).writeLong(change.before().change()).writeLong(change.after().change());
  }

  private void create(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    int type = in.readInt();
    byte[] target = new byte[0];
    SpecialFile special = null;
    boolean known = true;
    switch (type) {
      case 2 -> {}
      case 3, 4 ->
          special =
              new SpecialFile(
                  type == 3 ? FileType.BLOCK_DEVICE : FileType.CHARACTER_DEVICE,
                  in.readInt(),
                  in.readInt());
      case 5 -> target = in.readOpaque(NfsLimits.MAX_TARGET_BYTES, "target");
      case 6 -> special = new SpecialFile(FileType.SOCKET, 0, 0);
      case 7 -> special = new SpecialFile(FileType.FIFO, 0, 0);
      default -> known = false;
    }
    byte[] name = in.readOpaque(NfsLimits.MAX_NAME_BYTES, "name");
    Compound.Node directory = c.current();
    if (!known) {
      Attributes4.readRaw(in);
      throw new Refusal(Status.BADTYPE);
    }
    Attributes4.Wanted wanted = Attributes4.read(in, c.minor()).withoutSize();
    if (name.length == 0) {
      throw new Refusal(Status.INVAL);
    }
    Doors.Entered share = directory.share();
    FileSystem files = share.files();
    Credentials who = share.who();
    long in2 = directory.fileId();
    Created made;
    if (type == 2) {
      made = files.makeDirectory(who, in2, name, wanted.attributes());
    } else if (special != null) {
      made = files.makeSpecialFile(who, in2, name, special, wanted.attributes());
    } else {
      made = files.makeSymbolicLink(who, in2, name, target, wanted.attributes());
    }
    List<onefold.nas.AccessEntry> list = wanted.accessList();
    if (list != null) {
      files.setAccessList(who, made.file().fileId(), list);
    }
    c.setCurrent(directory.sibling(made.file().fileId()));
    writeChange(out, made.directory());
    wanted.given().write(out);
  }

  private void link(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    byte[] name = readName(in);
    Compound.Node directory = c.current();
    Compound.Node file = c.saved();
    if (directory.isPseudoRoot() != file.isPseudoRoot()
        || !directory.place().shareId().equals(file.place().shareId())) {
      throw new Refusal(Status.XDEV);
    }
    Doors.Entered share = directory.share();
    Created made = share.files().link(share.who(), file.fileId(), directory.fileId(), name);
    writeChange(out, made.directory());
  }

  private void remove(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    byte[] name = readName(in);
    Compound.Node directory = c.current();
    Doors.Entered share = directory.share();
    Removed removed;
    try {
      removed = share.files().remove(share.who(), directory.fileId(), name);
    } catch (FileException e) {
      if (e.error() != FileError.IS_DIRECTORY) {
        throw e;
      }
      removed = share.files().removeDirectory(share.who(), directory.fileId(), name);
    }
    writeChange(out, removed.directory());
  }

  private void rename(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    byte[] fromName = readName(in);
    byte[] toName = readName(in);
    Compound.Node to = c.current();
    Compound.Node from = c.saved();
    if (to.isPseudoRoot() != from.isPseudoRoot()
        || !to.place().shareId().equals(from.place().shareId())) {
      throw new Refusal(Status.XDEV);
    }
    Doors.Entered share = to.share();
    Renamed renamed;
    try {
      renamed = share.files().rename(share.who(), from.fileId(), fromName, to.fileId(), toName);
    } catch (FileException e) {
      throw renameError(e);
    }
    writeChange(out, renamed.from());
    writeChange(out, renamed.to());
  }

  /** A name that cannot be replaced by what has the other is there (RFC 7530, 16.27.4). */
  private static FileException renameError(FileException e) {
    return switch (e.error()) {
      case IS_DIRECTORY, NOT_EMPTY ->
          new FileException(FileError.EXISTS, String.valueOf(e.getMessage()), e);
      default -> e;
    };
  }

  // ---- security

  private void securityOfName(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    byte[] name = readName(in);
    if (c.current().isPseudoRoot()) {
      // Also for who comes in another way than the share wants: he asks to be told.
      Share share = requireShare(name);
      var _ = see(c, share, rootOf(share));
      writeSecurity(c, share.settings().security(), out);
      return;
    }
    writeSecurity(c, security(lookup(c, name)), out);
  }

  private void security(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    int style = in.readInt();
    Compound.Node node =
        switch (style) {
          case 0 -> c.current();
          case 1 -> parent(c);
          default -> throw new XdrException("secinfo style " + style);
        };
    writeSecurity(c, security(node), out);
  }

  /** How one may come to a file; above the shares in every way. */
  private Set<Security> security(Compound.Node node) {
    if (node.entered() != null) {
      return node.entered().share().settings().security();
    }
    return doors.withKerberos() ? EnumSet.allOf(Security.class) : Set.of(Security.SYS);
  }

  private static void writeSecurity(Compound c, Set<Security> kinds, XdrWriter out) {
    if (c.minor() > 0) {
      c.setCurrent(null);
    }
    boolean sys = kinds.contains(Security.SYS);
    out.writeInt(kinds.size() + (sys ? 1 : 0));
    // The strongest first: clients take the first that they can.
    for (Security each : List.of(Security.KRB5P, Security.KRB5I, Security.KRB5)) {
      if (kinds.contains(each)) {
        out.writeInt(Credential.GSS)
            .writeOpaque(KERBEROS)
            .writeInt(0)
            .writeInt(GssCalls.service(each));
      }
    }
    if (sys) {
      out.writeInt(Credential.SYS).writeInt(Credential.NONE);
    }
  }

  // ---- directories

  private void readDirectory(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    long cookie = in.readLong();
    in.readLong();
    long namesBytes = in.readUint();
    long wholeBytes = in.readUint();
    Bitmap wanted = Bitmap.read(in);
    Compound.Node node = c.current();
    if (Attributes4.isWriteOnly(wanted)) {
      throw new Refusal(Status.INVAL);
    }
    if (cookie != 0 && Long.compareUnsigned(cookie, FileSystem.FIRST_COOKIE) < 0) {
      throw new Refusal(Status.BAD_COOKIE);
    }
    int start = out.position();
    int room =
        (int) Math.min(Math.min(wholeBytes, NfsLimits.MAX_TRANSFER_BYTES), out.maxBytes() - start);
    out.writeLong(0);
    // What ends the list: no further entry, and whether that is the end of the directory.
    int end = start + room - 8;
    boolean any =
        node.isPseudoRoot()
            ? listShares(c, cookie, wanted, out, end)
            : list(c, node, cookie, namesBytes, wanted, out, end);
    if (!any) {
      throw new Refusal(Status.TOOSMALL);
    }
  }

  /** Lists a directory; false if not even one of its entries fits. */
  private boolean list(
      Compound c,
      Compound.Node node,
      long cookie,
      long namesBytes,
      Bitmap wanted,
      XdrWriter out,
      int end)
      throws IOException, Refusal {
    Doors.Entered share = node.share();
    Attributes4.Source source = source(c, node);
    int room = Math.max(end - out.position(), 0);
    int limit = Math.clamp(room / 64, 1, FileSystem.MAX_PAGE_ENTRIES);
    Bitmap beside = Bitmap.of(Attributes4.RDATTR_ERROR);
    boolean withAttributes = !wanted.isWithin(beside);
    long namesLeft = namesBytes == 0 ? Long.MAX_VALUE : namesBytes;
    long after = cookie;
    boolean any = false;
    while (true) {
      DirectoryPage page =
          share.files().list(share.who(), node.fileId(), after, limit, withAttributes);
      for (DirectoryEntry entry : page.entries()) {
        after = entry.cookie();
        int nameBytes = 16 + entry.name().length;
        if ((any && namesLeft < nameBytes)
            || !entry(node, entry, wanted, withAttributes, source, out, end)) {
          if (any) {
            out.writeBoolean(false).writeBoolean(false);
          }
          return any;
        }
        namesLeft -= nameBytes;
        any = true;
      }
      if (page.end()) {
        if (out.position() > end) {
          return false;
        }
        out.writeBoolean(false).writeBoolean(true);
        return true;
      }
    }
  }

  private static boolean entry(
      Compound.Node node,
      DirectoryEntry entry,
      Bitmap wanted,
      boolean withAttributes,
      Attributes4.Source source,
      XdrWriter out,
      int end)
      throws IOException {
    Attributes attributes = entry.attributes();
    if (withAttributes && attributes == null && !wanted.has(Attributes4.RDATTR_ERROR)) {
      // It is being removed at this moment.
      return true;
    }
    int at = out.position();
    int bound = out.maxBytes();
    if (at >= end) {
      return false;
    }
    out.limit(end);
    try {
      out.writeBoolean(true).writeLong(entry.cookie()).writeOpaque(entry.name());
      if (attributes != null) {
        Attributes4.write(
            out, wanted, source, attributes, node.sibling(entry.fileId()).place(), Status.OK);
      } else if (withAttributes) {
        Attributes4.writeError(out, Status.NOENT);
      } else if (wanted.has(Attributes4.RDATTR_ERROR)) {
        Attributes4.writeError(out, Status.OK);
      } else {
        out.writeInt(0).writeInt(0);
      }
      return true;
    } catch (XdrWriter.Full _) {
      out.rewind(at);
      return false;
    } finally {
      out.limit(bound);
    }
  }

  /** Lists the shares that the client may enter. */
  private boolean listShares(Compound c, long cookie, Bitmap wanted, XdrWriter out, int end)
      throws IOException, Refusal {
    List<Share> shares = new ArrayList<>(doors.shares().list());
    shares.removeIf(share -> !doors.decide(share, c.call().client()).allowed());
    shares.sort(Comparator.comparingLong(share -> Attributes4.shareNumber(share.id())));
    boolean any = false;
    for (Share share : shares) {
      long own = Attributes4.shareNumber(share.id());
      if (own <= cookie) {
        continue;
      }
      Compound.Node node = see(c, share, rootOf(share));
      var entry =
          new DirectoryEntry(
              share.name().getBytes(StandardCharsets.UTF_8),
              node.fileId(),
              own,
              share.files().attributes(node.fileId()));
      if (!entry(node, entry, wanted, true, source(c, node), out, end)) {
        if (any) {
          out.writeBoolean(false).writeBoolean(false);
        }
        return any;
      }
      any = true;
    }
    out.writeBoolean(false).writeBoolean(true);
    return true;
  }

  // ---- extended attributes, RFC 8276

  private static byte[] readAttributeName(XdrReader in) throws XdrException, Refusal {
    byte[] name = in.readOpaque(MAX_XATTR_NAME_BYTES, "attribute name");
    if (name.length == 0) {
      throw new Refusal(Status.INVAL);
    }
    return name;
  }

  private void getAttribute(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    byte[] name = readAttributeName(in);
    Compound.Node node = c.current();
    Doors.Entered share = node.share();
    out.writeOpaque(share.files().extendedAttribute(share.who(), node.fileId(), name));
  }

  private void setAttribute(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    int how = in.readInt();
    byte[] name = readAttributeName(in);
    // Longer ones than there may be are told so by the file layer.
    byte[] value = in.readOpaque(2 * FileSystem.MAX_EXTENDED_ATTRIBUTE_BYTES, "attribute value");
    AttributeMode mode =
        switch (how) {
          case 0 -> AttributeMode.EITHER;
          case 1 -> AttributeMode.CREATE;
          case 2 -> AttributeMode.REPLACE;
          default -> throw new Refusal(Status.INVAL);
        };
    Compound.Node node = c.current();
    Doors.Entered share = node.share();
    writeChange(
        out, share.files().setExtendedAttribute(share.who(), node.fileId(), name, value, mode));
  }

  private void removeAttribute(Compound c, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    byte[] name = readAttributeName(in);
    Compound.Node node = c.current();
    Doors.Entered share = node.share();
    writeChange(out, share.files().removeExtendedAttribute(share.who(), node.fileId(), name));
  }

  /** A cookie is how many names came before: in order of name, there are few. */
  private void listAttributes(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    long cookie = in.readLong();
    long maxBytes = in.readUint();
    Compound.Node node = c.current();
    Doors.Entered share = node.share();
    if (cookie < 0 || cookie > FileSystem.MAX_EXTENDED_ATTRIBUTES) {
      throw new Refusal(Status.BAD_COOKIE);
    }
    List<byte[]> names = new ArrayList<>();
    byte[] after = new byte[0];
    while (true) {
      AttributeNames page =
          share
              .files()
              .extendedAttributes(share.who(), node.fileId(), after, FileSystem.MAX_PAGE_ENTRIES);
      names.addAll(page.names());
      if (page.end() || page.names().isEmpty()) {
        break;
      }
      after = page.names().getLast();
    }
    int start = out.position();
    long room = Math.min(maxBytes, out.maxBytes() - start);
    int first = (int) Math.min(cookie, names.size());
    int last = first;
    // Cookie, count and end; then each name with its length.
    long used = 8 + 4 + 4;
    while (last < names.size()) {
      int length = names.get(last).length;
      long next = used + 4 + length + (-length & 3);
      if (next > room) {
        break;
      }
      used = next;
      last++;
    }
    if (used > room || (last == first && first < names.size())) {
      throw new Refusal(Status.TOOSMALL);
    }
    out.writeLong(last).writeInt(last - first);
    for (byte[] name : names.subList(first, last)) {
      out.writeOpaque(name);
    }
    out.writeBoolean(last == names.size());
  }
}
