package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import onefold.store.Id;
import org.jspecify.annotations.Nullable;

/**
 * A share as clients see it: its files, and in each directory {@code .snapshots} with what the
 * directory was in each snapshot that has it. What is in a snapshot is read-only.
 *
 * <p>{@code .snapshots} is found by its name; the share's settings say whether the root's is listed
 * too. A file of that name that somebody made while they said there is none comes first.
 */
final class ShareWithSnapshots implements FileSystem, AutoCloseable {
  private static final byte[] NAME = ".snapshots".getBytes(UTF_8);
  private static final long ENTRY_COOKIE = SnapshotIds.MAX_FILE_ID + 1; // Behind all others.
  private static final int READ_ONLY_MODE = 0555;

  private final ShareFileSystem share;
  private final Snapshots snapshots;

  /** Takes over both. */
  ShareWithSnapshots(ShareFileSystem share, Snapshots snapshots) {
    this.share = share;
    this.snapshots = snapshots;
  }

  /** The files without the snapshots. */
  ShareFileSystem share() {
    return share;
  }

  Snapshots snapshots() {
    return snapshots;
  }

  /** Makes durable and closes what nobody has used for a while; called every few seconds. */
  void tick() throws IOException {
    share.tick();
    snapshots.tick();
  }

  @Override
  public void close() throws IOException {
    try {
      snapshots.close();
    } finally {
      share.close();
    }
  }

  // ---- which files are meant

  private static boolean isLive(long id) {
    return SnapshotIds.number(id) == 0;
  }

  /** Whether it is the {@code .snapshots} of a directory. */
  private static boolean isDirectoryOfSnapshots(long id) {
    return SnapshotIds.number(id) == SnapshotIds.DIRECTORY;
  }

  private ShareFileSystem files(long id) throws IOException {
    return isLive(id) ? share : snapshots.files(SnapshotIds.number(id));
  }

  /** Attributes of a file of a snapshot, by its id in the share. */
  static Attributes in(long number, Attributes a) {
    return number == 0 ? a : withId(a, SnapshotIds.id(number, a.fileId()));
  }

  private static DirectoryEntry in(long number, DirectoryEntry entry) {
    Attributes attributes = entry.attributes();
    return new DirectoryEntry(
        entry.name(),
        SnapshotIds.id(number, entry.fileId()),
        entry.cookie(),
        attributes == null ? null : in(number, attributes));
  }

  private static Attributes withId(Attributes a, long id) {
    return new Attributes(
        id,
        a.type(),
        a.mode(),
        a.linkCount(),
        a.uid(),
        a.gid(),
        a.sizeBytes(),
        a.spaceBytes(),
        a.deviceMajor(),
        a.deviceMinor(),
        a.accessTime(),
        a.modifyTime(),
        a.changeTime(),
        a.birthTime(),
        a.change(),
        a.dosAttributes());
  }

  private static FileException readOnly(long id) {
    return new FileException(
        FileError.READ_ONLY,
        "file " + SnapshotIds.fileId(id) + " is in a snapshot, which never changes");
  }

  /** Throws {@code READ_ONLY} unless all ids are of the share itself. */
  private static void requireLive(long... ids) throws FileException {
    for (long id : ids) {
      if (!isLive(id)) {
        throw readOnly(id);
      }
    }
  }

  private boolean isReserved(byte[] name) {
    return Arrays.equals(name, NAME)
        && share.settings().snapshotDirectory() != SnapshotDirectory.OFF;
  }

  private void checkFree(byte[] name) throws FileException {
    if (isReserved(name)) {
      throw new FileException(
          FileError.EXISTS,
          "'.snapshots' is the share's snapshots; 'share set --snapshot-directory off' frees the"
              + " name");
    }
  }

  // ---- .snapshots

  private Attributes attributesOfSnapshots(long directoryId) throws IOException {
    Attributes directory = share.attributes(directoryId);
    if (directory.type() != FileType.DIRECTORY) {
      throw new FileException(FileError.STALE, "file " + directoryId + " is no directory");
    }
    Instant changed = snapshots.changed();
    return new Attributes(
        SnapshotIds.id(SnapshotIds.DIRECTORY, directoryId),
        FileType.DIRECTORY,
        directory.mode() & READ_ONLY_MODE,
        2,
        directory.uid(),
        directory.gid(),
        directory.sizeBytes(),
        directory.spaceBytes(),
        0,
        0,
        changed,
        changed,
        changed,
        directory.birthTime(),
        Inode.nextChange(0, changed),
        0);
  }

