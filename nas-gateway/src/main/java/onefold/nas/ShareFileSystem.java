package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.nas.ShareTreeFormat.CookieValue;
import onefold.nas.ShareTreeFormat.NameValue;
import onefold.nas.ShareTreeFormat.PendingValue;
import onefold.nas.ShareTreeFormat.ShareValue;
import onefold.store.Id;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareRecord;
import onefold.store.ShareStore;
import org.jspecify.annotations.Nullable;

/**
 * The files of one share over its tree and its objects.
 *
 * <p>A change is made under the locks of the files it touches: it looks, decides, and gives all its
 * entries to the tree in one piece. It waits for the disk without a lock, so that many changes
 * share a barrier, in one directory too.
 */
final class ShareFileSystem implements FileSystem, AutoCloseable {
  private static final int ROOT_MODE = 01777;
  private static final long DIRECTORY_BYTES = 4096;
  private static final long MOST_FILES = 1L << 40;
  private static final int SET_ID_BITS = 06000;
  private static final int SET_GID = 02000;
  private static final int STICKY = 01000;
  private static final int CLEANING_PAGE = 500;
  private static final long MOST_MILLIS_BETWEEN_QUIET_LOOKS = 3_600_000;

  private final ShareStore store;
  private final ShareRecord record;
  private final Entries entries;
  private final InstantSource clock;
  private final Supplier<Id> objectIds;
  private final SpaceSource space;
  private final ObjectRoot emptyRoot;
  private final FileLocks files = new FileLocks();
  private final ReentrantLock directoryTree = new ReentrantLock(); // before file locks
  private final OpenFiles open;
  private final LockManager locks = new LockManager();
  private final Permissions permissions;
  private final Usage usage;
  private final FileIds ids;
  private final Retention retention;
  private final long rootId;
  private volatile ShareSettings settings;
  private long nextQuietLookMillis; // used by the ticker only

  /**
   * Opens a share; makes its root directory if it is new, and removes files that had lost their
   * last name when the server ended.
   *
   * @param objectIds gives a new random id at each call, from any thread
   * @param set of the share's domain
   */
  ShareFileSystem(
      ShareStore store,
      ShareRecord record,
      ShareSettings settings,
      InstantSource clock,
      Supplier<Id> objectIds,
      SpaceSource space,
      ParameterSet set)
      throws IOException {
    this.store = store;
    this.record = record;
    this.settings = settings;
    this.clock = clock;
    this.objectIds = objectIds;
    this.space = space;
    this.open = new OpenFiles(this::orphaned, record.snapshot());
    this.emptyRoot = ShareObject.empty(record.id(), set).root();
    this.entries = new Entries(store.shareTree(record.id()));
    this.permissions = new Permissions(this::storedAccessList);
    this.usage = new Usage(this::countBytes);
    this.retention = new Retention(this::settings, store::storeTimeMillis);
    byte[] key = ShareTreeFormat.shareKey();
    Optional<ShareEntry> found = entries.find(key);
    if (found.isEmpty()) {
      ShareValue share = new ShareValue(FIRST_COOKIE, FIRST_COOKIE + 1);
      Inode root =
          Inode.make(
              share.rootId(),
              FileType.DIRECTORY,
              ROOT_MODE,
              settings.ownerUid(),
              settings.ownerGid(),
              share.rootId(),
              clock.instant());
      Entries.await(
          entries.change(
              List.of(
                  new ShareChange.SetValue(key, ShareTreeFormat.share(share)),
                  new ShareChange.SetValue(
                      ShareTreeFormat.inodeKey(share.rootId()), ShareTreeFormat.inode(root)))));
      this.rootId = share.rootId();
      this.ids = new FileIds(entries, share);
    } else {
      ShareValue share = ShareTreeFormat.readShare(key, found.get().value());
      this.rootId = share.rootId();
      this.ids = new FileIds(entries, share);
      removeOrphans();
    }
  }

  // ---- the share

  @Override
  public Id shareId() {
    return record.id();
  }

  @Override
  public long rootId() {
    return rootId;
  }

  @Override
  public long writeVerifier() {
    return store.startNumber();
  }

  @Override
  public LockManager locks() {
    return locks;
  }

  ShareSettings settings() {
    return settings;
  }

  Entries entries() {
    return entries;
  }

  /** Makes durable what was changed so far, so that a copy of the share has it as it is. */
  void force() throws IOException {
    open.force(clock.millis());
  }

  Id domainId() {
    return record.domainId();
  }

  void setSettings(ShareSettings changed) {
    settings = changed;
  }

  @Override
  public Optional<String> readOnlyReason() {
    if (record.snapshot()) {
      return Optional.of(record.name() + " is a snapshot");
    }
    return settings.readOnly()
        ? Optional.of("share " + record.name() + " is read-only by its settings")
        : Optional.empty();
  }

  @Override
  public SpaceStatus space() throws IOException {
    SpaceSource.Room room = space.room();
    long total = room.totalBytes();
    long free = room.freeBytes();
    long quota = settings.quotaBytes();
    if (quota > 0) {
      total = Math.min(total, quota);
      free = Math.min(free, Math.max(0, quota - usage.bytes()));
    }
    return new SpaceStatus(total, free, free, MOST_FILES, MOST_FILES);
  }

  long usedBytes() throws IOException {
    return usage.bytes();
  }

  /** Whether nothing is in the root directory. */
  boolean isEmpty() throws IOException {
    return isEmpty(rootId);
  }

  private boolean isEmpty(long directoryId) throws IOException {
    return entries
        .scan(ShareTreeFormat.prefix(ShareTreeFormat.NAME, directoryId), new byte[0], 1)
        .isEmpty();
  }

  /** The latest time until which a file is kept; empty if none is. */
  Optional<Instant> retainedUntil() throws IOException {
    if (!retention.on()) {
      return Optional.empty();
    }
    Instant latest = Instant.MIN;
    byte[] after = new byte[0];
    List<ShareEntry> page;
    do {
      page = entries.scan(new byte[] {ShareTreeFormat.INODE}, after, MAX_PAGE_ENTRIES);
      for (ShareEntry entry : page) {
        after = entry.key();
        Inode inode = ShareTreeFormat.readInode(after, entry.value());
        if (retention.isRetained(inode) && inode.accessTime().isAfter(latest)) {
          latest = inode.accessTime();
        }
      }
    } while (page.size() == MAX_PAGE_ENTRIES);
    return latest.equals(Instant.MIN) ? Optional.empty() : Optional.of(latest);
  }

  /** Whether no entry of a directory has this name. */
  boolean isFree(long directoryId, byte[] name) throws IOException {
    return name(directoryId, name).isEmpty();
  }

  /** Makes durable and closes what nobody has used for a while; called every few seconds. */
  void tick() throws IOException {
    open.tick(clock.millis());
    commitQuiet();
  }

  /** Commits files that have not changed for the quiet time; looks ten times in that time. */
  private void commitQuiet() throws IOException {
    long quietMillis = settings.worm().quietSeconds() * 1000;
    long now = retention.nowMillis();
    if (quietMillis == 0 || now < nextQuietLookMillis) {
      return;
    }
    nextQuietLookMillis = now + Math.min(quietMillis / 10, MOST_MILLIS_BETWEEN_QUIET_LOOKS);
    byte[] after = new byte[0];
    List<ShareEntry> page;
    do {
      page = entries.scan(new byte[] {ShareTreeFormat.PENDING}, after, CLEANING_PAGE);
      for (ShareEntry entry : page) {
        after = entry.key();
        if (isQuiet(entry, now - quietMillis)) {
          commitQuiet(ShareTreeFormat.keyId(after));
        }
      }
    } while (page.size() == CLEANING_PAGE);
  }

  private void commitQuiet(long fileId) throws IOException {
    try {
      var _ = commit(Credentials.ROOT, fileId, AttributeChange.NONE);
    } catch (FileException e) {
      if (e.error() != FileError.STALE && e.error() != FileError.RETAINED) {
        throw e;
      }
    }
  }

  /** Whether a file has not changed since a time; takes note of it if it has. */
  private boolean isQuiet(ShareEntry entry, long sinceMillis) throws IOException {
    long fileId = ShareTreeFormat.keyId(entry.key());
    PendingValue seen = ShareTreeFormat.readPending(entry.key(), entry.value());
    try (var _ = files.hold(fileId)) {
      long change = inode(fileId).change();
      if (change == seen.change()) {
        return seen.sinceMillis() <= sinceMillis;
      }
      // Nobody waits: if it is lost, the file is committed later.
      var _ =
          entries.change(
              List.of(
                  new ShareChange.SetValue(
                      entry.key(),
                      ShareTreeFormat.pending(new PendingValue(change, retention.nowMillis())))));
      return false;
    } catch (FileException e) {
      if (e.error() == FileError.STALE) {
        return false; // It was removed, and its entry with it.
      }
      throw e;
    }
  }

  /** Contents that are open or were a moment ago. */
  int openCount() {
    return open.count();
  }

  @Override
  public void close() throws IOException {
    open.close();
  }

  // ---- looking

  @Override
  public Attributes attributes(long fileId) throws IOException {
    FileContent content = open.find(fileId);
    if (content == null) {
      Stored stored = stored(fileId);
      return stored.dataBytes < 0 && stored.inode.sparse()
          ? sparseAttributes(fileId)
          : stored.attributes();
    }
    FileContent.State state = content.state();
    return state.inode().sparse()
        ? sparseAttributes(fileId)
        : state.inode().attributes(state.lengthBytes(), state.lengthBytes());
  }

