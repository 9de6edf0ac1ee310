package onefold.nas.nfs;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import onefold.nas.Attributes;
import onefold.nas.ExportDecision;
import onefold.nas.ExportRule;
import onefold.nas.FileException;
import onefold.nas.FileType;
import onefold.nas.Security;
import onefold.nas.Share;

/** MOUNT version 3 (RFC 1813, 5), on the port of NFS: a path becomes a file handle. */
final class MountProgram implements RpcProgram {
  static final int NUMBER = 100005;

  /** Mounts that are remembered for DUMP, which nothing depends on; the oldest are forgotten. */
  static final int MAX_MOUNTS = 1000;

  /** 390003 is krb5, then krb5i and krb5p (RFC 2623, 3.2). */
  private static final int KERBEROS_FLAVORS = 390002;

  private static final int MAX_PATH_BYTES = 1024;
  private static final int VERSION = 3;
  private static final int OK = 0;
  private static final int ERROR_NOENT = 2;
  private static final int ERROR_IO = 5;
  private static final int ERROR_ACCES = 13;
  private static final int ERROR_NOTDIR = 20;
  private static final int ERROR_INVAL = 22;
  private static final int ERROR_NAMETOOLONG = 63;
  private static final System.Logger LOG = System.getLogger(MountProgram.class.getName());

  private final Doors doors;
  private final ReentrantLock lock = new ReentrantLock();
  private final LinkedHashMap<Mount, Boolean> mounts = new LinkedHashMap<>(); // guarded by lock

  private record Mount(InetAddress client, String path) {}

  MountProgram(Doors doors) {
    this.doors = doors;
  }

  @Override
  public int number() {
    return NUMBER;
  }

  @Override
  public int lowestVersion() {
    return VERSION;
  }

  @Override
  public int highestVersion() {
    return VERSION;
  }

  @Override
  public int maxReplyBytes() {
    return 1 << 20;
  }

