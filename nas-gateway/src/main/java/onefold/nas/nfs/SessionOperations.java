package onefold.nas.nfs;

import java.io.IOException;

/** The operations on clients and sessions. */
final class SessionOperations {
  private static final int MAX_OWNER_BYTES = 1024;
  private static final int MAX_NET_BYTES = 128;
  private static final int MAX_SECURITY_PARAMETERS = 8;
  private static final int MAX_GSS_HANDLE_BYTES = 1024;

  /** Less than this and no compound, or its reply, fits into a channel. */
  private static final int LEAST_CHANNEL_BYTES = 100;

  private static final int FLAG_NON_PNFS = 0x0001_0000;
  private static final int FLAG_UPDATE = 0x4000_0000;
  private static final int FLAG_CONFIRMED = 0x8000_0000;
  private static final int KNOWN_FLAGS = 0x0007_0103 | FLAG_UPDATE;
  private static final int BOTH_CHANNELS = 3;

  private final Clients clients;
  private final byte[] serverName;

  /**
   * @param serverName owner and scope of this server, the same after each start
   */
  SessionOperations(Clients clients, byte[] serverName) {
    this.clients = clients;
    this.serverName = serverName.clone();
  }

  boolean serve(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    if (c.minor() == 0) {
      switch (operation) {
        case Operation.SETCLIENTID -> setClientId(c, in, out);
        case Operation.SETCLIENTID_CONFIRM -> {
          long clientId = in.readLong();
          clients.confirmClientId(clientId, in.readLong(), c.call().credential());
        }
        case Operation.RENEW -> clients.renew(clients.client(in.readLong()));
        default -> {
          return false;
        }
      }
      return true;
    }
    switch (operation) {
      case Operation.EXCHANGE_ID -> exchangeId(c, in, out);
      case Operation.CREATE_SESSION -> createSession(c, in, out);
      case Operation.DESTROY_SESSION -> clients.destroySession(Session.SessionId.read(in));
      case Operation.DESTROY_CLIENTID -> clients.destroyClientId(in.readLong());
      case Operation.BIND_CONN_TO_SESSION -> bind(c, in, out);
      case Operation.BACKCHANNEL_CTL -> {
        in.readInt();
        skipSecurityParameters(in);
      }
      case Operation.RECLAIM_COMPLETE -> {
        boolean oneFileSystem = in.readBoolean();
        if (oneFileSystem) {
          c.current();
        } else {
          clients.reclaimComplete(client(c));
        }
      }
      case Operation.SEQUENCE -> throw new Refusal(Status.SEQUENCE_POS);
      default -> {
        return false;
      }
    }
    return true;
  }

  private static Client client(Compound c) throws Refusal {
    Session session = c.session();
    if (session == null) {
      throw new Refusal(Status.OP_NOT_IN_SESSION);
    }
    return session.client();
  }

  private void setClientId(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    long verifier = in.readLong();
    byte[] owner = in.readOpaque(MAX_OWNER_BYTES, "client owner");
    in.readInt();
    in.readRange(MAX_NET_BYTES, "network id");
    in.readRange(MAX_NET_BYTES, "address");
    in.readInt();
    try {
      Clients.Identity identity =
          clients.setClientId(new Bytes(owner), verifier, c.call().credential());
      out.writeLong(identity.clientId()).writeLong(identity.confirmVerifier());
    } catch (Refusal e) {
      if (e.status() != Status.CLID_INUSE) {
        throw e;
      }
      // The address of who uses it: one that tells nothing.
      var address = new XdrWriter(64, 64).writeString("tcp").writeString("0.0.0.0.0.0");
      throw new Refusal(e.status(), address.toBytes());
    }
  }

  private void exchangeId(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    long verifier = in.readLong();
    byte[] owner = in.readOpaque(MAX_OWNER_BYTES, "client owner");
    int flags = in.readInt();
    int protection = in.readInt();
    switch (protection) {
      case 0 -> {}
      case 1 -> {
        Bitmap.read(in);
        Bitmap.read(in);
      }
      case 2 -> {
        Bitmap.read(in);
        Bitmap.read(in);
        skipOids(in);
        skipOids(in);
        in.readInt();
        in.readInt();
      }
      default -> throw new XdrException("state protection " + protection);
    }
    if (in.readCount(1, "implementations") == 1) {
      in.readRange(MAX_OWNER_BYTES, "domain");
      in.readRange(MAX_OWNER_BYTES, "name");
      in.readLong();
      in.readInt();
    }
    if ((flags & ~KNOWN_FLAGS) != 0 || protection != 0) {
      // Protection of state needs a machine's own Kerberos credential.
      throw new Refusal(Status.INVAL);
    }
    if (c.session() == null && c.operationCount() > 1) {
      throw new Refusal(Status.NOT_ONLY_OP);
    }
    Clients.Exchanged exchanged =
        clients.exchangeId(
            new Bytes(owner), verifier, c.call().credential(), (flags & FLAG_UPDATE) != 0);
    out.writeLong(exchanged.clientId()).writeInt(exchanged.sequence());
    out.writeInt(FLAG_NON_PNFS | (exchanged.confirmed() ? FLAG_CONFIRMED : 0));
    out.writeInt(0);
    // Server owner and scope.
    out.writeLong(0).writeOpaque(serverName).writeOpaque(serverName);
    out.writeInt(0);
  }