  /** Attributes of a file with holes: its object knows how much is there. */
  private Attributes sparseAttributes(long fileId) throws IOException {
    FileContent content;
    try (var _ = files.hold(fileId)) {
      content = hold(fileId);
    }
    try {
      return attributes(content, content.state());
    } finally {
      release(content);
    }
  }

  /** Attributes of a content that the caller holds. */
  private static Attributes attributes(FileContent content, FileContent.State state)
      throws IOException {
    long space = state.lengthBytes();
    if (state.inode().sparse()) {
      try {
        space = content.object().dataBytes();
      } catch (IOException e) {
        throw Entries.translated(e);
      }
    }
    return state.inode().attributes(state.lengthBytes(), space);
  }

  @Override
  public Attributes lookup(Credentials who, long directoryId, byte[] name) throws IOException {
    Names.check(name);
    Inode directory = directory(directoryId);
    permissions.check(directory, who, Permissions.EXECUTE);
    for (int tries = 0; ; tries++) {
      NameValue found = requireName(directoryId, name);
      try {
        return attributes(found.fileId());
      } catch (FileException e) {
        // Removed or replaced between the two looks.
        if (e.error() != FileError.STALE || tries == 100) {
          throw e;
        }
      }
    }
  }

  @Override
  public DirectoryEntry lookupIgnoringCase(Credentials who, long directoryId, byte[] name)
      throws IOException {
    Names.check(name);
    permissions.check(directory(directoryId), who, Permissions.EXECUTE);
    for (int tries = 0; ; tries++) {
      DirectoryEntry found =
          findIgnoringCase(directoryId, name)
              .orElseThrow(() ->
                  new FileException(
                      FileError.NOT_FOUND,
                      "no name '" + Names.text(name) + "', whatever the case of its letters"));
      try {
        return new DirectoryEntry(
            found.name(), found.fileId(), found.cookie(), attributes(found.fileId()));
      } catch (FileException e) {
        // Removed or replaced between the two looks.
        if (e.error() != FileError.STALE || tries == 100) {
          throw e;
        }
      }
    }
  }

  /** Finds the name itself, else its fold, else the oldest of those that have the same fold. */
  private Optional<DirectoryEntry> findIgnoringCase(long directoryId, byte[] name)
      throws IOException {
    byte[] fold = CaseFolding.fold(name);
    for (byte[] exact : Arrays.equals(fold, name) ? List.of(name) : List.of(name, fold)) {
      Optional<NameValue> found = name(directoryId, exact);
      if (found.isPresent()) {
        NameValue value = found.get();
        return Optional.of(new DirectoryEntry(exact.clone(), value.fileId(), value.cookie(), null));
      }
    }
    List<ShareEntry> others =
        entries.scan(ShareTreeFormat.foldedPrefix(directoryId, fold), new byte[0], 1);
    if (others.isEmpty()) {
      return Optional.empty();
    }
    byte[] key = others.getFirst().key();
    CookieValue value = ShareTreeFormat.readCookie(key, others.getFirst().value());
    return Optional.of(
        new DirectoryEntry(
            value.name(), value.fileId(), ShareTreeFormat.keyFoldedCookie(key), null));
  }

  @Override
  public Attributes lookupParent(Credentials who, long directoryId) throws IOException {
    Inode directory = directory(directoryId);
    permissions.check(directory, who, Permissions.EXECUTE);
    if (directoryId == rootId) {
      throw new FileException(FileError.NOT_FOUND, "nothing is above a share's root");
    }
    return attributes(directory.parentId());
  }

  @Override
  public int access(Credentials who, long fileId, int wanted) throws IOException {
    Inode inode = owner(inode(fileId));
    int may = permissions.access(inode, who, wanted);
    boolean frozen = who.readOnly() || readOnlyReason().isPresent();
    return frozen || inode.committed()
        ? may & ~(Access.MODIFY | Access.EXTEND | Access.DELETE | Access.ATTRIBUTE_WRITE)
        : may;
  }

  @Override
  public DirectoryPage list(
      Credentials who, long directoryId, long after, int limit, boolean withAttributes)
      throws IOException {
    if (limit < 1 || limit > MAX_PAGE_ENTRIES) {
      throw new IllegalArgumentException("limit " + limit);
    }
    Inode directory = directory(directoryId);
    permissions.check(directory, who, Permissions.READ);
    byte[] from = ShareTreeFormat.cookieKey(directoryId, Math.max(after, 0));
    if (after < 0) {
      throw new FileException(FileError.BAD_COOKIE, "cookie " + Long.toUnsignedString(after));
    }
    List<ShareEntry> found =
        entries.scan(ShareTreeFormat.prefix(ShareTreeFormat.COOKIE, directoryId), from, limit);
    List<DirectoryEntry> page = new ArrayList<>(found.size());
    for (ShareEntry entry : found) {
      CookieValue value = ShareTreeFormat.readCookie(entry.key(), entry.value());
      page.add(
          new DirectoryEntry(
              value.name(),
              value.fileId(),
              ShareTreeFormat.keyCookie(entry.key()),
              withAttributes ? attributesIfThere(value.fileId()) : null));
    }
    return new DirectoryPage(directoryAttributes(directory), page, found.size() < limit);
  }

  private @Nullable Attributes attributesIfThere(long fileId) throws IOException {
    try {
      return attributes(fileId);
    } catch (FileException e) {
      if (e.error() == FileError.STALE) {
        return null;
      }
      throw e;
    }
  }

  @Override
  public byte[] readLink(Credentials who, long fileId) throws IOException {
    Inode inode = inode(fileId);
    if (inode.type() != FileType.SYMBOLIC_LINK) {
      throw new FileException(FileError.INVALID, "file " + fileId + " is no symbolic link");
    }
    return inode.target().clone();
  }

  // ---- names

  @Override
  public Created create(Credentials who, long directoryId, byte[] name, CreateMode mode)
      throws IOException {
    Created created = make(who, directoryId, name, mode, FileType.REGULAR, edit -> {});
    Long size = mode.attributes().sizeBytes();
    if (size != null && (created.made() ? size > 0 : mode instanceof CreateMode.Unchecked)) {
      Change change =
          setAttributes(who, created.file().fileId(), AttributeChange.NONE.withSize(size), null);
      return new Created(change.after(), created.directory(), created.made());
    }
    return created;
  }

  @Override
  public Created makeDirectory(
      Credentials who, long directoryId, byte[] name, AttributeChange attributes)
      throws IOException {
    noSize(attributes);
    return make(
        who, directoryId, name, new CreateMode.Guarded(attributes), FileType.DIRECTORY, edit -> {});
  }

  @Override
  public Created makeSymbolicLink(
      Credentials who, long directoryId, byte[] name, byte[] target, AttributeChange attributes)
      throws IOException {
    noSize(attributes);
    if (target.length == 0) {
      throw new FileException(FileError.INVALID, "a symbolic link needs a target");
    }
    if (target.length > MAX_TARGET_BYTES) {
      throw new FileException(
          FileError.NAME_TOO_LONG,
          "a target of " + target.length + " bytes, at most " + MAX_TARGET_BYTES);
    }
    for (byte b : target) {
      if (b == 0) {
        throw new FileException(FileError.INVALID, "a target with NUL");
      }
    }
    byte[] kept = target.clone();
    return make(
        who,
        directoryId,
        name,
        new CreateMode.Guarded(attributes),
        FileType.SYMBOLIC_LINK,
        edit -> edit.target = kept);
  }

  @Override
  public Created makeSpecialFile(
      Credentials who, long directoryId, byte[] name, SpecialFile file, AttributeChange attributes)
      throws IOException {
    noSize(attributes);
    boolean device =
        file.type() == FileType.BLOCK_DEVICE || file.type() == FileType.CHARACTER_DEVICE;
    if (device && !who.isRoot()) {
      throw new FileException(FileError.NOT_OWNER, "only root makes devices");
    }
    return make(
        who,
        directoryId,
        name,
        new CreateMode.Guarded(attributes),
        file.type(),
        edit -> {
          edit.deviceMajor = file.deviceMajor();
          edit.deviceMinor = file.deviceMinor();
        });
  }

  /** What a kind of file has besides. */
  private interface Particulars {
    void apply(Inode.Edit edit);
  }

  private static void noSize(AttributeChange attributes) throws FileException {
    if (attributes.sizeBytes() != null) {
      throw new FileException(FileError.INVALID, "only a regular file's size can be set");
    }
  }

  private Created make(
      Credentials who,
      long directoryId,
      byte[] name,
      CreateMode mode,
      FileType type,
      Particulars particulars)
      throws IOException {
    Names.check(name);
    while (true) {
      Optional<Made> made = makeUnlessTaken(who, directoryId, name, mode, type, particulars);
      if (made.isPresent()) {
        Entries.await(made.get().durable);
        return made.get().created;
      }
      Optional<NameValue> taken = name(directoryId, name);
      if (taken.isPresent()) {
        return existing(directoryId, taken.get(), mode);
      }
    }
  }

  /** A creation that is not durable yet. */
  private record Made(Created created, CompletionStage<Void> durable) {}

  private Optional<Made> makeUnlessTaken(
      Credentials who,
      long directoryId,
      byte[] name,
      CreateMode mode,
      FileType type,
      Particulars particulars)
      throws IOException {
    try (var _ = files.hold(directoryId);
        Batch batch = new Batch()) {
      Inode directory = directory(directoryId);
      permissions.check(directory, who, Permissions.EXECUTE);
      if (name(directoryId, name).isPresent()) {
        return Optional.empty();
      }
      writable(who);
      permissions.check(directory, who, Permissions.WRITE);
      Long size = mode.attributes().sizeBytes();
      if (size != null) {
        checkLength(size);
      }
      Instant now = clock.instant();
      Inode made = newInode(who, directory, ids.next(), type, mode, particulars, now);
      batch.make(made);
      if (retention.on() && type == FileType.REGULAR) {
        batch.addPending(made);
      }
      batch.addName(directoryId, name, type, made.fileId());
      Inode.Edit edit = directory.edit().modified(now);
      if (type == FileType.DIRECTORY) {
        edit.linkCount++;
      }
      Inode changed = edit.done();
      batch.put(changed);
      Created created =
          new Created(
              made.attributes(sizeOf(made), sizeOf(made)),
              new Change(directoryAttributes(directory), directoryAttributes(changed)),
              true);
      return Optional.of(new Made(created, batch.submit()));
    }
  }

