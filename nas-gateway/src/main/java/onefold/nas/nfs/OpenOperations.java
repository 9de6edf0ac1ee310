package onefold.nas.nfs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.nas.Access;
import onefold.nas.AccessEntry;
import onefold.nas.AttributeChange;
import onefold.nas.Attributes;
import onefold.nas.Change;
import onefold.nas.CreateMode;
import onefold.nas.Created;
import onefold.nas.FileError;
import onefold.nas.FileException;
import onefold.nas.FileSystem;
import onefold.nas.FileType;
import onefold.nas.LockManager;
import onefold.nas.OpenFile;
import onefold.nas.ReadResult;
import onefold.nas.Stability;
import org.jspecify.annotations.Nullable;

/** The operations of NFSv4 on open files and locks, and on their bytes. */
final class OpenOperations {
  private static final int MAX_OWNER_BYTES = 1024;
  private static final int MAX_TESTED = 1024;

  private static final int CLAIM_NULL = 0;
  private static final int CLAIM_PREVIOUS = 1;
  private static final int CLAIM_DELEGATE_CUR = 2;
  private static final int CLAIM_DELEGATE_PREV = 3;
  private static final int CLAIM_FH = 4;
  private static final int CLAIM_DELEG_CUR_FH = 5;
  private static final int CLAIM_DELEG_PREV_FH = 6;

  private static final int RESULT_CONFIRM = 2;
  private static final int RESULT_LOCKTYPE_POSIX = 4;

  /**
   * What may stand beside the access in 4.1: which delegation is wanted, of which none is given.
   */
  private static final int WANTS = 0x0003_ff00;

  private static final int WANTED_DELEGATION = 0xff00;
  private static final int WANT_NONE = 0x0400;
  private static final int WANT_CANCEL = 0x0500;
  private static final int DELEGATE_NONE = 0;
  private static final int DELEGATE_NONE_EXT = 3;
  private static final int WHY_NOT_WANTED = 0;
  private static final int WHY_RESOURCE = 2;

  /** So many owners without open files are kept of a client of 4.1. */
  private static final int IDLE_OWNERS = 1000;

  /** Who reads and writes without an open. */
  private static final Object NOBODY = OpenOperations.class;

  private final Clients clients;

  OpenOperations(Clients clients) {
    this.clients = clients;
  }

  boolean serve(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    switch (operation) {
      case Operation.OPEN -> open(c, in, out);
      case Operation.OPEN_DOWNGRADE -> downgrade(c, in, out);
      case Operation.CLOSE -> close(c, in, out);
      case Operation.READ -> read(c, in, out);
      case Operation.WRITE -> write(c, in, out);
      case Operation.LOCK -> lock(c, in, out);
      case Operation.LOCKT -> testLock(c, in);
      case Operation.LOCKU -> unlock(c, in, out);
      case Operation.DELEGRETURN -> {
        Stateid.read(in);
        c.current();
        throw new Refusal(Status.BAD_STATEID);
      }
      default -> {
        return c.minor() == 0
            ? serveFirst(c, operation, in, out)
            : serveLater(c, operation, in, out);
      }
    }
    return true;
  }

