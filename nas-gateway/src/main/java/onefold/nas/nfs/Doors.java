package onefold.nas.nfs;

import java.io.IOException;
import java.net.InetAddress;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import onefold.nas.Credentials;
import onefold.nas.ExportDecision;
import onefold.nas.Exports;
import onefold.nas.FileSystem;
import onefold.nas.Security;
import onefold.nas.Share;
import onefold.nas.ShareSettings;
import onefold.nas.Shares;
import onefold.store.Id;

/** The shares as one caller sees them: which he may enter, and who he is there. */
final class Doors {
  /** Decisions that are remembered, and for how long: a rule may name a host by its name. */
  private static final int MAX_DECISIONS = 4096;

  private static final long DECISION_NANOS = 5_000_000_000L;
  private static final System.Logger LOG = System.getLogger(Doors.class.getName());

  private final Shares shares;
  private final FileHandles handles;
  private final boolean withKerberos;
  private final LongSupplier nanoClock;
  private final ConcurrentHashMap<Key, Known> decisions = new ConcurrentHashMap<>();

  private record Key(Id shareId, InetAddress client) {}

  private record Known(ShareSettings settings, ExportDecision decision, long nanos) {}

  /**
   * A share that a caller may enter.
   *
   * @param who he is there
   */
  record Entered(Share share, Credentials who) {
    FileSystem files() {
      return share.files();
    }
  }

  Doors(Shares shares, FileHandles handles, boolean withKerberos, LongSupplier nanoClock) {
    this.shares = shares;
    this.withKerberos = withKerberos;
    this.handles = handles;
    this.nanoClock = nanoClock;
  }

  Shares shares() {
    return shares;
  }

  /** Whether anybody can come with Kerberos at all. */
  boolean withKerberos() {
    return withKerberos;
  }

  FileHandles handles() {
    return handles;
  }

  ExportDecision decide(Share share, InetAddress client) {
    var key = new Key(share.id(), client);
    long now = nanoClock.getAsLong();
    Known known = decisions.get(key);
    if (known != null
        && known.settings().equals(share.settings())
        && now - known.nanos() < DECISION_NANOS) {
      return known.decision();
    }
    ExportDecision decision = Exports.decide(share.name(), share.settings(), client);
    if (known == null && decisions.size() >= MAX_DECISIONS) {
      decisions.clear();
    }
    decisions.put(key, new Known(share.settings(), decision, now));
    return decision;
  }

  /** Enters a share; empty if the caller's address may not, which is logged. */
  Optional<Entered> enter(Share share, RpcCall call) {
    ExportDecision decision = decide(share, call.client());
    if (!decision.allowed()) {
      LOG.log(System.Logger.Level.INFO, () -> "NFS access refused: " + decision.reason());
      return Optional.empty();
    }
    return Optional.of(new Entered(share, who(share, decision, call.credential())));
  }

  /** Whether a share may be used in the way a caller proves who he is. */
  static boolean takes(Share share, RpcCall call) {
    Set<Security> taken = share.settings().security();
    Security came = call.credential().security();
    if (taken.contains(came)) {
      return true;
    }
    LOG.log(
        System.Logger.Level.INFO,
        () ->
            "NFS access refused: "
                + call.client().getHostAddress()
                + " came to share "
                + share.name()
                + " with "
                + came.label()
                + ", it takes "
                + Security.text(taken)
                + "; 'onefold share set "
                + share.name()
                + " --sec "
                + Security.text(taken)
                + ","
                + came.label()
                + "' would allow it");
    return false;
  }

  Optional<Share> find(Id shareId) throws IOException {
    return shares.find(shareId);
  }

  private static Credentials who(Share share, ExportDecision decision, Credential credential) {
    if (credential.anonymous()) {
      return Exports.anonymous(decision, share.settings());
    }
    Set<Long> groups = HashSet.newHashSet(credential.groups().length);
    for (int group : credential.groups()) {
      groups.add(Integer.toUnsignedLong(group));
    }
    return Exports.credentials(
        decision,
        share.settings(),
        Integer.toUnsignedLong(credential.uid()),
        Integer.toUnsignedLong(credential.gid()),
        groups);
  }
}