  /** What a creation says of a name that is taken. */
  private Created existing(long directoryId, NameValue taken, CreateMode mode) throws IOException {
    FileException exists =
        new FileException(FileError.EXISTS, "the name stands for file " + taken.fileId());
    switch (mode) {
      case CreateMode.Guarded _ -> throw exists;
      case CreateMode.Exclusive(long verifier, AttributeChange _) -> {
        Inode inode = inode(taken.fileId());
        if (!inode.exclusive() || inode.verifier() != verifier) {
          throw exists;
        }
      }
      case CreateMode.Unchecked(AttributeChange _) -> requireRegular(taken.type(), taken.fileId());
    }
    Attributes directory = directoryAttributes(directory(directoryId));
    return new Created(attributes(taken.fileId()), new Change(directory, directory), false);
  }

  private Inode newInode(
      Credentials who,
      Inode directory,
      long fileId,
      FileType type,
      CreateMode mode,
      Particulars particulars,
      Instant now)
      throws IOException {
    AttributeChange wanted = mode.attributes();
    boolean inheritsGroup = (directory.mode() & SET_GID) != 0;
    Inode fresh =
        Inode.make(
            fileId,
            type,
            type == FileType.SYMBOLIC_LINK ? 0777 : type == FileType.DIRECTORY ? 0755 : 0644,
            who.uid(),
            inheritsGroup ? directory.gid() : who.gid(),
            directory.fileId(),
            now);
    Inode.Edit edit = fresh.edit();
    // Owner and times first, as somebody who owns it: who makes a file may give it away as chown.
    permissions.apply(fresh, who, wanted.withoutSize(), now, edit);
    if (type == FileType.DIRECTORY && inheritsGroup) {
      edit.mode |= SET_GID;
    }
    if (mode instanceof CreateMode.Exclusive(long verifier, AttributeChange _)) {
      edit.exclusive = true;
      edit.verifier = verifier;
    }
    edit.changeTime = wanted.changeTime() == null ? now : wanted.changeTime();
    edit.change = fresh.change();
    particulars.apply(edit);
    return edit.done();
  }

  @Override
  public Created link(Credentials who, long fileId, long directoryId, byte[] name)
      throws IOException {
    Names.check(name);
    Created created;
    CompletionStage<Void> durable;
    try (var _ = files.hold(fileId, directoryId);
        Batch batch = new Batch()) {
      Inode inode = batch.inode(fileId);
      if (inode.isDirectory()) {
        throw new FileException(FileError.IS_DIRECTORY, "a directory has one name only");
      }
      noStream(inode);
      Inode directory = directory(directoryId);
      permissions.check(directory, who, Permissions.EXECUTE);
      if (name(directoryId, name).isPresent()) {
        throw new FileException(FileError.EXISTS, "the name '" + Names.text(name) + "' is taken");
      }
      writable(who);
      permissions.check(directory, who, Permissions.WRITE);
      retention.checkChange(inode);
      if (inode.linkCount() == 0) {
        throw new FileException(FileError.STALE, "file " + fileId + " was removed");
      }
      if (inode.linkCount() >= MAX_LINKS) {
        throw new FileException(
            FileError.TOO_MANY_LINKS, "file " + fileId + " has " + MAX_LINKS + " names");
      }
      Instant now = clock.instant();
      batch.addName(directoryId, name, inode.type(), fileId);
      Inode.Edit edit = inode.edit().changed(now);
      edit.linkCount++;
      batch.put(edit.done());
      Inode changed = directory.edit().modified(now).done();
      batch.put(changed);
      durable = batch.submit();
      created =
          new Created(
              attributes(edit.done()),
              new Change(directoryAttributes(directory), directoryAttributes(changed)),
              true);
    }
    Entries.await(durable);
    return created;
  }

  @Override
  public Removed remove(Credentials who, long directoryId, byte[] name) throws IOException {
    return remove(who, directoryId, name, false);
  }

  @Override
  public Removed removeDirectory(Credentials who, long directoryId, byte[] name)
      throws IOException {
    return remove(who, directoryId, name, true);
  }

  private Removed remove(Credentials who, long directoryId, byte[] name, boolean wantsDirectory)
      throws IOException {
    Names.check(name);
    permissions.check(directory(directoryId), who, Permissions.EXECUTE);
    while (true) {
      NameValue seen = requireName(directoryId, name);
      Removed removed;
      CompletionStage<Void> durable;
      Unlinked unlinked;
      try (var _ = files.hold(directoryId, seen.fileId());
          Batch batch = new Batch()) {
        Inode directory = directory(directoryId);
        NameValue found = requireName(directoryId, name);
        if (found.fileId() != seen.fileId()) {
          continue;
        }
        Inode inode = batch.inode(found.fileId());
        writable(who);
        permissions.check(directory, who, Permissions.WRITE | Permissions.EXECUTE);
        checkSticky(directory, inode, who);
        retention.checkRemove(inode);
        if (inode.isDirectory() && !wantsDirectory) {
          throw new FileException(FileError.IS_DIRECTORY, "'" + Names.text(name) + "'");
        }
        if (!inode.isDirectory() && wantsDirectory) {
          throw new FileException(FileError.NOT_DIRECTORY, "'" + Names.text(name) + "'");
        }
        requireEmpty(inode);
        Instant now = clock.instant();
        batch.removeName(directoryId, name, found.cookie());
        unlinked = batch.unlink(inode, now);
        Inode.Edit edit = directory.edit().modified(now);
        if (inode.isDirectory()) {
          edit.linkCount--;
        }
        Inode changed = edit.done();
        batch.put(changed);
        durable = batch.submit();
        unlinked.settle();
        removed =
            new Removed(
                new Change(directoryAttributes(directory), directoryAttributes(changed)),
                found.fileId());
      }
      unlinked.finish();
      Entries.await(durable);
      return removed;
    }
  }

  @Override
  public Renamed rename(
      Credentials who, long fromDirectoryId, byte[] fromName, long toDirectoryId, byte[] toName)
      throws IOException {
    Names.check(fromName);
    Names.check(toName);
    permissions.check(directory(fromDirectoryId), who, Permissions.EXECUTE);
    permissions.check(directory(toDirectoryId), who, Permissions.EXECUTE);
    while (true) {
      NameValue from = requireName(fromDirectoryId, fromName);
      Optional<NameValue> to = name(toDirectoryId, toName);
      // Which directory lies in which must stay while a directory moves.
      boolean moves = from.type() == FileType.DIRECTORY && fromDirectoryId != toDirectoryId;
      if (moves) {
        directoryTree.lock();
      }
      Optional<Renamed> renamed;
      try {
        renamed =
            renameIfStill(who, fromDirectoryId, fromName, from, toDirectoryId, toName, to, moves);
      } finally {
        if (moves) {
          directoryTree.unlock();
        }
      }
      if (renamed.isPresent()) {
        return renamed.get();
      }
    }
  }

  /** Renames if the names stand for what was seen; empty if not. */
  private Optional<Renamed> renameIfStill(
      Credentials who,
      long fromDirectoryId,
      byte[] fromName,
      NameValue from,
      long toDirectoryId,
      byte[] toName,
      Optional<NameValue> to,
      boolean moves)
      throws IOException {
    Renamed renamed;
    CompletionStage<Void> durable;
    Unlinked unlinked = null;
    long targetId = to.map(NameValue::fileId).orElse(fromDirectoryId);
    try (var _ = files.hold(fromDirectoryId, toDirectoryId, from.fileId(), targetId);
        Batch batch = new Batch()) {
      boolean same = fromDirectoryId == toDirectoryId;
      Inode fromDirectory = directory(fromDirectoryId);
      Inode toDirectory = same ? fromDirectory : directory(toDirectoryId);
      if (!name(fromDirectoryId, fromName).equals(Optional.of(from))
          || !name(toDirectoryId, toName).equals(to)) {
        return Optional.empty();
      }
      Attributes fromBefore = directoryAttributes(fromDirectory);
      Attributes toBefore = directoryAttributes(toDirectory);
      if (to.isPresent() && to.get().fileId() == from.fileId()) {
        return Optional.of(
            new Renamed(new Change(fromBefore, fromBefore), new Change(toBefore, toBefore)));
      }
      Inode inode = batch.inode(from.fileId());
      writable(who);
      permissions.check(fromDirectory, who, Permissions.WRITE | Permissions.EXECUTE);
      permissions.check(toDirectory, who, Permissions.WRITE | Permissions.EXECUTE);
      checkSticky(fromDirectory, inode, who);
      checkNameMayChange(inode);
      if (moves) {
        permissions.check(inode, who, Permissions.WRITE);
      }
      if (moves) {
        checkNotBelow(from.fileId(), toDirectoryId);
      }
      Instant now = clock.instant();
      Inode.Edit fromEdit = fromDirectory.edit().modified(now);
      Inode.Edit toEdit = same ? fromEdit : toDirectory.edit().modified(now);
      if (to.isPresent()) {
        Inode target = batch.inode(to.get().fileId());
        checkSticky(toDirectory, target, who);
        retention.checkRemove(target);
        if (inode.isDirectory() && !target.isDirectory()) {
          throw new FileException(FileError.NOT_DIRECTORY, "'" + Names.text(toName) + "'");
        }
        if (!inode.isDirectory() && target.isDirectory()) {
          throw new FileException(FileError.IS_DIRECTORY, "'" + Names.text(toName) + "'");
        }
        requireEmpty(target);
        batch.removeName(toDirectoryId, toName, to.get().cookie());
        unlinked = batch.unlink(target, now);
        if (target.isDirectory()) {
          toEdit.linkCount--;
        }
      }
      batch.removeName(fromDirectoryId, fromName, from.cookie());
      batch.addName(toDirectoryId, toName, inode.type(), from.fileId());
      Inode.Edit edit = inode.edit().changed(now);
      if (inode.isDirectory()) {
        edit.parentId = toDirectoryId;
        if (!same) {
          fromEdit.linkCount--;
          toEdit.linkCount++;
        }
      }
      batch.put(edit.done());
      Inode fromAfter = fromEdit.done();
      Inode toAfter = toEdit.done();
      batch.put(fromAfter);
      if (!same) {
        batch.put(toAfter);
      }
      durable = batch.submit();
      if (unlinked != null) {
        unlinked.settle();
      }
      renamed =
          new Renamed(
              new Change(fromBefore, directoryAttributes(fromAfter)),
              new Change(toBefore, directoryAttributes(toAfter)));
    }
    if (unlinked != null) {
      unlinked.finish();
    }
    Entries.await(durable);
    return Optional.of(renamed);
  }