  /** What a directory was in a snapshot; null if it was not there. */
  private @Nullable Attributes asItWas(long number, long directoryId) throws IOException {
    try {
      Attributes found = snapshots.files(number).attributes(directoryId);
      return found.type() == FileType.DIRECTORY ? in(number, found) : null;
    } catch (FileException e) {
      if (e.error() == FileError.STALE) {
        return null;
      }
      throw e;
    }
  }

  private DirectoryPage listSnapshots(Credentials who, long directoryId, long after, int limit)
      throws IOException {
    requireRight(who, directoryId, Access.READ);
    List<DirectoryEntry> page = new ArrayList<>();
    long number = Math.max(0, after - FIRST_COOKIE);
    for (Snapshots.Snapshot snapshot : snapshots.all().tailMap(number, false).values()) {
      Attributes found = asItWas(snapshot.number(), directoryId);
      if (found != null) {
        if (page.size() == limit) {
          return new DirectoryPage(attributesOfSnapshots(directoryId), page, false);
        }
        page.add(
            new DirectoryEntry(
                snapshot.name().getBytes(UTF_8),
                found.fileId(),
                FIRST_COOKIE + snapshot.number(),
                found));
      }
    }
    return new DirectoryPage(attributesOfSnapshots(directoryId), page, true);
  }

  private Attributes lookupSnapshot(Credentials who, long directoryId, byte[] name)
      throws IOException {
    Names.check(name);
    requireRight(who, directoryId, Access.LOOKUP);
    Optional<Snapshots.Snapshot> snapshot = snapshots.find(Names.text(name));
    Attributes found = snapshot.isEmpty() ? null : asItWas(snapshot.get().number(), directoryId);
    if (found == null) {
      throw new FileException(
          FileError.NOT_FOUND, "no snapshot '" + Names.text(name) + "' has this directory");
    }
    return found;
  }

  private void requireRight(Credentials who, long directoryId, int right) throws IOException {
    if (share.access(who, directoryId, right) == 0) {
      throw new FileException(FileError.ACCESS, "the directory does not allow it to " + who.uid());
    }
  }

  // ---- the share

  @Override
  public Id shareId() {
    return share.shareId();
  }

  @Override
  public long rootId() {
    return share.rootId();
  }

  @Override
  public long writeVerifier() {
    return share.writeVerifier();
  }

  @Override
  public SpaceStatus space() throws IOException {
    return share.space();
  }

  @Override
  public LockManager locks() {
    return share.locks();
  }

  @Override
  public Optional<String> readOnlyReason() {
    return share.readOnlyReason();
  }

  // ---- looking

  @Override
  public Attributes attributes(long fileId) throws IOException {
    if (isLive(fileId)) {
      return share.attributes(fileId);
    }
    long own = SnapshotIds.fileId(fileId);
    return isDirectoryOfSnapshots(fileId)
        ? attributesOfSnapshots(own)
        : in(SnapshotIds.number(fileId), files(fileId).attributes(own));
  }

  @Override
  public Attributes lookup(Credentials who, long directoryId, byte[] name) throws IOException {
    long own = SnapshotIds.fileId(directoryId);
    if (isDirectoryOfSnapshots(directoryId)) {
      return lookupSnapshot(who, own, name);
    }
    if (!isLive(directoryId)) {
      return in(SnapshotIds.number(directoryId), files(directoryId).lookup(who, own, name));
    }
    try {
      return share.lookup(who, directoryId, name);
    } catch (FileException e) {
      if (e.error() == FileError.NOT_FOUND && isReserved(name)) {
        return attributesOfSnapshots(directoryId);
      }
      throw e;
    }
  }

  @Override
  public DirectoryEntry lookupIgnoringCase(Credentials who, long directoryId, byte[] name)
      throws IOException {
    long own = SnapshotIds.fileId(directoryId);
    if (isDirectoryOfSnapshots(directoryId)) {
      return lookupSnapshotIgnoringCase(who, own, name);
    }
    if (!isLive(directoryId)) {
      long number = SnapshotIds.number(directoryId);
      return in(number, files(directoryId).lookupIgnoringCase(who, own, name));
    }
    try {
      return share.lookupIgnoringCase(who, directoryId, name);
    } catch (FileException e) {
      if (e.error() == FileError.NOT_FOUND && isReserved(CaseFolding.fold(name))) {
        Attributes directory = attributesOfSnapshots(directoryId);
        return new DirectoryEntry(NAME.clone(), directory.fileId(), ENTRY_COOKIE, directory);
      }
      throw e;
    }
  }

