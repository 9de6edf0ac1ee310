package onefold.nas.nfs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.nas.FileError;
import onefold.nas.FileException;
import onefold.nas.FileSystem;
import onefold.nas.FileType;
import onefold.nas.LockManager;
import onefold.nas.OpenFile;
import org.jspecify.annotations.Nullable;

/** The operations of NFSv4 on locks of byte ranges. */
final class LockOperations {
  private final Clients clients;
  private final States states;

  LockOperations(Clients clients, States states) {
    this.clients = clients;
    this.states = states;
  }

  boolean serve(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    switch (operation) {
      case Operation.LOCK -> lock(c, in, out);
      case Operation.LOCKT -> testLock(c, in);
      case Operation.LOCKU -> unlock(c, in, out);
      case Operation.RELEASE_LOCKOWNER -> {
        if (c.minor() > 0) {
          return false;
        }
        releaseLockOwner(in);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

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
      ownerName = new Bytes(in.readOpaque(States.MAX_OWNER_BYTES, "lock owner"));
      open = states.findOpen(c, shown);
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
      State state = states.find(c, shown);
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
      States.check(c, known == null ? open : known, shown, node);
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
      return states.current(state);
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
    var name = new Bytes(in.readOpaque(States.MAX_OWNER_BYTES, "lock owner"));
    Compound.Node node = c.current();
    Client client = states.client(c, clientId);
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
      owner = known == null ? States.NOBODY : known;
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
    State state = states.find(c, stateid);
    if (!(state instanceof LockState lock)) {
      throw new Refusal(Status.BAD_STATEID);
    }
    if (c.minor() == 0 && !c.take(lock.owner(), sequence, Operation.LOCKU)) {
      return;
    }
    Client client = state.client();
    client.lock.lock();
    try {
      States.check(c, state, stateid, node);
      long bounded = checkRange(position, length);
      OpenState open = lock.open();
      open.files().locks().unlock(open.key().fileId(), lock.owner(), position, bounded);
      state.grow();
      Stateid given = states.current(state);
      c.setState(given);
      given.write(out);
    } finally {
      client.lock.unlock();
    }
  }

  private void releaseLockOwner(XdrReader in) throws IOException, Refusal {
    Client client = clients.client(in.readLong());
    clients.renew(client);
    var name = new Bytes(in.readOpaque(States.MAX_OWNER_BYTES, "lock owner"));
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
      mine.forEach(states::dropLock);
      client.lockOwners.remove(name);
    } finally {
      client.lock.unlock();
    }
  }
}