  /** What is kept keeps its path, so a directory that holds anything keeps its name too. */
  private void checkNameMayChange(Inode inode) throws IOException {
    retention.checkChange(inode);
    if (retention.on() && inode.isDirectory() && !isEmpty(inode.fileId())) {
      throw new FileException(
          FileError.RETAINED,
          "share "
              + record.name()
              + " keeps its files: a directory that is not empty cannot be renamed");
    }
  }

  /** A directory cannot be moved to where it is above. Under {@code directoryTree} if it moves. */
  private void checkNotBelow(long fileId, long directoryId) throws IOException {
    long at = directoryId;
    while (true) {
      if (at == fileId) {
        throw new FileException(FileError.INVALID, "a directory cannot be moved into itself");
      }
      if (at == rootId) {
        return;
      }
      at = stored(at).inode.parentId();
    }
  }

  private void requireEmpty(Inode inode) throws IOException {
    if (inode.isDirectory() && !isEmpty(inode.fileId())) {
      throw new FileException(FileError.NOT_EMPTY, "directory " + inode.fileId() + " is not empty");
    }
  }

  private static void checkSticky(Inode directory, Inode inode, Credentials who)
      throws FileException {
    if ((directory.mode() & STICKY) != 0
        && !who.isRoot()
        && who.uid() != inode.uid()
        && who.uid() != directory.uid()) {
      throw new FileException(
          FileError.NOT_OWNER, "the directory's sticky bit lets only owners take names away");
    }
  }

  // ---- attributes

  @Override
  public Change setAttributes(
      Credentials who, long fileId, AttributeChange wanted, @Nullable Instant guard)
      throws IOException {
    AttributeChange change = wanted;
    Attributes before;
    FileContent content = null;
    Long size = wanted.sizeBytes();
    try (var _ = files.hold(fileId)) {
      Inode inode = inode(fileId);
      if (guard != null && !guard.equals(inode.changeTime())) {
        throw new FileException(
            FileError.NOT_SAME,
            "file " + fileId + " has change time " + inode.changeTime() + ", not " + guard);
      }
      before = attributes(inode);
      if (change.equals(AttributeChange.NONE)) {
        return new Change(before, before);
      }
      writable(who);
      if (inode.committed()) {
        change = retention.onlyLater(inode, change);
      }
      if (!change.withoutSize().equals(AttributeChange.NONE)) {
        noStream(inode);
      }
      // All checks come first: with a size it is two changes.
      permissions.apply(owner(inode), who, change, clock.instant(), owner(inode).edit());
      if (size != null) {
        requireRegular(inode.type(), fileId);
        checkLength(size);
        content = hold(fileId);
      }
    }
    if (content != null && size != null) {
      try {
        resize(content, size);
        content.force();
      } finally {
        release(content);
      }
    }
    Attributes after;
    CompletionStage<Void> durable;
    AttributeChange rest = change.withoutSize();
    if (rest.equals(AttributeChange.NONE)) {
      return new Change(before, attributes(fileId));
    }
    if (retention.commits(inode(fileId), before.sizeBytes(), rest)) {
      return new Change(before, commit(who, fileId, rest));
    }
    try (var _ = files.hold(fileId);
        Batch batch = new Batch()) {
      Inode inode = batch.inode(fileId);
      if (inode.committed()) {
        rest = retention.onlyLater(inode, rest);
        if (rest.equals(AttributeChange.NONE)) {
          return new Change(before, attributes(inode));
        }
      }
      Instant now = clock.instant();
      Inode.Edit edit = inode.edit();
      permissions.apply(inode, who, rest, now, edit);
      edit.changed(now);
      if (rest.changeTime() != null) {
        edit.changeTime = rest.changeTime();
      }
      Integer mode = rest.mode();
      if (mode != null && inode.hasAccessList()) {
        batch.putMode(inode, mode);
      }
      Inode changed = edit.done();
      batch.put(changed);
      durable = batch.submit();
      after = attributes(changed);
    }
    Entries.await(durable);
    return new Change(before, after);
  }

  /**
   * Commits a file with a change of attributes: what was written to it so far is made durable, and
   * nothing is written afterwards.
   */
  private Attributes commit(Credentials who, long fileId, AttributeChange change)
      throws IOException {
    Attributes after;
    CompletionStage<Void> durable;
    try (Quieted quieted = new Quieted()) {
      quieted.add(fileId);
      List<ShareEntry> streams = streamEntries(fileId);
      for (ShareEntry entry : streams) {
        quieted.add(ShareTreeFormat.readStream(entry.key(), entry.value()));
      }
      try (var _ = files.hold(quieted.fileIds());
          Batch batch = new Batch()) {
        if (!sameKeys(streams, streamEntries(fileId))) {
          throw new FileException(FileError.DELAY, "streams of file " + fileId + " come or go");
        }
        Inode inode = batch.inode(fileId);
        retention.checkChange(inode);
        if (inode.linkCount() == 0) {
          throw new FileException(FileError.STALE, "file " + fileId + " was removed");
        }
        Instant now = clock.instant();
        Inode.Edit edit = inode.edit();
        permissions.apply(inode, who, change, now, edit);
        edit.changed(now);
        retention.commit(edit, now);
        Integer mode = change.mode();
        if (mode != null && inode.hasAccessList()) {
          batch.putMode(inode, mode);
        }
        Inode changed = edit.done();
        batch.put(changed);
        for (ShareEntry entry : streams) {
          Inode stream = batch.inode(ShareTreeFormat.readStream(entry.key(), entry.value()));
          Inode.Edit kept = stream.edit().changed(now);
          kept.accessTime = edit.accessTime;
          kept.committed = true;
          batch.put(kept.done());
        }
        batch.add(new ShareChange.Remove(ShareTreeFormat.pendingKey(fileId)));
        durable = batch.submit();
        after = attributes(changed);
      }
    }
    Entries.await(durable);
    return after;
  }

  private static boolean sameKeys(List<ShareEntry> some, List<ShareEntry> others) {
    return some.stream()
        .map(entry -> ByteBuffer.wrap(entry.key()))
        .toList()
        .equals(others.stream().map(entry -> ByteBuffer.wrap(entry.key())).toList());
  }

  /**
   * Contents that nobody writes to until it is closed; what was written is durable. Their locks
   * come before those of files: nobody takes the two the other way round.
   */
  private final class Quieted implements AutoCloseable {
    private final List<FileContent> contents = new ArrayList<>(2);

    /** Adds a file; a stream after the file that has it. */
    void add(long fileId) throws IOException {
      FileContent content;
      try (var _ = files.hold(fileId)) {
        content = ShareFileSystem.this.hold(fileId);
      }
      content.writing.lock();
      contents.add(content);
      content.force();
    }

    long[] fileIds() {
      return contents.stream().mapToLong(FileContent::fileId).toArray();
    }

    @Override
    public void close() {
      for (FileContent content : contents) {
        content.writing.unlock();
        release(content);
      }
    }
  }

  @Override
  public List<AccessEntry> accessList(Credentials who, long fileId) throws IOException {
    return storedAccessList(inode(fileId));
  }

  private List<AccessEntry> storedAccessList(Inode inode) throws IOException {
    if (inode.hasAccessList()) {
      byte[] key = ShareTreeFormat.accessListKey(inode.fileId());
      Optional<ShareEntry> found = entries.find(key);
      if (found.isPresent()) {
        return ShareTreeFormat.readAccessList(key, found.get().value());
      }
    }
    return AccessLists.ofMode(inode.mode(), inode.isDirectory());
  }

  @Override
  public Change setAccessList(Credentials who, long fileId, List<AccessEntry> list)
      throws IOException {
    if (list.size() > MAX_ACCESS_ENTRIES) {
      throw new FileException(
          FileError.INVALID, list.size() + " entries, at most " + MAX_ACCESS_ENTRIES);
    }
    return change(
        who,
        fileId,
        (batch, inode, edit) -> {
          if (!who.isRoot() && who.uid() != inode.uid() && !permissions.mayWriteList(inode, who)) {
            throw new FileException(FileError.NOT_OWNER, "only the owner sets access control");
          }
          byte[] key = ShareTreeFormat.accessListKey(fileId);
          edit.hasAccessList = !list.isEmpty();
          if (list.isEmpty()) {
            batch.add(new ShareChange.Remove(key));
          } else {
            batch.add(new ShareChange.SetValue(key, ShareTreeFormat.accessList(list)));
            edit.mode = (inode.mode() & 07000) | AccessLists.mode(list);
          }
        });
  }

