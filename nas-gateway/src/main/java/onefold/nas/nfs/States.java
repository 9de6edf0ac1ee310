package onefold.nas.nfs;

import java.io.IOException;
import java.util.List;
import onefold.nas.Access;
import onefold.nas.LockManager;
import onefold.nas.OpenFile;
import org.jspecify.annotations.Nullable;

/**
 * What stateids of NFSv4 stand for: finds it, checks it, and gives it back. Also the operations on
 * stateids themselves.
 */
final class States {
  /** Longest name of an owner of open files or locks. */
  static final int MAX_OWNER_BYTES = 1024;

  private static final int MAX_TESTED = 1024;

  /** Who reads, writes and asks for locks without an open. */
  static final Object NOBODY = States.class;

  private final Clients clients;

  States(Clients clients) {
    this.clients = clients;
  }

  boolean serve(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    if (c.minor() == 0) {
      return false;
    }
    switch (operation) {
      case Operation.FREE_STATEID -> freeState(c, in);
      case Operation.TEST_STATEID -> testStates(c, in, out);
      default -> {
        return false;
      }
    }
    return true;
  }

  /** The client that a compound is from: its session's, or in 4.0 the one it names. */
  Client client(Compound c, long clientId) throws Refusal {
    Session session = c.session();
    return session != null ? session.client() : clients.client(clientId);
  }

  /** The state that a stateid stands for, of this client; its number is not looked at. */
  State find(Compound c, Stateid stateid) throws Refusal {
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
  static void check(Compound c, State state, Stateid stateid, Compound.Node node) throws Refusal {
    checkSequence(c, state, stateid);
    if (!state.open().key().equals(node.key())) {
      throw new Refusal(Status.BAD_STATEID);
    }
  }

  /** Checks that a stateid is the latest of its state; of 4.1 that of number 0 always is. */
  static void checkSequence(Compound c, State state, Stateid stateid) throws Refusal {
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

  /** The stateid that stands for a state now. */
  Stateid current(State state) {
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

  /** The open file that a stateid stands for. */
  OpenState findOpen(Compound c, Stateid stateid) throws Refusal {
    State state = find(c, stateid);
    if (!(state instanceof OpenState open)) {
      throw new Refusal(Status.BAD_STATEID);
    }
    return open;
  }

  // ---- giving back

  /** Takes an open file back with all its locks; the client's lock is held. */
  void drop(OpenState state) {
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

  /** Forgets what locks an owner had on a file, which are free already. */
  void dropLock(LockState lock) {
    lock.open().locks.remove(lock.owner());
    clients.remove(lock);
    LockOwner owner = lock.owner();
    owner.stateCount--;
    if (owner.stateCount == 0 && owner.client().sessioned()) {
      owner.client().lockOwners.remove(owner.name());
    }
  }

  // ---- operations on stateids

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