  private boolean serveFirst(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    switch (operation) {
      case Operation.OPEN_CONFIRM -> confirm(c, in, out);
      case Operation.RELEASE_LOCKOWNER -> releaseLockOwner(in);
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean serveLater(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    switch (operation) {
      case Operation.FREE_STATEID -> freeState(c, in);
      case Operation.TEST_STATEID -> testStates(c, in, out);
      case Operation.ALLOCATE -> allocate(c, in, true);
      case Operation.DEALLOCATE -> allocate(c, in, false);
      case Operation.SEEK -> seek(c, in, out);
      case Operation.CLONE -> cloneRange(c, in);
      case Operation.COPY -> copy(c, in, out);
      case Operation.OFFLOAD_CANCEL, Operation.OFFLOAD_STATUS -> {
        // Every copy is over when it is answered.
        Stateid.read(in);
        throw new Refusal(Status.OFFLOAD_NO_REQS);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  // ---- finding state

  private static Client client(Compound c, long clientId, Clients clients) throws Refusal {
    Session session = c.session();
    return session != null ? session.client() : clients.client(clientId);
  }

  /** The state that a stateid stands for, of this client; its number is not looked at. */
  private State find(Compound c, Stateid stateid) throws Refusal {
    if (stateid.isSpecial()) {
      throw new Refusal(Status.BAD_STATEID);
    }
    if (stateid.start() != clients.start()) {
      throw new Refusal(c.minor() == 0 ? Status.STALE_STATEID : Status.BAD_STATEID);
    }
    State state = clients.state(stateid.number());
    if (state == null) {
      throw new Refusal(
          c.minor() == 0 && clients.isExpired(stateid.number())
              ? Status.EXPIRED
              : Status.BAD_STATEID);
    }
    Session session = c.session();
    if (session != null ? session.client() != state.client() : state.client().sessioned()) {
      throw new Refusal(Status.BAD_STATEID);
    }
    if (session == null) {
      clients.renew(state.client());
    }
    return state;
  }

  /** Checks that a stateid is the latest of its state, and of this file. */
  private static void check(Compound c, State state, Stateid stateid, Compound.Node node)
      throws Refusal {
    checkSequence(c, state, stateid);
    if (!state.open().key().equals(node.key())) {
      throw new Refusal(Status.BAD_STATEID);
    }
  }

  private static void checkSequence(Compound c, State state, Stateid stateid) throws Refusal {
    if (state.open().isClosed() || (state instanceof LockState lock && isGone(lock))) {
      throw new Refusal(Status.BAD_STATEID);
    }
    boolean latest = c.minor() > 0 && stateid.sequence() == 0;
    if (!latest && stateid.sequence() != state.sequence()) {
      throw new Refusal(
          stateid.sequence() - state.sequence() < 0 ? Status.OLD_STATEID : Status.BAD_STATEID);
    }
  }

  private static boolean isGone(LockState lock) {
    return lock.open().locks.get(lock.owner()) != lock;
  }

  private Stateid current(State state) {
    return new Stateid(state.sequence(), clients.start(), state.number());
  }

  /** A file that an operation works on: open by a state, or for this operation alone. */
  static final class InUse implements AutoCloseable {
    private final OpenFile file;
    private final @Nullable OpenState state;

    private InUse(OpenFile file, @Nullable OpenState state) {
      this.file = file;
      this.state = state;
    }

    OpenFile file() {
      return file;
    }

    boolean isOpenByState() {
      return state != null;
    }

    @Override
    public void close() {
      if (state == null) {
        file.close();
        return;
      }
      Client client = state.client();
      client.lock.lock();
      try {
        state.leave();
      } finally {
        client.lock.unlock();
      }
    }
  }

  /** Finds the open file that a stateid gives the right to; the special ones open it anew. */
  InUse use(Compound c, Compound.Node node, Stateid stateid, int access)
      throws IOException, Refusal {
    if (node.isPseudoRoot()) {
      throw new Refusal(Status.ISDIR);
    }
    Doors.Entered share = node.share();
    if (stateid.isSpecial()) {
      if (!stateid.equals(Stateid.ANONYMOUS) && !stateid.equals(Stateid.BYPASS)) {
        throw new Refusal(Status.BAD_STATEID);
      }
      boolean bypass = stateid.equals(Stateid.BYPASS) && access == OpenFile.READ;
      OpenFile file = share.files().open(share.who(), node.fileId(), access, true);
      if (!bypass && share.files().locks().denies(node.fileId(), NOBODY, access)) {
        file.close();
        throw new Refusal(Status.LOCKED);
      }
      return new InUse(file, null);
    }
    State state = find(c, stateid);
    Client client = state.client();
    boolean sameUser;
    InUse use;
    client.lock.lock();
    try {
      check(c, state, stateid, node);
      OpenState open = state.open();
      if (c.minor() == 0 && !open.owner().confirmed) {
        throw new Refusal(Status.BAD_STATEID);
      }
      OpenFile file = open.enter(access);
      if (file == null) {
        throw new Refusal(Status.OPENMODE);
      }
      sameUser = open.uid == share.who().uid() || share.who().isRoot();
      use = new InUse(file, open);
    } finally {
      client.lock.unlock();
    }
    if (!sameUser) {
      checkUser(share, node, access, use);
    }
    return use;
  }

  /** Somebody else than who opened it needs the right himself. */
  private static void checkUser(Doors.Entered share, Compound.Node node, int access, InUse use)
      throws IOException, Refusal {
    int wanted = access == OpenFile.READ ? Access.READ : Access.MODIFY;
    boolean allowed = false;
    try {
      allowed = share.files().access(share.who(), node.fileId(), wanted) == wanted;
    } finally {
      if (!allowed) {
        use.close();
      }
    }
    if (!allowed) {
      throw new Refusal(Status.ACCESS);
    }
  }

  // ---- open

  /** The arguments of OPEN. */
  private record OpenArguments(
      int sequence,
      int access,
      int deny,
      long clientId,
      Bytes owner,
      boolean create,
      int how,
      long verifier,
      Attributes4.Wanted wanted,
      int claim,
      byte[] name) {}

  private static OpenArguments readOpen(Compound c, XdrReader in) throws XdrException, Refusal {
    int sequence = in.readInt();
    int access = in.readInt();
    int deny = in.readInt();
    long clientId = in.readLong();
    var owner = new Bytes(in.readOpaque(MAX_OWNER_BYTES, "open owner"));
    int type = in.readInt();
    int how = 0;
    long verifier = 0;
    Attributes4.Wanted wanted = Attributes4.Wanted.NOTHING;
    Refusal refused = null;
    switch (type) {
      case 0 -> {}
      case 1 -> {
        how = in.readInt();
        if (how < 0 || how > 3 || (how == 3 && c.minor() == 0)) {
          throw new XdrException("createmode " + how);
        }
        if (how >= 2) {
          verifier = in.readLong();
        }
        if (how != 2) {
          try {
            wanted = Attributes4.read(in, c.minor());
          } catch (Refusal e) {
            refused = e;
          }
        }
      }
      default -> throw new XdrException("opentype " + type);
    }
    int claim = in.readInt();
    byte[] name = new byte[0];
    switch (claim) {
      case CLAIM_NULL, CLAIM_DELEGATE_PREV ->
          name = in.readOpaque(NfsLimits.MAX_NAME_BYTES, "name");
      case CLAIM_PREVIOUS -> in.readInt();
      case CLAIM_DELEGATE_CUR -> {
        Stateid.read(in);
        name = in.readOpaque(NfsLimits.MAX_NAME_BYTES, "name");
      }
      case CLAIM_FH, CLAIM_DELEG_PREV_FH -> {}
      case CLAIM_DELEG_CUR_FH -> Stateid.read(in);
      default -> throw new XdrException("claim " + claim);
    }
    if (refused != null) {
      throw refused;
    }
    return new OpenArguments(
        sequence, access, deny, clientId, owner, type == 1, how, verifier, wanted, claim, name);
  }

  private void open(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    OpenArguments a = readOpen(c, in);
    Compound.Node node = c.current();
    Client client = client(c, a.clientId(), clients);
    if (c.minor() == 0) {
      clients.renew(client);
    }
    OpenOwner owner = openOwner(client, a.owner());
    if (c.minor() == 0) {
      forgetUnconfirmed(owner, a.sequence());
      if (!c.take(owner, a.sequence(), Operation.OPEN)) {
        return;
      }
    }
    int access = c.minor() == 0 ? a.access() : a.access() & ~WANTS;
    if (access < 1 || access > 3 || a.deny() < 0 || a.deny() > 3) {
      throw new Refusal(Status.INVAL);
    }
    switch (a.claim()) {
      case CLAIM_NULL -> clients.checkNew(client);
      case CLAIM_FH -> {
        if (c.minor() == 0) {
          throw new Refusal(Status.INVAL);
        }
        clients.checkNew(client);
      }
      case CLAIM_PREVIOUS -> clients.checkReclaim(client);
      // Nothing was ever delegated.
      case CLAIM_DELEGATE_CUR, CLAIM_DELEG_CUR_FH -> throw new Refusal(Status.BAD_STATEID);
      default -> throw new Refusal(Status.NOTSUPP);
    }
    if (a.create() && a.claim() != CLAIM_NULL) {
      throw new Refusal(Status.INVAL);
    }
    Target target = target(c, node, a, access);
    // Durable before the client holds anything that it might reclaim.
    clients.record(client);
    OpenState state;
    try {
      state = register(client, owner, target, access, a.deny());
    } catch (FileException e) {
      target.file().close();
      if (a.claim() == CLAIM_PREVIOUS && e.error() == FileError.SHARE_DENIED) {
        throw new Refusal(Status.RECLAIM_CONFLICT);
      }
      throw e;
    } catch (Refusal e) {
      target.file().close();
      throw e;
    }
    Stateid given;
    try {
      Long size = a.wanted().attributes().sizeBytes();
      if (size != null && (target.made() || size == 0)) {
        setSize(target, size);
      }
    } finally {
      client.lock.lock();
      try {
        given = current(state);
        if (!state.owns(target.file())) {
          target.file().close();
        }
        state.leave();
      } finally {
        client.lock.unlock();
      }
    }
    c.setCurrent(target.node());
    c.setState(given);
    given.write(out);
    FileOperations.writeChange(out, target.directory());
    boolean unconfirmed = c.minor() == 0 && !owner.confirmed;
    out.writeInt(RESULT_LOCKTYPE_POSIX | (unconfirmed ? RESULT_CONFIRM : 0));
    (target.made() ? a.wanted().given() : new Bitmap()).write(out);
    writeNoDelegation(c, a.access(), out);
  }

  /** In 4.1 who says what he wants delegated is told why it is not. */
  private static void writeNoDelegation(Compound c, int access, XdrWriter out) {
    int wanted = access & WANTED_DELEGATION;
    if (c.minor() == 0 || wanted == 0) {
      out.writeInt(DELEGATE_NONE);
    } else if (wanted == WANT_NONE || wanted == WANT_CANCEL) {
      out.writeInt(DELEGATE_NONE_EXT).writeInt(WHY_NOT_WANTED);
    } else {
      out.writeInt(DELEGATE_NONE_EXT).writeInt(WHY_RESOURCE).writeBoolean(false);
    }
  }

  private static void setSize(Target target, long size) throws IOException {
    if ((target.file().access() & OpenFile.WRITE) != 0) {
      target.file().setLength(size);
    } else {
      Doors.Entered share = target.share();
      share
          .files()
          .setAttributes(
              share.who(), target.node().fileId(), AttributeChange.NONE.withSize(size), null);
    }
  }

  private OpenOwner openOwner(Client client, Bytes name) throws Refusal {
    client.lock.lock();
    try {
      OpenOwner owner = client.openOwners.get(name);
      if (owner == null) {
        if (client.expired) {
          throw new Refusal(Status.EXPIRED);
        }
        if (client.openOwners.size() >= Client.MAX_STATES) {
          client.openOwners.values().removeIf(each -> each.opens.isEmpty());
        }
        owner = new OpenOwner(client, name);
        client.openOwners.put(name, owner);
      } else if (client.openOwners.size() > IDLE_OWNERS && client.sessioned()) {
        OpenOwner used = owner;
        client.openOwners.values().removeIf(each -> each.opens.isEmpty() && each != used);
      }
      return owner;
    } finally {
      client.lock.unlock();
    }
  }

  /**
   * An owner that was never confirmed begins anew: what it opened is closed (RFC 7530, 16.18.5).
   */
  private void forgetUnconfirmed(OpenOwner owner, int sequence) {
    Client client = owner.client();
    owner.turn.lock();
    try {
      if (!owner.isNumbered()
          || owner.confirmed
          || owner.check(sequence, Operation.OPEN) == StateOwner.Turn.AGAIN) {
        return;
      }
      client.lock.lock();
      try {
        for (OpenState state : List.copyOf(owner.opens.values())) {
          drop(state);
        }
        owner.startAnew();
      } finally {
        client.lock.unlock();
      }
    } finally {
      owner.turn.unlock();
    }
  }

  /**
   * What is to be opened.
   *
   * @param file open with the access that is wanted
   * @param directory change of the directory, or of the file itself where no name was given
   * @param made whether the file was made by this
   */
  private record Target(
      Compound.Node node, Doors.Entered share, OpenFile file, Change directory, boolean made) {}

  private Target target(Compound c, Compound.Node node, OpenArguments a, int access)
      throws IOException, Refusal {
    if (a.claim() != CLAIM_NULL) {
      if (node.isPseudoRoot()) {
        throw new Refusal(Status.ISDIR);
      }
      Doors.Entered share = node.share();
      OpenFile file =
          share.files().open(share.who(), node.fileId(), access, a.claim() == CLAIM_PREVIOUS);
      Attributes now = file.attributes();
      return new Target(node, share, file, new Change(now, now), false);
    }
    if (a.name().length == 0) {
      throw new Refusal(Status.INVAL);
    }
    Doors.Entered share = node.share();
    FileSystem files = share.files();
    if (!a.create()) {
      Attributes found = files.lookup(share.who(), node.fileId(), a.name());
      checkType(c, found);
      OpenFile file = files.open(share.who(), found.fileId(), access, false);
      Attributes directory = files.attributes(node.fileId());
      return new Target(
          node.sibling(found.fileId()), share, file, new Change(directory, directory), false);
    }
    AttributeChange attributes = a.wanted().attributes().withoutSize();
    CreateMode mode =
        switch (a.how()) {
          case 0 -> new CreateMode.Unchecked(attributes);
          case 1 -> new CreateMode.Guarded(attributes);
          default -> new CreateMode.Exclusive(a.verifier(), attributes);
        };
    Created created = files.create(share.who(), node.fileId(), a.name(), mode);
    long fileId = created.file().fileId();
    boolean own = created.made() || a.how() >= 2;
    OpenFile file = files.open(share.who(), fileId, access, own);
    List<AccessEntry> list = a.wanted().accessList();
    if (created.made() && list != null) {
      files.setAccessList(share.who(), fileId, list);
    }
    return new Target(node.sibling(fileId), share, file, created.directory(), own);
  }

  private static void checkType(Compound c, Attributes found) throws Refusal {
    switch (found.type()) {
      case REGULAR -> {}
      case DIRECTORY -> throw new Refusal(Status.ISDIR);
      case SYMBOLIC_LINK -> throw new Refusal(Status.SYMLINK);
      case BLOCK_DEVICE, CHARACTER_DEVICE, SOCKET, FIFO ->
          throw new Refusal(c.minor() == 0 ? Status.SYMLINK : Status.WRONG_TYPE);
    }
  }

  /** Sets the share mode and takes the open file over. */
  private OpenState register(Client client, OpenOwner owner, Target target, int access, int deny)
      throws IOException, Refusal {
    try {
      return registerOnce(client, owner, target, access, deny);
    } catch (FileException e) {
      // What is in the way may belong to somebody whose lease is over.
      if (e.error() != FileError.SHARE_DENIED || !clients.expire()) {
        throw e;
      }
      return registerOnce(client, owner, target, access, deny);
    }
  }

  private OpenState registerOnce(
      Client client, OpenOwner owner, Target target, int access, int deny)
      throws IOException, Refusal {
    FileKey key = target.node().key();
    LockManager locks = target.share().files().locks();
    client.lock.lock();
    try {
      OpenState state = owner.opens.get(key);
      if (state != null) {
        // His own denials count too (RFC 7530, 9.9).
        if ((access & state.deny) != 0 || (deny & state.access) != 0) {
          throw new Refusal(Status.SHARE_DENIED);
        }
        locks.open(key.fileId(), owner, state.access | access, state.deny | deny);
        state.grow();
      } else {
        locks.open(key.fileId(), owner, access, deny);
        state = new OpenState(clients.newStateNumber(), owner, key, target.share().files());
        try {
          clients.add(state);
        } catch (Refusal e) {
          locks.close(key.fileId(), owner);
          throw e;
        }
        owner.opens.put(key, state);
      }
      state.add(target.file());
      state.hold();
      state.uid = target.share().who().uid();
      state.access |= access;
      state.deny |= deny;
      state.accessSeen |= 1 << access;
      state.denySeen |= 1 << deny;
      return state;
    } finally {
      client.lock.unlock();
    }
  }

  private void confirm(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid stateid = Stateid.read(in);
    int sequence = in.readInt();
    Compound.Node node = c.current();
    State state = find(c, stateid);
    if (!(state instanceof OpenState open)) {
      throw new Refusal(Status.BAD_STATEID);
    }
    OpenOwner owner = open.owner();
    if (!c.take(owner, sequence, Operation.OPEN_CONFIRM)) {
      return;
    }
    Client client = owner.client();
    client.lock.lock();
    try {
      check(c, state, stateid, node);
      if (owner.confirmed) {
        throw new Refusal(Status.BAD_STATEID);
      }
      owner.confirmed = true;
      state.grow();
      current(state).write(out);
    } finally {
      client.lock.unlock();
    }
  }

  private OpenState findOpen(Compound c, Stateid stateid) throws Refusal {
    State state = find(c, stateid);
    if (!(state instanceof OpenState open)) {
      throw new Refusal(Status.BAD_STATEID);
    }
    return open;
  }

  private void downgrade(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid stateid = c.meant(Stateid.read(in));
    int sequence = in.readInt();
    int access = in.readInt();
    int deny = in.readInt();
    Compound.Node node = c.current();
    OpenState state = findOpen(c, stateid);
    if (c.minor() == 0 && !c.take(state.owner(), sequence, Operation.OPEN_DOWNGRADE)) {
      return;
    }
    if (c.minor() > 0) {
      access &= ~WANTS;
    }
    Client client = state.client();
    client.lock.lock();
    try {
      check(c, state, stateid, node);
      if (access < 1
          || access > 3
          || deny < 0
          || deny > 3
          || !isUnion(state.accessSeen, access)
          || !isUnion(state.denySeen, deny)) {
        throw new Refusal(Status.INVAL);
      }
      state.files().locks().open(state.key().fileId(), state.owner(), access, deny);
      state.access = access;
      state.deny = deny;
      state.accessSeen = within(state.accessSeen, access);
      state.denySeen = within(state.denySeen, deny);
      state.grow();
      Stateid given = current(state);
      c.setState(given);
      given.write(out);
    } finally {
      client.lock.unlock();
    }
  }

  /** Whether some of the values that were seen make up this one. */
  private static boolean isUnion(int seen, int value) {
    int union = 0;
    for (int each = 0; each <= 3; each++) {
      if ((seen >>> each & 1) != 0 && (each & ~value) == 0) {
        union |= each;
      }
    }
    return union == value && (value != 0 || (seen & 1) != 0);
  }

  private static int within(int seen, int value) {
    int kept = 1 << value;
    for (int each = 0; each <= 3; each++) {
      if ((each & ~value) == 0) {
        kept |= seen & 1 << each;
      }
    }
    return kept;
  }

  private void close(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    int sequence = in.readInt();
    Stateid stateid = c.meant(Stateid.read(in));
    Compound.Node node = c.current();
    OpenState state = findOpen(c, stateid);
    if (c.minor() == 0 && !c.take(state.owner(), sequence, Operation.CLOSE)) {
      return;
    }
    Client client = state.client();
    client.lock.lock();
    try {
      check(c, state, stateid, node);
      drop(state);
      if (c.minor() == 0) {
        state.grow();
        clients.remember(state);
        current(state).write(out);
      } else {
        c.setState(Stateid.INVALID);
        Stateid.INVALID.write(out);
      }
    } finally {
      client.lock.unlock();
    }
  }

  /** Takes an open file back with all its locks; the client's lock is held. */
  private void drop(OpenState state) {
    LockManager locks = state.files().locks();
    long fileId = state.key().fileId();
    for (LockState lock : List.copyOf(state.locks.values())) {
      locks.unlockAll(fileId, lock.owner());
      dropLock(lock);
    }
    locks.close(fileId, state.owner());
    state.owner().opens.remove(state.key());
    clients.remove(state);
    state.close();
  }

  private void dropLock(LockState lock) {
    lock.open().locks.remove(lock.owner());
    clients.remove(lock);
    LockOwner owner = lock.owner();
    owner.stateCount--;
    if (owner.stateCount == 0 && owner.client().sessioned()) {
      owner.client().lockOwners.remove(owner.name());
    }
  }

  // ---- bytes

  private void read(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid stateid = c.meant(Stateid.read(in));
    long position = in.readLong();
    int wanted = (int) Math.min(in.readUint(), NfsLimits.MAX_TRANSFER_BYTES);
    try (InUse use = use(c, c.current(), stateid, OpenFile.READ)) {
      if (position < 0) {
        throw new Refusal(Status.INVAL);
      }
      long size = use.file().attributes().sizeBytes();
      int count = (int) Math.clamp(size - position, 0L, (long) wanted);
      int endAt = out.position();
      out.writeBoolean(false);
      // A reply that may be no longer gives fewer bytes; asked for so many, it would be refused.
      int bytesAt = out.beginOpaque(count);
      ReadResult result =
          count == 0
              ? new ReadResult(0, position + wanted >= size)
              : use.file().read(position, out.array(), bytesAt, count);
      out.endOpaque(bytesAt, result.lengthBytes());
      out.patchInt(endAt, result.end() ? 1 : 0);
    }
  }

  private void write(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid stateid = c.meant(Stateid.read(in));
    long position = in.readLong();
    int how = in.readInt();
    if (how < 0 || how > 2) {
      throw new XdrException("stable_how4 " + how);
    }
    XdrReader.Range bytes = in.readRange(OpenFile.MAX_TRANSFER_BYTES, "data");
    Compound.Node node = c.current();
    try (InUse use = use(c, node, stateid, OpenFile.WRITE)) {
      if (position < 0) {
        throw new Refusal(Status.FBIG);
      }
      use.file().write(position, bytes.array(), bytes.offset(), bytes.length(), stability(how));
      out.writeInt(bytes.length()).writeInt(how).writeLong(node.files().writeVerifier());
    }
  }

  private static Stability stability(int how) {
    return switch (how) {
      case 0 -> Stability.UNSTABLE;
      case 1 -> Stability.DATA;
      default -> Stability.FILE;
    };
  }

  private void allocate(Compound c, XdrReader in, boolean reserve) throws IOException, Refusal {
    Stateid stateid = c.meant(Stateid.read(in));
    long position = in.readLong();
    long length = in.readLong();
    try (InUse use = use(c, c.current(), stateid, OpenFile.WRITE)) {
      if (position < 0 || length < 0 || position + length < 0) {
        throw new Refusal(reserve ? Status.FBIG : Status.INVAL);
      }
      if (length == 0) {
        throw new Refusal(Status.INVAL);
      }
      if (reserve) {
        use.file().allocate(position, length);
      } else {
        use.file().punch(position, length);
      }
    }
  }

  private void seek(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid stateid = c.meant(Stateid.read(in));
    long position = in.readLong();
    int what = in.readInt();
    try (InUse use = use(c, c.current(), stateid, OpenFile.READ)) {
      long size = use.file().attributes().sizeBytes();
      if (position < 0 || position >= size) {
        throw new Refusal(Status.NXIO);
      }
      switch (what) {
        case 0 -> {
          long at;
          try {
            at = use.file().nextData(position);
          } catch (FileException e) {
            if (e.error() != FileError.NO_SUCH_POSITION) {
              throw e;
            }
            // Nothing but a hole behind it (RFC 7862, 15.11.3).
            out.writeBoolean(true).writeLong(size);
            return;
          }
          out.writeBoolean(false).writeLong(at);
        }
        case 1 -> {
          long at = use.file().nextHole(position);
          out.writeBoolean(at >= size).writeLong(at);
        }
        default -> throw new Refusal(Status.INVAL);
      }
    }
  }

  private void cloneRange(Compound c, XdrReader in) throws IOException, Refusal {
    Stateid from = c.meantSaved(Stateid.read(in));
    Stateid to = c.meant(Stateid.read(in));
    long fromPosition = in.readLong();
    long toPosition = in.readLong();
    long count = in.readLong();
    splice(c, from, to, fromPosition, toPosition, count);
  }

  /**
   * Copies a range between two files of a dedup domain as a change of recipe; returns its length.
   */
  private long splice(
      Compound c, Stateid from, Stateid to, long fromPosition, long toPosition, long count)
      throws IOException, Refusal {
    try (InUse source = use(c, c.saved(), from, OpenFile.READ);
        InUse target = use(c, c.current(), to, OpenFile.WRITE)) {
      long size = source.file().attributes().sizeBytes();
      if (fromPosition < 0
          || toPosition < 0
          || count < 0
          || fromPosition > size
          || count > size - fromPosition) {
        throw new Refusal(Status.INVAL);
      }
      long length = count == 0 ? size - fromPosition : count;
      if (length > 0) {
        target.file().copyFrom(source.file(), fromPosition, toPosition, length);
      }
      return length;
    }
  }

  private void copy(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid from = c.meantSaved(Stateid.read(in));
    Stateid to = c.meant(Stateid.read(in));
    long fromPosition = in.readLong();
    long toPosition = in.readLong();
    long count = in.readLong();
    in.readBoolean();
    in.readBoolean();
    int servers = in.readCount(64, "source servers");
    if (servers > 0) {
      // Nothing is fetched from elsewhere.
      throw new Refusal(Status.NOTSUPP);
    }
    long copied = splice(c, from, to, fromPosition, toPosition, count);
    out.writeInt(0).writeLong(copied).writeInt(2);
    out.writeLong(c.current().files().writeVerifier());
    out.writeBoolean(true).writeBoolean(true);
  }

  // ---- locks

  private static long checkRange(long position, long length) throws Refusal {
    if (length == 0) {
      throw new Refusal(Status.INVAL);
    }
    if (length == -1) {
      if (position < 0) {
        throw new Refusal(Status.BAD_RANGE);
      }
      return LockManager.TO_END;
    }
    boolean overflows =
        Long.compareUnsigned(position + length, position) < 0 && position + length != 0;
    if (overflows) {
      throw new Refusal(Status.INVAL);
    }
    if (position < 0) {
      throw new Refusal(Status.BAD_RANGE);
    }
    return length < 0 || position + length < 0 ? LockManager.TO_END : length;
  }

  private static boolean isExclusive(int type) throws XdrException {
    return switch (type) {
      case 1, 3 -> false;
      case 2, 4 -> true;
      default -> throw new XdrException("lock type " + type);
    };
  }

  private void lock(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    boolean exclusive = isExclusive(in.readInt());
    boolean reclaim = in.readBoolean();
    long position = in.readLong();
    long length = in.readLong();
    boolean fresh = in.readBoolean();
    Compound.Node node = c.current();
    OpenState open;
    LockState known = null;
    Stateid shown;
    Bytes ownerName = null;
    int lockSequence = 0;
    if (fresh) {
      int openSequence = in.readInt();
      shown = c.meant(Stateid.read(in));
      lockSequence = in.readInt();
      long clientId = in.readLong();
      ownerName = new Bytes(in.readOpaque(MAX_OWNER_BYTES, "lock owner"));
      open = findOpen(c, shown);
      if (c.minor() == 0) {
        if (open.client().id() != clientId) {
          throw new Refusal(Status.STALE_CLIENTID);
        }
        if (!c.take(open.owner(), openSequence, Operation.LOCK)) {
          return;
        }
      }
    } else {
      shown = c.meant(Stateid.read(in));
      int sequence = in.readInt();
      State state = find(c, shown);
      if (!(state instanceof LockState lockState)) {
        throw new Refusal(Status.BAD_STATEID);
      }
      known = lockState;
      open = lockState.open();
      if (c.minor() == 0 && !c.take(lockState.owner(), sequence, Operation.LOCK)) {
        return;
      }
    }
    Client client = open.client();
    if (node.isPseudoRoot()) {
      throw new Refusal(Status.ISDIR);
    }
    long bounded = checkRange(position, length);
    if (reclaim) {
      clients.checkReclaim(client);
    } else {
      clients.checkNew(client);
    }
    var wanted =
        new LockArguments(open, known, ownerName, lockSequence, exclusive, position, bounded);
    Object got = tryLock(c, node, shown, wanted);
    if (got instanceof LockManager.Held && !reclaim && clients.expire()) {
      // What was in the way may have belonged to somebody whose lease is over.
      got = tryLock(c, node, shown, wanted);
    }
    switch (got) {
      case LockManager.Held held -> {
        if (reclaim) {
          throw new Refusal(Status.RECLAIM_CONFLICT);
        }
        throw denied(held);
      }
      case Stateid given -> {
        c.setState(given);
        given.write(out);
      }
      default -> throw new IllegalStateException("no outcome " + got);
    }
  }

  /** What LOCK wants: through an open file, for a known owner of locks or one by name. */
  private record LockArguments(
      OpenState open,
      @Nullable LockState known,
      @Nullable Bytes ownerName,
      int sequence,
      boolean exclusive,
      long position,
      long length) {}

  /** Locks; returns the stateid, or what is in the way. */
  private Object tryLock(Compound c, Compound.Node node, Stateid shown, LockArguments a)
      throws IOException, Refusal {
    OpenState open = a.open();
    LockState known = a.known();
    Client client = open.client();
    client.lock.lock();
    try {
      check(c, known == null ? open : known, shown, node);
      if (c.minor() == 0 && !open.owner().confirmed) {
        throw new Refusal(Status.BAD_STATEID);
      }
      if ((open.access & (a.exclusive() ? OpenFile.WRITE : OpenFile.READ)) == 0) {
        throw new Refusal(Status.OPENMODE);
      }
      LockOwner owner = known == null ? lockOwner(client, a.ownerName()) : known.owner();
      LockManager locks = open.files().locks();
      long fileId = open.key().fileId();
      Optional<LockManager.Held> conflict =
          locks.lock(fileId, owner, a.position(), a.length(), a.exclusive());
      if (conflict.isPresent()) {
        return conflict.get();
      }
      LockState state = open.locks.get(owner);
      if (state == null) {
        state = new LockState(clients.newStateNumber(), open, owner);
        try {
          clients.add(state);
        } catch (Refusal e) {
          locks.unlock(fileId, owner, a.position(), a.length());
          throw e;
        }
        open.locks.put(owner, state);
        owner.stateCount++;
      } else {
        state.grow();
      }
      if (known == null && c.minor() == 0) {
        owner.number(a.sequence());
      }
      return current(state);
    } finally {
      client.lock.unlock();
    }
  }

  private static LockOwner lockOwner(Client client, @Nullable Bytes name) throws Refusal {
    if (name == null) {
      throw new Refusal(Status.BAD_STATEID);
    }
    LockOwner owner = client.lockOwners.get(name);
    if (owner == null) {
      if (client.lockOwners.size() >= Client.MAX_STATES) {
        client.lockOwners.values().removeIf(each -> each.stateCount == 0);
      }
      owner = new LockOwner(client, name);
      client.lockOwners.put(name, owner);
    }
    return owner;
  }

  /** Says who holds what is in the way. */
  private static Refusal denied(LockManager.Held held) {
    var body = new XdrWriter(64, 4096);
    body.writeLong(held.positionBytes()).writeLong(held.lengthBytes());
    body.writeInt(held.exclusive() ? 2 : 1);
    if (held.owner() instanceof LockOwner owner) {
      body.writeLong(owner.client().id()).writeOpaque(owner.name().array());
    } else {
      body.writeLong(0).writeString(String.valueOf(held.owner()));
    }
    return new Refusal(Status.DENIED, body.toBytes());
  }

  private void testLock(Compound c, XdrReader in) throws IOException, Refusal {
    boolean exclusive = isExclusive(in.readInt());
    long position = in.readLong();
    long length = in.readLong();
    long clientId = in.readLong();
    var name = new Bytes(in.readOpaque(MAX_OWNER_BYTES, "lock owner"));
    Compound.Node node = c.current();
    Client client = client(c, clientId, clients);
    if (c.minor() == 0) {
      clients.renew(client);
    }
    if (node.isPseudoRoot()) {
      throw new Refusal(Status.ISDIR);
    }
    long bounded = checkRange(position, length);
    FileSystem files = node.files();
    FileType type = files.attributes(node.fileId()).type();
    if (type == FileType.DIRECTORY) {
      throw new Refusal(Status.ISDIR);
    }
    if (type != FileType.REGULAR) {
      throw new FileException(
          type == FileType.SYMBOLIC_LINK ? FileError.IS_SYMBOLIC_LINK : FileError.WRONG_TYPE,
          "no file to lock");
    }
    if (clients.inGrace()) {
      throw new Refusal(Status.GRACE);
    }
    Object owner;
    client.lock.lock();
    try {
      LockOwner known = client.lockOwners.get(name);
      owner = known == null ? NOBODY : known;
    } finally {
      client.lock.unlock();
    }
    Optional<LockManager.Held> held =
        files.locks().test(node.fileId(), owner, position, bounded, exclusive);
    if (held.isPresent() && clients.expire()) {
      held = files.locks().test(node.fileId(), owner, position, bounded, exclusive);
    }
    if (held.isPresent()) {
      throw denied(held.get());
    }
  }

  private void unlock(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    isExclusive(in.readInt());
    int sequence = in.readInt();
    Stateid stateid = c.meant(Stateid.read(in));
    long position = in.readLong();
    long length = in.readLong();
    Compound.Node node = c.current();
    State state = find(c, stateid);
    if (!(state instanceof LockState lock)) {
      throw new Refusal(Status.BAD_STATEID);
    }
    if (c.minor() == 0 && !c.take(lock.owner(), sequence, Operation.LOCKU)) {
      return;
    }
    Client client = state.client();
    client.lock.lock();
    try {
      check(c, state, stateid, node);
      long bounded = checkRange(position, length);
      OpenState open = lock.open();
      open.files().locks().unlock(open.key().fileId(), lock.owner(), position, bounded);
      state.grow();
      Stateid given = current(state);
      c.setState(given);
      given.write(out);
    } finally {
      client.lock.unlock();
    }
  }

  private void releaseLockOwner(XdrReader in) throws IOException, Refusal {
    Client client = clients.client(in.readLong());
    clients.renew(client);
    var name = new Bytes(in.readOpaque(MAX_OWNER_BYTES, "lock owner"));
    client.lock.lock();
    try {
      LockOwner owner = client.lockOwners.get(name);
      if (owner == null) {
        return;
      }
      List<LockState> mine = new ArrayList<>();
      for (State state : client.states.values()) {
        if (state instanceof LockState lock && lock.owner() == owner) {
          OpenState open = lock.open();
          if (open.files().locks().holds(open.key().fileId(), owner)) {
            throw new Refusal(Status.LOCKS_HELD);
          }
          mine.add(lock);
        }
      }
      mine.forEach(this::dropLock);
      client.lockOwners.remove(name);
    } finally {
      client.lock.unlock();
    }
  }

  private void freeState(Compound c, XdrReader in) throws IOException, Refusal {
    Stateid stateid = c.meant(Stateid.read(in));
    State state = find(c, stateid);
    Client client = state.client();
    client.lock.lock();
    try {
      checkSequence(c, state, stateid);
      if (!(state instanceof LockState lock)) {
        throw new Refusal(Status.LOCKS_HELD);
      }
      OpenState open = lock.open();
      if (open.files().locks().holds(open.key().fileId(), lock.owner())) {
        throw new Refusal(Status.LOCKS_HELD);
      }
      dropLock(lock);
    } finally {
      client.lock.unlock();
    }
  }

  private void testStates(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    int count = in.readCount(MAX_TESTED, "stateids");
    out.writeInt(count);
    for (int i = 0; i < count; i++) {
      Stateid stateid = Stateid.read(in);
      int status = Status.OK;
      try {
        State state = find(c, stateid);
        Client client = state.client();
        client.lock.lock();
        try {
          checkSequence(c, state, stateid);
        } finally {
          client.lock.unlock();
        }
      } catch (Refusal e) {
        status = e.status();
      }
      out.writeInt(status);
    }
  }
}