  @Override
  public byte[] extendedAttribute(Credentials who, long fileId, byte[] name) throws IOException {
    checkAttributeName(name);
    permissions.check(inode(fileId), who, Permissions.READ);
    return entries
        .find(ShareTreeFormat.attributeKey(fileId, name))
        .orElseThrow(() -> noAttribute(name))
        .value()
        .clone();
  }

  @Override
  public Change setExtendedAttribute(
      Credentials who, long fileId, byte[] name, byte[] value, AttributeMode mode)
      throws IOException {
    checkAttributeName(name);
    if (value.length > MAX_EXTENDED_ATTRIBUTE_BYTES) {
      throw new FileException(
          FileError.ATTRIBUTE_TOO_BIG,
          value.length + " bytes, at most " + MAX_EXTENDED_ATTRIBUTE_BYTES);
    }
    return change(
        who,
        fileId,
        (batch, inode, edit) -> {
          permissions.check(inode, who, Permissions.WRITE);
          byte[] key = ShareTreeFormat.attributeKey(fileId, name);
          boolean there = entries.find(key).isPresent();
          if (there && mode == AttributeMode.CREATE) {
            throw new FileException(
                FileError.EXISTS, "the attribute '" + Names.text(name) + "' is there");
          }
          if (!there && mode == AttributeMode.REPLACE) {
            throw noAttribute(name);
          }
          if (!there && attributeCount(fileId) >= MAX_EXTENDED_ATTRIBUTES) {
            throw new FileException(
                FileError.NO_SPACE,
                "file " + fileId + " has " + MAX_EXTENDED_ATTRIBUTES + " extended attributes");
          }
          edit.hasAttributes = true;
          batch.add(new ShareChange.SetValue(key, value.clone()));
        });
  }

  private int attributeCount(long fileId) throws IOException {
    byte[] prefix = ShareTreeFormat.prefix(ShareTreeFormat.ATTRIBUTE, fileId);
    byte[] after = new byte[0];
    int count = 0;
    while (true) {
      List<ShareEntry> page = entries.scan(prefix, after, CLEANING_PAGE);
      count += page.size();
      if (page.size() < CLEANING_PAGE) {
        return count;
      }
      after = page.getLast().key();
    }
  }

  @Override
  public Change removeExtendedAttribute(Credentials who, long fileId, byte[] name)
      throws IOException {
    checkAttributeName(name);
    return change(
        who,
        fileId,
        (batch, inode, edit) -> {
          permissions.check(inode, who, Permissions.WRITE);
          byte[] key = ShareTreeFormat.attributeKey(fileId, name);
          if (entries.find(key).isEmpty()) {
            throw noAttribute(name);
          }
          batch.add(new ShareChange.Remove(key));
        });
  }

  @Override
  public AttributeNames extendedAttributes(Credentials who, long fileId, byte[] after, int limit)
      throws IOException {
    if (limit < 1 || limit > MAX_PAGE_ENTRIES) {
      throw new IllegalArgumentException("limit " + limit);
    }
    permissions.check(inode(fileId), who, Permissions.READ);
    byte[] from = after.length == 0 ? after : ShareTreeFormat.attributeKey(fileId, after);
    List<ShareEntry> found =
        entries.scan(ShareTreeFormat.prefix(ShareTreeFormat.ATTRIBUTE, fileId), from, limit);
    return new AttributeNames(
        found.stream().map(entry -> ShareTreeFormat.keyName(entry.key())).toList(),
        found.size() < limit);
  }

  private static void checkAttributeName(byte[] name) throws FileException {
    if (name.length == 0) {
      throw new FileException(FileError.INVALID, "an empty name");
    }
    if (name.length > MAX_NAME_BYTES) {
      throw new FileException(
          FileError.NAME_TOO_LONG,
          "a name of " + name.length + " bytes, at most " + MAX_NAME_BYTES);
    }
    for (byte b : name) {
      if (b == 0) {
        throw new FileException(FileError.BAD_NAME, "a name with NUL");
      }
    }
  }

  private static FileException noAttribute(byte[] name) {
    return new FileException(
        FileError.NO_ATTRIBUTE, "no extended attribute '" + new String(name, UTF_8) + "'");
  }

  /** What a change of one file's attributes does. */
  private interface Changing {
    void apply(Batch batch, Inode inode, Inode.Edit edit) throws IOException;
  }

  private Change change(Credentials who, long fileId, Changing changing) throws IOException {
    Change change;
    CompletionStage<Void> durable;
    try (var _ = files.hold(fileId);
        Batch batch = new Batch()) {
      Inode inode = batch.inode(fileId);
      writable(who);
      noStream(inode);
      retention.checkChange(inode);
      Attributes before = attributes(inode);
      Inode.Edit edit = inode.edit().changed(clock.instant());
      changing.apply(batch, inode, edit);
      Inode changed = edit.done();
      batch.put(changed);
      durable = batch.submit();
      change = new Change(before, attributes(changed));
    }
    Entries.await(durable);
    return change;
  }

  // ---- named streams

  @Override
  public List<StreamEntry> streams(Credentials who, long fileId) throws IOException {
    Inode inode = inode(fileId);
    permissions.check(inode, who, Permissions.READ);
    List<StreamEntry> streams = new ArrayList<>();
    for (ShareEntry entry : inode.hasStreams() ? streamEntries(fileId) : List.<ShareEntry>of()) {
      long streamId = ShareTreeFormat.readStream(entry.key(), entry.value());
      Attributes attributes = attributesIfThere(streamId);
      if (attributes != null) {
        streams.add(
            new StreamEntry(
                ShareTreeFormat.keyName(entry.key()),
                streamId,
                attributes.sizeBytes(),
                attributes.spaceBytes()));
      }
    }
    return streams;
  }

  /** All streams of a file, in order of name. */
  private List<ShareEntry> streamEntries(long fileId) throws IOException {
    return entries.scan(
        ShareTreeFormat.prefix(ShareTreeFormat.STREAM, fileId), new byte[0], MAX_STREAMS);
  }

  /** Finds a stream of this name, else one whose name differs in case only. */
  private static Optional<ShareEntry> named(List<ShareEntry> streams, byte[] name) {
    byte[] fold = CaseFolding.fold(name);
    Optional<ShareEntry> similar = Optional.empty();
    for (ShareEntry entry : streams) {
      byte[] there = ShareTreeFormat.keyName(entry.key());
      if (Arrays.equals(there, name)) {
        return Optional.of(entry);
      }
      if (similar.isEmpty() && Arrays.equals(CaseFolding.fold(there), fold)) {
        similar = Optional.of(entry);
      }
    }
    return similar;
  }

  @Override
  public Created createStream(Credentials who, long fileId, byte[] name, CreateMode mode)
      throws IOException {
    checkStreamName(name);
    Created created;
    CompletionStage<Void> durable;
    try (var _ = files.hold(fileId);
        Batch batch = new Batch()) {
      Inode inode = batch.inode(fileId);
      if (!inode.isDirectory()) {
        requireRegular(inode.type(), fileId);
      }
      noStream(inode);
      List<ShareEntry> streams = streamEntries(fileId);
      Optional<ShareEntry> taken = named(streams, name);
      Attributes before = attributes(inode);
      if (taken.isPresent()) {
        if (!(mode instanceof CreateMode.Unchecked)) {
          throw new FileException(
              FileError.EXISTS, "the stream '" + Names.text(name) + "' is there");
        }
        permissions.check(inode, who, Permissions.READ);
        ShareEntry found = taken.get();
        long streamId = ShareTreeFormat.readStream(found.key(), found.value());
        return new Created(attributes(streamId), new Change(before, before), false);
      }
      writable(who);
      permissions.check(inode, who, Permissions.WRITE);
      retention.checkChange(inode);
      if (inode.linkCount() == 0) {
        throw new FileException(FileError.STALE, "file " + fileId + " was removed");
      }
      if (streams.size() >= MAX_STREAMS) {
        throw new FileException(
            FileError.NO_SPACE, "file " + fileId + " has " + MAX_STREAMS + " streams");
      }
      Instant now = clock.instant();
      Inode.Edit stream =
          Inode.make(ids.next(), FileType.REGULAR, 0600, inode.uid(), inode.gid(), 0, now).edit();
      stream.parentId = fileId;
      Inode made = stream.done();
      batch.make(made);
      batch.add(
          new ShareChange.SetValue(
              ShareTreeFormat.streamKey(fileId, name), ShareTreeFormat.stream(made.fileId())));
      Inode.Edit edit = inode.edit().changed(now);
      edit.hasStreams = true;
      Inode changed = edit.done();
      batch.put(changed);
      durable = batch.submit();
      created = new Created(made.attributes(0, 0), new Change(before, attributes(changed)), true);
    }
    Entries.await(durable);
    return created;
  }

