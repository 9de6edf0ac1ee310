package onefold.nas.nfs;

import java.io.IOException;
import java.util.List;
import onefold.nas.AccessEntry;
import onefold.nas.AttributeChange;
import onefold.nas.Attributes;
import onefold.nas.Change;
import onefold.nas.CreateMode;
import onefold.nas.Created;
import onefold.nas.FileError;
import onefold.nas.FileException;
import onefold.nas.FileSystem;
import onefold.nas.LockManager;
import onefold.nas.OpenFile;

/** The operations of NFSv4 that open files and close them. */
final class OpenOperations {
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

  private final Clients clients;
  private final States states;

  OpenOperations(Clients clients, States states) {
    this.clients = clients;
    this.states = states;
  }

  boolean serve(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    switch (operation) {
      case Operation.OPEN -> open(c, in, out);
      case Operation.OPEN_DOWNGRADE -> downgrade(c, in, out);
      case Operation.CLOSE -> close(c, in, out);
      case Operation.DELEGRETURN -> {
        Stateid.read(in);
        c.current();
        throw new Refusal(Status.BAD_STATEID);
      }
      case Operation.OPEN_CONFIRM -> {
        if (c.minor() > 0) {
          return false;
        }
        confirm(c, in, out);
      }
      default -> {
        return false;
      }
    }
    return true;
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
    var owner = new Bytes(in.readOpaque(States.MAX_OWNER_BYTES, "open owner"));
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
    Client client = states.client(c, a.clientId());
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
      // A new file is empty as it is: nothing need be forced for it.
      if (size != null && (target.made() ? size > 0 : size == 0)) {
        setSize(target, size);
      }
    } finally {
      client.lock.lock();
      try {
        given = states.current(state);
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
          states.drop(state);
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
    State state = states.find(c, stateid);
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
      States.check(c, state, stateid, node);
      if (owner.confirmed) {
        throw new Refusal(Status.BAD_STATEID);
      }
      owner.confirmed = true;
      state.grow();
      states.current(state).write(out);
    } finally {
      client.lock.unlock();
    }
  }

  private void downgrade(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid stateid = c.meant(Stateid.read(in));
    int sequence = in.readInt();
    int access = in.readInt();
    int deny = in.readInt();
    Compound.Node node = c.current();
    OpenState state = states.findOpen(c, stateid);
    if (c.minor() == 0 && !c.take(state.owner(), sequence, Operation.OPEN_DOWNGRADE)) {
      return;
    }
    if (c.minor() > 0) {
      access &= ~WANTS;
    }
    Client client = state.client();
    client.lock.lock();
    try {
      States.check(c, state, stateid, node);
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
      Stateid given = states.current(state);
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
    OpenState state = states.findOpen(c, stateid);
    if (c.minor() == 0 && !c.take(state.owner(), sequence, Operation.CLOSE)) {
      return;
    }
    Client client = state.client();
    client.lock.lock();
    try {
      States.check(c, state, stateid, node);
      states.drop(state);
      if (c.minor() == 0) {
        state.grow();
        clients.remember(state);
        states.current(state).write(out);
      } else {
        c.setState(Stateid.INVALID);
        Stateid.INVALID.write(out);
      }
    } finally {
      client.lock.unlock();
    }
  }
}