  private static void skipOids(XdrReader in) throws XdrException {
    int count = in.readCount(32, "algorithms");
    for (int i = 0; i < count; i++) {
      in.readRange(MAX_NET_BYTES, "algorithm");
    }
  }

  private void createSession(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    long clientId = in.readLong();
    int sequence = in.readInt();
    int flags = in.readInt();
    Session.Channel fore = readChannel(in);
    Session.Channel back = readChannel(in);
    in.readInt();
    skipSecurityParameters(in);
    if ((flags & ~7) != 0) {
      throw new Refusal(Status.INVAL);
    }
    if (fore.maxRequestBytes() < LEAST_CHANNEL_BYTES
        || fore.maxResponseBytes() < LEAST_CHANNEL_BYTES
        || back.maxRequestBytes() < LEAST_CHANNEL_BYTES
        || back.maxResponseBytes() < LEAST_CHANNEL_BYTES
        || fore.maxOperations() < 1
        || fore.slots() < 1) {
      throw new Refusal(Status.TOOSMALL);
    }
    var granted =
        new Session.Channel(
            Math.min(fore.maxRequestBytes(), NfsLimits.MAX_REPLY_BYTES),
            Math.min(fore.maxResponseBytes(), NfsLimits.MAX_REPLY_BYTES),
            Math.min(fore.maxCachedBytes(), Session.MAX_CACHED_BYTES),
            Math.min(fore.maxOperations(), Session.MAX_OPERATIONS),
            Math.min(fore.slots(), Session.MAX_SLOTS));
    // The back channel is agreed on as wished: nothing is ever called over it, for nothing is
    // delegated. Sessions do not outlive a restart.
    byte[] results =
        clients.createSession(
            clientId,
            sequence,
            c.call().credential(),
            granted,
            session -> {
              var reply = new XdrWriter(256, 1024);
              session.id().write(reply);
              reply.writeInt(sequence).writeInt(flags & 2);
              writeChannel(reply, granted);
              writeChannel(reply, back);
              return reply.toBytes();
            });
    out.writeFixed(results);
  }

  private static Session.Channel readChannel(XdrReader in) throws XdrException {
    in.readInt();
    int request = size(in.readUint());
    int response = size(in.readUint());
    int cached = size(in.readUint());
    int operations = size(in.readUint());
    int requests = size(in.readUint());
    if (in.readCount(1, "RDMA depths") == 1) {
      in.readInt();
    }
    return new Session.Channel(request, response, cached, operations, requests);
  }

  private static int size(long value) {
    return (int) Math.min(value, Integer.MAX_VALUE);
  }

  private static void writeChannel(XdrWriter out, Session.Channel channel) {
    out.writeInt(0).writeInt(channel.maxRequestBytes()).writeInt(channel.maxResponseBytes());
    out.writeInt(channel.maxCachedBytes()).writeInt(channel.maxOperations());
    out.writeInt(channel.slots()).writeInt(0);
  }

  private static void skipSecurityParameters(XdrReader in) throws XdrException {
    int count = in.readCount(MAX_SECURITY_PARAMETERS, "security parameters");
    for (int i = 0; i < count; i++) {
      int flavor = in.readInt();
      switch (flavor) {
        case Credential.NONE -> {}
        case Credential.SYS -> Credential.readSys(in);
        case Credential.GSS -> {
          in.readInt();
          in.readRange(MAX_GSS_HANDLE_BYTES, "handle");
          in.readRange(MAX_GSS_HANDLE_BYTES, "handle");
        }
        default -> throw new XdrException("flavor " + flavor);
      }
    }
  }

  private void bind(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Session.SessionId id = Session.SessionId.read(in);
    int direction = in.readInt();
    boolean remoteMemory = in.readBoolean();
    if (c.session() != null) {
      throw new Refusal(Status.NOT_ONLY_OP);
    }
    boolean known = (direction >= 1 && direction <= 3) || direction == 7;
    if (!known) {
      throw new XdrException("direction " + direction);
    }
    if (remoteMemory) {
      throw new Refusal(Status.NOTSUPP);
    }
    Session session = clients.session(id);
    clients.renew(session.client());
    id.write(out);
    out.writeInt(direction > BOTH_CHANNELS ? BOTH_CHANNELS : direction).writeBoolean(false);
  }
}