  @Override
  public Change removeStream(Credentials who, long fileId, byte[] name) throws IOException {
    checkStreamName(name);
    while (true) {
      ShareEntry seen =
          named(streamEntries(fileId), name)
              .orElseThrow(() ->
                  new FileException(
                      FileError.NO_ATTRIBUTE, "no stream '" + Names.text(name) + "'"));
      long streamId = ShareTreeFormat.readStream(seen.key(), seen.value());
      Change change;
      CompletionStage<Void> durable;
      Unlinked unlinked;
      try (var _ = files.hold(fileId, streamId);
          Batch batch = new Batch()) {
        Inode inode = batch.inode(fileId);
        writable(who);
        permissions.check(inode, who, Permissions.WRITE);
        retention.checkChange(inode);
        Optional<ShareEntry> found = entries.find(seen.key());
        if (found.isEmpty()
            || ShareTreeFormat.readStream(seen.key(), found.get().value()) != streamId) {
          continue;
        }
        Instant now = clock.instant();
        batch.add(new ShareChange.Remove(seen.key()));
        unlinked = batch.unlink(batch.inode(streamId), now);
        Attributes before = attributes(inode);
        Inode changed = inode.edit().changed(now).done();
        batch.put(changed);
        durable = batch.submit();
        unlinked.settle();
        change = new Change(before, attributes(changed));
      }
      unlinked.finish();
      Entries.await(durable);
      return change;
    }
  }

  private static void checkStreamName(byte[] name) throws FileException {
    checkAttributeName(name);
    for (byte b : name) {
      if (b == '/' || b == ':') {
        throw new FileException(FileError.BAD_NAME, "a stream's name with slash or colon");
      }
    }
  }

  // ---- content

  @Override
  public OpenFile open(Credentials who, long fileId, int access, boolean asOwner)
      throws IOException {
    if (access == 0 || (access & ~(OpenFile.READ | OpenFile.WRITE)) != 0) {
      throw new IllegalArgumentException("access " + access);
    }
    try (var _ = files.hold(fileId)) {
      requireRegular(inode(fileId).type(), fileId);
      Inode inode = owner(inode(fileId));
      if ((access & OpenFile.WRITE) != 0) {
        writable(who);
        retention.checkChange(inode);
      }
      if (!asOwner || who.uid() != inode.uid()) {
        if ((access & OpenFile.READ) != 0) {
          permissions.checkRead(inode, who);
        }
        if ((access & OpenFile.WRITE) != 0) {
          permissions.check(inode, who, Permissions.WRITE);
        }
      }
      return new Handle(hold(fileId), who, access);
    }
  }

  /** A content that somebody holds open. */
  private final class Handle implements OpenFile {
    private final FileContent content;
    private final Credentials who;
    private final int access;
    private boolean closed; // guarded by content.stateLock

    private Handle(FileContent content, Credentials who, int access) {
      this.content = content;
      this.who = who;
      this.access = access;
    }

    @Override
    public FileSystem fileSystem() {
      return ShareFileSystem.this;
    }

    @Override
    public long fileId() {
      return content.fileId();
    }

    @Override
    public int access() {
      return access;
    }

    @Override
    public Attributes attributes() throws IOException {
      return ShareFileSystem.attributes(content, content.state());
    }

    @Override
    public ReadResult read(long positionBytes, byte[] target, int offset, int lengthBytes)
        throws IOException {
      require(READ);
      checkTransfer(positionBytes, lengthBytes);
      int done = 0;
      try {
        while (done < lengthBytes) {
          int count =
              content
                  .object()
                  .read(positionBytes + done, target, offset + done, lengthBytes - done);
          if (count < 0) {
            return new ReadResult(done, true);
          }
          done += count;
        }
      } catch (IOException e) {
        throw Entries.translated(e);
      }
      return new ReadResult(done, positionBytes + done >= content.state().lengthBytes());
    }

    @Override
    public Change write(
        long positionBytes, byte[] source, int offset, int lengthBytes, Stability stability)
        throws IOException {
      require(WRITE);
      checkTransfer(positionBytes, lengthBytes);
      checkLength(positionBytes + lengthBytes);
      if (lengthBytes == 0) {
        Attributes same = attributes();
        return new Change(same, same);
      }
      Change change =
          modify(before -> {
            long end = Math.max(before.lengthBytes(), positionBytes + lengthBytes);
            usage.grow(settings, end - before.lengthBytes());
            content.object().write(positionBytes, source, offset, lengthBytes);
            return new Extent(end, positionBytes > before.lengthBytes());
          });
      if (stability != Stability.UNSTABLE) {
        content.force();
      }
      return change;
    }

    @Override
    public Change commit() throws IOException {
      Attributes same = attributes();
      content.force();
      return new Change(same, same);
    }

    @Override
    public Change setLength(long lengthBytes) throws IOException {
      require(WRITE);
      checkLength(lengthBytes);
      dropSetIds();
      Change change = resize(content, lengthBytes);
      content.force();
      return change;
    }

    @Override
    public Change allocate(long positionBytes, long lengthBytes) throws IOException {
      require(WRITE);
      checkRange(positionBytes, lengthBytes);
      Change change =
          modify(before -> {
            long end = Math.max(before.lengthBytes(), positionBytes + lengthBytes);
            usage.grow(settings, end - before.lengthBytes());
            content.object().reserve(positionBytes, lengthBytes);
            return new Extent(end, true);
          });
      content.force();
      return change;
    }

    @Override
    public Change punch(long positionBytes, long lengthBytes) throws IOException {
      require(WRITE);
      checkRange(positionBytes, lengthBytes);
      Change change =
          modify(before -> {
            long end = Math.min(before.lengthBytes(), positionBytes + lengthBytes);
            if (end > positionBytes) {
              content.object().punch(positionBytes, end - positionBytes);
            }
            return new Extent(before.lengthBytes(), true);
          });
      content.force();
      return change;
    }

    @Override
    public long nextData(long positionBytes) throws IOException {
      require(READ);
      long found = checkSeek(positionBytes) ? content.object().nextData(positionBytes) : -1;
      if (found < 0) {
        throw new FileException(
            FileError.NO_SUCH_POSITION, "no data from " + positionBytes + " on");
      }
      return found;
    }

    @Override
    public long nextHole(long positionBytes) throws IOException {
      require(READ);
      if (!checkSeek(positionBytes)) {
        throw new FileException(
            FileError.NO_SUCH_POSITION, positionBytes + " is not before the end");
      }
      return content.object().nextHole(positionBytes);
    }

    private boolean checkSeek(long positionBytes) throws FileException {
      if (positionBytes < 0) {
        throw new FileException(FileError.INVALID, "position " + positionBytes);
      }
      return positionBytes < content.state().lengthBytes();
    }

    @Override
    public Change copyFrom(
        OpenFile source, long sourcePositionBytes, long positionBytes, long lengthBytes)
        throws IOException {
      require(WRITE);
      OpenFile plain = source instanceof SnapshotFile kept ? kept.file() : source;
      boolean ours =
          plain instanceof Handle from
              && from.share().domainId().equals(ShareFileSystem.this.domainId());
      if (!ours) {
        throw new FileException(
            FileError.CROSS_SHARE, "data is shared within one dedup domain only");
      }
      Handle from = (Handle) plain;
      from.require(READ);
      if (sourcePositionBytes < 0 || positionBytes < 0 || lengthBytes < 0) {
        throw new FileException(
            FileError.INVALID,
            lengthBytes + " bytes from " + sourcePositionBytes + " to " + positionBytes);
      }
      ShareObject folded = from.fold();
      long sourceBytes = folded.root().lengthBytes();
      long wanted = lengthBytes == 0 ? sourceBytes - sourcePositionBytes : lengthBytes;
      if (wanted < 0 || wanted > sourceBytes - sourcePositionBytes) {
        throw new FileException(
            FileError.INVALID,
            "the source has "
                + sourceBytes
                + " bytes, not "
                + lengthBytes
                + " from "
                + sourcePositionBytes);
      }
      boolean overlaps =
          from.content == content
              && positionBytes < sourcePositionBytes + wanted
              && sourcePositionBytes < positionBytes + wanted;
      if (overlaps) {
        throw new FileException(FileError.INVALID, "the ranges overlap in one file");
      }
      if (wanted == 0) {
        return commit();
      }
      checkLength(Math.addExact(positionBytes, wanted));
      boolean sparse = from.content.state().inode().sparse();
      Change change =
          modify(before -> {
            long end = Math.max(before.lengthBytes(), positionBytes + wanted);
            usage.grow(settings, end - before.lengthBytes());
            content.object().splice(positionBytes, folded.root(), sourcePositionBytes, wanted);
            return new Extent(end, sparse || positionBytes > before.lengthBytes());
          });
      content.force();
      return change;
    }

    private ShareFileSystem share() {
      return ShareFileSystem.this;
    }

    private ShareObject fold() throws IOException {
      try {
        return content.object().fold();
      } catch (IOException e) {
        throw Entries.translated(e);
      }
    }

    private Change modify(Modifying modifying) throws IOException {
      dropSetIds();
      return ShareFileSystem.this.modify(content, modifying);
    }

    /** A write of somebody else than root takes set-uid and set-gid away. */
    private void dropSetIds() throws IOException {
      if ((content.state().inode().mode() & SET_ID_BITS) == 0 || who.isRoot()) {
        return;
      }
      CompletionStage<Void> durable;
      try (var _ = files.hold(content.fileId());
          Batch batch = new Batch()) {
        Inode inode = batch.inode(content.fileId());
        retention.checkChange(inode);
        Inode.Edit edit = inode.edit().changed(clock.instant());
        edit.mode = Permissions.withoutSetIds(inode.mode());
        batch.put(edit.done());
        durable = batch.submit();
      }
      Entries.await(durable);
    }

    private void require(int wanted) throws FileException {
      if ((access & wanted) == 0) {
        throw new FileException(
            FileError.ACCESS,
            "file " + fileId() + " is not open for " + (wanted == READ ? "reading" : "writing"));
      }
    }

    @Override
    public void close() {
      content.stateLock.lock();
      try {
        if (closed) {
          return;
        }
        closed = true;
      } finally {
        content.stateLock.unlock();
      }
      release(content);
    }
  }