  private DirectoryEntry lookupSnapshotIgnoringCase(Credentials who, long directoryId, byte[] name)
      throws IOException {
    byte[] fold = CaseFolding.fold(name);
    List<byte[]> similar =
        snapshots.all().values().stream()
            .map(snapshot -> snapshot.name().getBytes(UTF_8))
            .filter(there -> Arrays.equals(CaseFolding.fold(there), fold))
            .toList();
    boolean exact = similar.stream().anyMatch(there -> Arrays.equals(there, name));
    byte[] meant = exact || similar.isEmpty() ? name : similar.getFirst();
    Attributes found = lookupSnapshot(who, directoryId, meant);
    long cookie = FIRST_COOKIE + SnapshotIds.number(found.fileId());
    return new DirectoryEntry(meant.clone(), found.fileId(), cookie, found);
  }

  @Override
  public Attributes lookupParent(Credentials who, long directoryId) throws IOException {
    if (isLive(directoryId)) {
      return share.lookupParent(who, directoryId);
    }
    long own = SnapshotIds.fileId(directoryId);
    if (isDirectoryOfSnapshots(directoryId)) {
      return share.attributes(own);
    }
    ShareFileSystem files = files(directoryId);
    return own == files.rootId()
        ? attributesOfSnapshots(share.rootId())
        : in(SnapshotIds.number(directoryId), files.lookupParent(who, own));
  }

  @Override
  public int access(Credentials who, long fileId, int wanted) throws IOException {
    long own = SnapshotIds.fileId(fileId);
    return isDirectoryOfSnapshots(fileId)
        ? share.access(who, own, wanted) & (Access.READ | Access.LOOKUP | Access.ATTRIBUTE_READ)
        : files(fileId).access(who, own, wanted);
  }

  @Override
  public DirectoryPage list(
      Credentials who, long directoryId, long after, int limit, boolean withAttributes)
      throws IOException {
    long own = SnapshotIds.fileId(directoryId);
    if (isDirectoryOfSnapshots(directoryId)) {
      return listSnapshots(who, own, after, limit);
    }
    DirectoryPage page = files(directoryId).list(who, own, after, limit, withAttributes);
    if (!isLive(directoryId)) {
      long number = SnapshotIds.number(directoryId);
      List<DirectoryEntry> entries = new ArrayList<>(page.entries().size());
      for (DirectoryEntry entry : page.entries()) {
        entries.add(in(number, entry));
      }
      return new DirectoryPage(in(number, page.directory()), entries, page.end());
    }
    boolean listed =
        directoryId == share.rootId()
            && share.settings().snapshotDirectory() == SnapshotDirectory.VISIBLE;
    return listed && page.end() && after < ENTRY_COOKIE ? withSnapshots(page) : page;
  }

  /** Adds {@code .snapshots} to the last page of the root, which has room for it. */
  private DirectoryPage withSnapshots(DirectoryPage page) throws IOException {
    List<DirectoryEntry> entries = new ArrayList<>(page.entries());
    if (share.isFree(share.rootId(), NAME)) {
      Attributes directory = attributesOfSnapshots(share.rootId());
      entries.add(new DirectoryEntry(NAME.clone(), directory.fileId(), ENTRY_COOKIE, directory));
    }
    return new DirectoryPage(page.directory(), entries, true);
  }

  @Override
  public byte[] readLink(Credentials who, long fileId) throws IOException {
    if (isDirectoryOfSnapshots(fileId)) {
      throw new FileException(FileError.INVALID, "a directory is no symbolic link");
    }
    return files(fileId).readLink(who, SnapshotIds.fileId(fileId));
  }

  // ---- names

  @Override
  public Created create(Credentials who, long directoryId, byte[] name, CreateMode mode)
      throws IOException {
    requireLive(directoryId);
    checkFree(name);
    return share.create(who, directoryId, name, mode);
  }

  @Override
  public Created makeDirectory(
      Credentials who, long directoryId, byte[] name, AttributeChange attributes)
      throws IOException {
    requireLive(directoryId);
    checkFree(name);
    return share.makeDirectory(who, directoryId, name, attributes);
  }

  @Override
  public Created makeSymbolicLink(
      Credentials who, long directoryId, byte[] name, byte[] target, AttributeChange attributes)
      throws IOException {
    requireLive(directoryId);
    checkFree(name);
    return share.makeSymbolicLink(who, directoryId, name, target, attributes);
  }

  @Override
  public Created makeSpecialFile(
      Credentials who, long directoryId, byte[] name, SpecialFile file, AttributeChange attributes)
      throws IOException {
    requireLive(directoryId);
    checkFree(name);
    return share.makeSpecialFile(who, directoryId, name, file, attributes);
  }