  @Override
  public Outcome serve(RpcCall call, XdrReader arguments, XdrWriter reply) throws XdrException {
    try {
      switch (call.procedure()) {
        case 0 -> {}
        case 1 -> mount(call, arguments, reply);
        case 2 -> dump(reply);
        case 3 -> {
          String path = path(arguments.readRange(MAX_PATH_BYTES, "path"));
          forget(new Mount(call.client(), path));
        }
        case 4 -> forgetAll(call.client());
        case 5 -> exports(call, reply);
        default -> {
          return Outcome.PROCEDURE_UNAVAILABLE;
        }
      }
      return Outcome.SUCCESS;
    } catch (XdrException e) {
      throw e;
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, () -> "mount procedure " + call.procedure(), e);
      return Outcome.SYSTEM_ERROR;
    }
  }

  private static String path(XdrReader.Range range) {
    return new String(range.array(), range.offset(), range.length(), StandardCharsets.UTF_8);
  }

  private void mount(RpcCall call, XdrReader arguments, XdrWriter reply) throws IOException {
    byte[] path = arguments.readOpaque(MAX_PATH_BYTES, "path");
    int at = reply.position();
    try {
      Mounted mounted = find(call, path);
      reply.writeInt(OK).writeOpaque(mounted.handle());
      writeFlavors(mounted.share().settings().security(), reply);
      remember(new Mount(call.client(), new String(path, StandardCharsets.UTF_8)));
    } catch (Refused e) {
      reply.rewind(at);
      reply.writeInt(e.status);
    } catch (FileException e) {
      reply.rewind(at);
      reply.writeInt(
          switch (e.error()) {
            case NOT_FOUND, STALE -> ERROR_NOENT;
            case NOT_DIRECTORY -> ERROR_NOTDIR;
            case ACCESS, NOT_OWNER -> ERROR_ACCES;
            case NAME_TOO_LONG -> ERROR_NAMETOOLONG;
            case IO, DELAY -> ERROR_IO;
            default -> ERROR_INVAL;
          });
    }
  }

  private record Mounted(Share share, byte[] handle) {}

  /** In which ways a client may come; the strongest first. */
  private static void writeFlavors(Set<Security> kinds, XdrWriter reply) {
    boolean sys = kinds.contains(Security.SYS);
    reply.writeInt(kinds.size() + (sys ? 1 : 0));
    for (Security each : List.of(Security.KRB5P, Security.KRB5I, Security.KRB5)) {
      if (kinds.contains(each)) {
        reply.writeInt(KERBEROS_FLAVORS + GssCalls.service(each));
      }
    }
    if (sys) {
      reply.writeInt(Credential.SYS).writeInt(Credential.NONE);
    }
  }

  private static final class Refused extends Exception {
    @java.io.Serial private static final long serialVersionUID = 1;

    private final int status;

    Refused(int status) {
      super("status " + status, null, false, false);
      this.status = status;
    }
  }

  private Mounted find(RpcCall call, byte[] path) throws IOException, Refused {
    List<byte[]> names = names(path);
    if (names.isEmpty()) {
      throw new Refused(ERROR_ACCES);
    }
    String name;
    try {
      name =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(names.getFirst())).toString();
    } catch (CharacterCodingException _) {
      throw new Refused(ERROR_NOENT);
    }
    Optional<Share> share = doors.shares().find(name);
    if (share.isEmpty()) {
      LOG.log(
          System.Logger.Level.INFO,
          () ->
              "mount of /"
                  + printable(name)
                  + " by "
                  + call.client().getHostAddress()
                  + ": no such share");
      throw new Refused(ERROR_NOENT);
    }
    ExportDecision decision = doors.decide(share.get(), call.client());
    if (!decision.allowed()) {
      LOG.log(System.Logger.Level.WARNING, () -> "mount refused: " + decision.reason());
      throw new Refused(ERROR_ACCES);
    }
    Doors.Entered entered =
        doors.enter(share.get(), call).orElseThrow(() -> new Refused(ERROR_ACCES));
    long fileId = entered.files().rootId();
    for (byte[] part : names.subList(1, names.size())) {
      Attributes next = entered.files().lookup(entered.who(), fileId, part);
      if (next.type() != FileType.DIRECTORY) {
        throw new Refused(ERROR_NOTDIR);
      }
      fileId = next.fileId();
    }
    return new Mounted(share.get(), doors.handles().handle(share.get().id(), fileId));
  }

  /** A name from the wire for the log: what is no letter, digit or the like becomes a dot. */
  private static String printable(String name) {
    return name.replaceAll("[^\\p{L}\\p{N}._ -]", ".");
  }

  /** Splits a path; empty parts and single dots are nothing. */
  private static List<byte[]> names(byte[] path) {
    List<byte[]> names = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= path.length; i++) {
      if (i == path.length || path[i] == '/') {
        boolean dot = i - start == 1 && path[start] == '.';
        if (i > start && !dot) {
          names.add(java.util.Arrays.copyOfRange(path, start, i));
        }
        start = i + 1;
      }
    }
    return names;
  }

  private void remember(Mount mount) {
    lock.lock();
    try {
      mounts.put(mount, true);
      if (mounts.size() > MAX_MOUNTS) {
        mounts.pollFirstEntry();
      }
    } finally {
      lock.unlock();
    }
  }

  private void forget(Mount mount) {
    lock.lock();
    try {
      mounts.remove(mount);
    } finally {
      lock.unlock();
    }
  }

  private void forgetAll(InetAddress client) {
    lock.lock();
    try {
      mounts.keySet().removeIf(mount -> mount.client().equals(client));
    } finally {
      lock.unlock();
    }
  }

  private void dump(XdrWriter reply) {
    List<Mount> all;
    lock.lock();
    try {
      all = mounts.entrySet().stream().map(Map.Entry::getKey).toList();
    } finally {
      lock.unlock();
    }
    for (Mount mount : all) {
      if (reply.position() > maxReplyBytes() - 2 * MAX_PATH_BYTES) {
        break;
      }
      reply
          .writeBoolean(true)
          .writeString(mount.client().getHostAddress())
          .writeString(mount.path());
    }
    reply.writeBoolean(false);
  }

  /** Lists the shares the caller may mount, and to whom they are open. */
  private void exports(RpcCall call, XdrWriter reply) throws IOException {
    for (Share share : doors.shares().list()) {
      if (reply.position() > maxReplyBytes() - (64 << 10)) {
        break;
      }
      if (!doors.decide(share, call.client()).allowed()) {
        continue;
      }
      reply.writeBoolean(true).writeString(share.path());
      int groups = 0;
      for (ExportRule rule : share.settings().rules()) {
        if (++groups > 100) {
          break;
        }
        reply.writeBoolean(true).writeString(rule.hosts());
      }
      reply.writeBoolean(false);
    }
    reply.writeBoolean(false);
  }
}