  /** What a change of content leaves. */
  private record Extent(long lengthBytes, boolean sparse) {}

  /** A change of content, given what was before. */
  private interface Modifying {
    Extent apply(FileContent.State before) throws IOException;
  }

  private Change modify(FileContent content, Modifying modifying) throws IOException {
    content.writing.lock();
    try {
      FileContent.State before = content.state();
      retention.checkChange(before.inode());
      Attributes attributesBefore =
          before.inode().attributes(before.lengthBytes(), before.lengthBytes());
      Extent extent = modifying.apply(before);
      FileContent.State after =
          content.modified(clock.instant(), extent.lengthBytes(), extent.sparse());
      usage.changed(extent.lengthBytes() - before.lengthBytes());
      return new Change(attributesBefore, attributes(content, after));
    } catch (IOException e) {
      throw Entries.translated(e);
    } finally {
      content.writing.unlock();
    }
  }

  private Change resize(FileContent content, long lengthBytes) throws IOException {
    return modify(
        content,
        before -> {
          usage.grow(settings, lengthBytes - before.lengthBytes());
          if (lengthBytes != before.lengthBytes()) {
            content.object().setLength(lengthBytes);
          }
          return new Extent(lengthBytes, lengthBytes > before.lengthBytes());
        });
  }

  private static void checkLength(long lengthBytes) throws FileException {
    if (lengthBytes < 0 || lengthBytes > MAX_FILE_BYTES) {
      throw new FileException(
          FileError.TOO_BIG, "a file of " + lengthBytes + " bytes, at most " + MAX_FILE_BYTES);
    }
  }

  private static void checkRange(long positionBytes, long lengthBytes) throws FileException {
    if (positionBytes < 0 || lengthBytes <= 0) {
      throw new FileException(FileError.INVALID, lengthBytes + " bytes at " + positionBytes);
    }
    if (positionBytes > MAX_FILE_BYTES || lengthBytes > MAX_FILE_BYTES - positionBytes) {
      throw new FileException(FileError.TOO_BIG, "a file of at most " + MAX_FILE_BYTES + " bytes");
    }
  }

  private static void checkTransfer(long positionBytes, int lengthBytes) throws FileException {
    if (lengthBytes < 0 || lengthBytes > OpenFile.MAX_TRANSFER_BYTES) {
      throw new IllegalArgumentException("lengthBytes " + lengthBytes);
    }
    if (positionBytes < 0) {
      throw new FileException(FileError.INVALID, "position " + positionBytes);
    }
    if (positionBytes > MAX_FILE_BYTES) {
      throw new FileException(FileError.TOO_BIG, "position " + positionBytes);
    }
  }

  // ---- what is stored

  /**
   * A file as the store holds it: the tree's entry, and what was forced since.
   *
   * @param dataBytes of a regular file, -1 if only its object knows
   */
  private record Stored(Inode inode, long lengthBytes, long dataBytes) {
    Attributes attributes() {
      return switch (inode.type()) {
        case REGULAR -> inode.attributes(lengthBytes, dataBytes < 0 ? lengthBytes : dataBytes);
        case DIRECTORY -> directoryAttributes(inode);
        case SYMBOLIC_LINK, BLOCK_DEVICE, CHARACTER_DEVICE, SOCKET, FIFO ->
            inode.attributes(sizeOf(inode), sizeOf(inode));
      };
    }
  }

  private Stored stored(long fileId) throws IOException {
    byte[] key = ShareTreeFormat.inodeKey(fileId);
    ShareEntry entry = requireEntry(key, fileId);
    while (entry.object().isPresent()) {
      ShareObject object = entry.object().get();
      Optional<ShareStore.Unfolded> unfolded = store.unfolded(record.id(), object.id());
      if (unfolded.isPresent()) {
        return merged(entry, unfolded.get().lengthBytes(), -1, unfolded.get().note());
      }
      // It may have been folded since the entry was found: then there is another one by now.
      ShareEntry again = requireEntry(key, fileId);
      if (again.object().isPresent() && again.object().get().folded() == object.folded()) {
        return merged(again, object.root().lengthBytes(), object.dataBytes(), object.note());
      }
      entry = again;
    }
    return merged(entry, 0, 0, new byte[0]);
  }

  private static Stored merged(ShareEntry entry, long lengthBytes, long dataBytes, byte[] noteBytes)
      throws IOException {
    Inode inode = ShareTreeFormat.readInode(entry.key(), entry.value());
    if (noteBytes.length > 0) {
      ShareTreeFormat.Note note = ShareTreeFormat.readNote(entry.key(), noteBytes);
      if (note.change() > inode.change()) {
        Inode.Edit edit = inode.edit();
        edit.change = note.change();
        edit.modifyTime = note.modifyTime();
        edit.changeTime = note.changeTime();
        edit.sparse = note.sparse();
        inode = edit.done();
      }
    }
    return new Stored(inode, lengthBytes, dataBytes);
  }

  private ShareEntry requireEntry(byte[] key, long fileId) throws IOException {
    return entries
        .find(key)
        .orElseThrow(() ->
            new FileException(
                FileError.STALE, "there is no file " + fileId + " in share " + record.name()));
  }

  /** Whose rights count: those of the file that has the stream, if it is one. */
  private Inode owner(Inode inode) throws IOException {
    return inode.isStream() ? inode(inode.parentId()) : inode;
  }

  private static void noStream(Inode inode) throws FileException {
    if (inode.isStream()) {
      throw new FileException(
          FileError.NOT_SUPPORTED, "of a named stream only the size can be set");
    }
  }

  /** A file as it is now. */
  private Inode inode(long fileId) throws IOException {
    FileContent content = open.find(fileId);
    return content == null ? stored(fileId).inode : content.state().inode();
  }

  private Inode directory(long fileId) throws IOException {
    Inode inode = stored(fileId).inode;
    if (!inode.isDirectory()) {
      throw new FileException(
          inode.type() == FileType.SYMBOLIC_LINK
              ? FileError.IS_SYMBOLIC_LINK
              : FileError.NOT_DIRECTORY,
          "file " + fileId + " is no directory");
    }
    return inode;
  }

  private Attributes attributes(Inode inode) throws IOException {
    if (!inode.isRegular()) {
      return new Stored(inode, 0, 0).attributes();
    }
    FileContent content = open.find(inode.fileId());
    long length =
        content == null ? stored(inode.fileId()).lengthBytes : content.state().lengthBytes();
    return inode.attributes(length, length);
  }

  private static Attributes directoryAttributes(Inode inode) {
    return inode.attributes(DIRECTORY_BYTES, DIRECTORY_BYTES);
  }

  private static long sizeOf(Inode inode) {
    return inode.isDirectory() ? DIRECTORY_BYTES : inode.target().length;
  }

  private Optional<NameValue> name(long directoryId, byte[] name) throws IOException {
    byte[] key = ShareTreeFormat.nameKey(directoryId, name);
    Optional<ShareEntry> entry = entries.find(key);
    return entry.isEmpty()
        ? Optional.empty()
        : Optional.of(ShareTreeFormat.readName(key, entry.get().value()));
  }

  private NameValue requireName(long directoryId, byte[] name) throws IOException {
    return name(directoryId, name)
        .orElseThrow(
            () -> new FileException(FileError.NOT_FOUND, "no name '" + Names.text(name) + "'"));
  }

  private static void requireRegular(FileType type, long fileId) throws FileException {
    switch (type) {
      case REGULAR -> {}
      case DIRECTORY ->
          throw new FileException(FileError.IS_DIRECTORY, "file " + fileId + " is a directory");
      case SYMBOLIC_LINK ->
          throw new FileException(
              FileError.IS_SYMBOLIC_LINK, "file " + fileId + " is a symbolic link");
      case BLOCK_DEVICE, CHARACTER_DEVICE, SOCKET, FIFO ->
          throw new FileException(FileError.WRONG_TYPE, "file " + fileId + " is no regular file");
    }
  }

  private void writable(Credentials who) throws FileException {
    if (who.readOnly()) {
      throw new FileException(
          FileError.READ_ONLY, "this client may only read share " + record.name());
    }
    Optional<String> reason = readOnlyReason();
    if (reason.isPresent()) {
      throw new FileException(FileError.READ_ONLY, reason.get());
    }
  }

  /** Holds a regular file's content; the caller holds its lock. */
  private FileContent hold(long fileId) throws IOException {
    return open.hold(
        fileId,
        () -> {
          try {
            var object = store.openObject(record.id(), ShareTreeFormat.inodeKey(fileId));
            boolean kept = false;
            try {
              // What its opener sees is newer than, or the same as, what the tree says.
              Stored stored = stored(fileId);
              if (stored.inode.linkCount() == 0) {
                throw new FileException(FileError.STALE, "file " + fileId + " was removed");
              }
              FileContent content =
                  new FileContent(
                      object, new FileContent.State(stored.inode, object.lengthBytes()));
              kept = true;
              return content;
            } finally {
              if (!kept) {
                object.close();
              }
            }
          } catch (IOException e) {
            throw Entries.translated(e);
          }
        });
  }

  private void release(FileContent content) {
    open.release(content, clock.millis());
  }

  private long countBytes() throws IOException {
    byte[] prefix = {ShareTreeFormat.INODE};
    byte[] after = new byte[0];
    long bytes = 0;
    while (true) {
      List<ShareEntry> page = entries.scan(prefix, after, MAX_PAGE_ENTRIES);
      for (ShareEntry entry : page) {
        if (entry.object().isPresent()) {
          ShareObject object = entry.object().get();
          bytes +=
              store
                  .unfolded(record.id(), object.id())
                  .map(ShareStore.Unfolded::lengthBytes)
                  .orElse(object.root().lengthBytes());
        }
      }
      if (page.size() < MAX_PAGE_ENTRIES) {
        return bytes;
      }
      after = page.getLast().key();
    }
  }