  @Override
  public Created link(Credentials who, long fileId, long directoryId, byte[] name)
      throws IOException {
    requireLive(directoryId, fileId);
    checkFree(name);
    return share.link(who, fileId, directoryId, name);
  }

  @Override
  public Removed remove(Credentials who, long directoryId, byte[] name) throws IOException {
    requireLive(directoryId);
    return share.remove(who, directoryId, name);
  }

  @Override
  public Removed removeDirectory(Credentials who, long directoryId, byte[] name)
      throws IOException {
    requireLive(directoryId);
    if (isReserved(name) && share.isFree(directoryId, name)) {
      throw readOnly(SnapshotIds.id(SnapshotIds.DIRECTORY, directoryId));
    }
    return share.removeDirectory(who, directoryId, name);
  }

  @Override
  public Renamed rename(
      Credentials who, long fromDirectoryId, byte[] fromName, long toDirectoryId, byte[] toName)
      throws IOException {
    requireLive(fromDirectoryId, toDirectoryId);
    checkFree(toName);
    return share.rename(who, fromDirectoryId, fromName, toDirectoryId, toName);
  }

  // ---- attributes

  @Override
  public Change setAttributes(
      Credentials who, long fileId, AttributeChange change, @Nullable Instant guard)
      throws IOException {
    requireLive(fileId);
    return share.setAttributes(who, fileId, change, guard);
  }

  @Override
  public List<AccessEntry> accessList(Credentials who, long fileId) throws IOException {
    return isDirectoryOfSnapshots(fileId)
        ? AccessLists.ofMode(attributes(fileId).mode(), true)
        : files(fileId).accessList(who, SnapshotIds.fileId(fileId));
  }

  @Override
  public Change setAccessList(Credentials who, long fileId, List<AccessEntry> entries)
      throws IOException {
    requireLive(fileId);
    return share.setAccessList(who, fileId, entries);
  }

  @Override
  public byte[] extendedAttribute(Credentials who, long fileId, byte[] name) throws IOException {
    if (isDirectoryOfSnapshots(fileId)) {
      throw new FileException(FileError.NO_ATTRIBUTE, "'.snapshots' has no extended attributes");
    }
    return files(fileId).extendedAttribute(who, SnapshotIds.fileId(fileId), name);
  }

  @Override
  public Change setExtendedAttribute(
      Credentials who, long fileId, byte[] name, byte[] value, AttributeMode mode)
      throws IOException {
    requireLive(fileId);
    return share.setExtendedAttribute(who, fileId, name, value, mode);
  }

  @Override
  public Change removeExtendedAttribute(Credentials who, long fileId, byte[] name)
      throws IOException {
    requireLive(fileId);
    return share.removeExtendedAttribute(who, fileId, name);
  }

  @Override
  public AttributeNames extendedAttributes(Credentials who, long fileId, byte[] after, int limit)
      throws IOException {
    return isDirectoryOfSnapshots(fileId)
        ? new AttributeNames(List.of(), true)
        : files(fileId).extendedAttributes(who, SnapshotIds.fileId(fileId), after, limit);
  }

  // ---- named streams

  @Override
  public List<StreamEntry> streams(Credentials who, long fileId) throws IOException {
    if (isDirectoryOfSnapshots(fileId)) {
      return List.of();
    }
    long number = SnapshotIds.number(fileId);
    return files(fileId).streams(who, SnapshotIds.fileId(fileId)).stream()
        .map(stream ->
            new StreamEntry(
                stream.name(),
                SnapshotIds.id(number, stream.streamId()),
                stream.sizeBytes(),
                stream.spaceBytes()))
        .toList();
  }

  @Override
  public Created createStream(Credentials who, long fileId, byte[] name, CreateMode mode)
      throws IOException {
    requireLive(fileId);
    return share.createStream(who, fileId, name, mode);
  }

  @Override
  public Change removeStream(Credentials who, long fileId, byte[] name) throws IOException {
    requireLive(fileId);
    return share.removeStream(who, fileId, name);
  }

  // ---- content

  @Override
  public OpenFile open(Credentials who, long fileId, int access, boolean asOwner)
      throws IOException {
    if (isLive(fileId)) {
      return share.open(who, fileId, access, asOwner);
    }
    if (isDirectoryOfSnapshots(fileId)) {
      throw new FileException(FileError.IS_DIRECTORY, "'.snapshots' is a directory");
    }
    if ((access & OpenFile.WRITE) != 0) {
      throw readOnly(fileId);
    }
    OpenFile file = files(fileId).open(who, SnapshotIds.fileId(fileId), access, asOwner);
    return new SnapshotFile(this, snapshots, SnapshotIds.number(fileId), file);
  }
}