  // ---- files without a name

  private void removeOrphans() throws IOException {
    if (record.snapshot()) {
      return;
    }
    byte[] prefix = {ShareTreeFormat.ORPHAN};
    while (true) {
      List<ShareEntry> page = entries.scan(prefix, new byte[0], CLEANING_PAGE);
      for (ShareEntry entry : page) {
        Entries.await(clean(ShareTreeFormat.keyId(entry.key())));
      }
      if (page.size() < CLEANING_PAGE) {
        return;
      }
    }
  }

  /** Removes a file that nobody can reach any more, its attributes first. */
  private CompletionStage<Void> clean(long fileId) throws IOException {
    for (ShareEntry entry : streamEntries(fileId)) {
      // Nobody waits: the file's marker goes after them.
      var _ = dropStream(entry);
    }
    byte[] prefix = ShareTreeFormat.prefix(ShareTreeFormat.ATTRIBUTE, fileId);
    while (true) {
      List<ShareChange> changes = new ArrayList<>();
      List<ShareEntry> page = entries.scan(prefix, new byte[0], CLEANING_PAGE);
      page.forEach(entry -> changes.add(new ShareChange.Remove(entry.key())));
      boolean last = page.size() < CLEANING_PAGE;
      if (last) {
        changes.add(new ShareChange.Remove(ShareTreeFormat.accessListKey(fileId)));
        changes.add(new ShareChange.Remove(ShareTreeFormat.pendingKey(fileId)));
        changes.add(new ShareChange.Remove(ShareTreeFormat.inodeKey(fileId)));
        changes.add(new ShareChange.Remove(ShareTreeFormat.orphanKey(fileId)));
      }
      CompletionStage<Void> durable = entries.change(changes);
      if (last) {
        return durable;
      }
    }
  }

  /** Takes a stream off a file that is gone. */
  private CompletionStage<Void> dropStream(ShareEntry entry) throws IOException {
    long streamId = ShareTreeFormat.readStream(entry.key(), entry.value());
    CompletionStage<Void> durable;
    Unlinked unlinked;
    try (var _ = files.hold(streamId);
        Batch batch = new Batch()) {
      batch.add(new ShareChange.Remove(entry.key()));
      unlinked = batch.unlink(batch.inode(streamId), clock.instant());
      durable = batch.submit();
      unlinked.settle();
    }
    unlinked.finish();
    return durable;
  }

  /** The last one who held a file without a name has let go. */
  private void orphaned(FileContent content) {
    try {
      // Nobody waits: a marker is in the tree, and a start finds it.
      var _ = clean(content.fileId());
    } catch (IOException e) {
      System.getLogger(ShareFileSystem.class.getName())
          .log(
              System.Logger.Level.WARNING,
              "removing file " + content.fileId() + ", which a restart will do: " + e);
    }
    usage.changed(-content.state().lengthBytes());
    OpenFiles.closeQuietly(content);
  }

  /** A file whose last name goes, or one of whose names goes. */
  private final class Unlinked {
    private final long fileId;
    private final boolean last;
    private final boolean needsCleaning;
    private @Nullable FileContent idle;
    private boolean cleanNow;
    private long storedBytes;

    private Unlinked(long fileId, boolean last, boolean needsCleaning, long storedBytes) {
      this.fileId = fileId;
      this.last = last;
      this.needsCleaning = needsCleaning;
      this.storedBytes = storedBytes;
    }

    /** After the change was given to the tree, under the file's lock. */
    void settle() {
      if (!last) {
        return;
      }
      cleanNow = needsCleaning && !open.markUnlinked(fileId);
      if (!needsCleaning || cleanNow) {
        idle = open.takeIdle(fileId);
      }
      if (needsCleaning && !cleanNow) {
        storedBytes = 0;
      }
    }

    /** Without locks. */
    void finish() throws IOException {
      if (cleanNow) {
        // Nobody waits: a marker is in the tree, and a start finds it.
        var _ = clean(fileId);
      }
      usage.changed(-storedBytes);
      if (idle != null) {
        OpenFiles.closeQuietly(idle);
      }
    }
  }

  // ---- one change of the tree

  /**
   * Changes of entries that go to the tree in one piece. The files it reads are locked by the
   * caller; attributes of those that are open stay as they are until it is closed.
   */
  private final class Batch implements AutoCloseable {
    private final List<ShareChange> changes = new ArrayList<>(8);
    private final List<FileContent> locked = new ArrayList<>(2);
    private final List<Inode> puts = new ArrayList<>(4);

    Inode inode(long fileId) throws IOException {
      FileContent content = open.find(fileId);
      if (content == null) {
        return stored(fileId).inode;
      }
      if (!locked.contains(content)) {
        content.stateLock.lock();
        locked.add(content);
      }
      return content.state().inode();
    }

    void add(ShareChange change) {
      changes.add(change);
    }

    /** Makes a file, with an empty content if it is a regular one. */
    void make(Inode inode) {
      changes.add(
          new ShareChange.SetEntry(
              new ShareEntry(
                  ShareTreeFormat.inodeKey(inode.fileId()),
                  inode.isRegular()
                      ? Optional.of(new ShareObject(objectIds.get(), emptyRoot, 0, 0, new byte[0]))
                      : Optional.empty(),
                  ShareTreeFormat.inode(inode))));
    }

    void put(Inode inode) {
      changes.add(
          new ShareChange.SetValue(
              ShareTreeFormat.inodeKey(inode.fileId()), ShareTreeFormat.inode(inode)));
      puts.add(inode);
    }

    /** Changes an access control list as a new mode says. */
    void putMode(Inode inode, int mode) throws IOException {
      changes.add(
          new ShareChange.SetValue(
              ShareTreeFormat.accessListKey(inode.fileId()),
              ShareTreeFormat.accessList(
                  AccessLists.withMode(storedAccessList(inode), mode, inode.isDirectory()))));
    }

    /** Has a file looked at until it is committed. */
    void addPending(Inode inode) {
      changes.add(
          new ShareChange.SetValue(
              ShareTreeFormat.pendingKey(inode.fileId()),
              ShareTreeFormat.pending(new PendingValue(inode.change(), retention.nowMillis()))));
    }

    void addName(long directoryId, byte[] name, FileType type, long fileId) throws IOException {
      long cookie = ids.next();
      byte[] kept = name.clone();
      changes.add(
          new ShareChange.SetValue(
              ShareTreeFormat.nameKey(directoryId, kept),
              ShareTreeFormat.name(new NameValue(type, fileId, cookie))));
      changes.add(
          new ShareChange.SetValue(
              ShareTreeFormat.cookieKey(directoryId, cookie),
              ShareTreeFormat.cookie(new CookieValue(type, fileId, kept))));
      byte[] fold = CaseFolding.fold(kept);
      if (!Arrays.equals(fold, kept)) {
        changes.add(
            new ShareChange.SetValue(
                ShareTreeFormat.foldedKey(directoryId, fold, cookie),
                ShareTreeFormat.cookie(new CookieValue(type, fileId, kept))));
      }
    }

    void removeName(long directoryId, byte[] name, long cookie) {
      changes.add(new ShareChange.Remove(ShareTreeFormat.nameKey(directoryId, name)));
      changes.add(new ShareChange.Remove(ShareTreeFormat.cookieKey(directoryId, cookie)));
      byte[] fold = CaseFolding.fold(name);
      if (!Arrays.equals(fold, name)) {
        changes.add(new ShareChange.Remove(ShareTreeFormat.foldedKey(directoryId, fold, cookie)));
      }
    }

    /** Takes one name off a file, and the file if it was the last. */
    Unlinked unlink(Inode inode, Instant now) throws IOException {
      long fileId = inode.fileId();
      boolean last = inode.isDirectory() || inode.linkCount() <= 1;
      boolean keep = inode.isRegular() && open.isHeld(fileId);
      boolean needsCleaning = last && (keep || inode.hasAttributes() || inode.hasStreams());
      long bytes = last && inode.isRegular() && usage.counts() ? length(fileId) : 0;
      if (!last || needsCleaning) {
        Inode.Edit edit = inode.edit().changed(now);
        edit.linkCount = last ? 0 : inode.linkCount() - 1;
        put(edit.done());
      } else {
        changes.add(new ShareChange.Remove(ShareTreeFormat.inodeKey(fileId)));
        if (retention.on()) {
          changes.add(new ShareChange.Remove(ShareTreeFormat.pendingKey(fileId)));
        }
        if (inode.hasAccessList()) {
          changes.add(new ShareChange.Remove(ShareTreeFormat.accessListKey(fileId)));
        }
      }
      if (needsCleaning) {
        changes.add(
            new ShareChange.SetValue(ShareTreeFormat.orphanKey(fileId), ShareTreeFormat.orphan()));
      }
      return new Unlinked(fileId, last, needsCleaning, bytes);
    }

    private long length(long fileId) throws IOException {
      FileContent content = open.find(fileId);
      return content == null ? stored(fileId).lengthBytes : content.state().lengthBytes();
    }

    CompletionStage<Void> submit() throws IOException {
      CompletionStage<Void> durable = entries.change(changes);
      for (Inode inode : puts) {
        for (FileContent content : locked) {
          if (content.fileId() == inode.fileId()) {
            content.put(inode);
          }
        }
      }
      return durable;
    }

    @Override
    public void close() {
      locked.forEach(content -> content.stateLock.unlock());
    }
  }

  @Override
  public String toString() {
    return "share " + record.name() + " " + Arrays.toString(new long[] {rootId});
  }
}
