package onefold.nas;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Decides by a client's address what it may do with a share, and who its users are there. */
public final class Exports {
  private Exports() {}

  /**
   * Decides. The first rule that matches counts.
   *
   * @param shareName for the sentence
   */
  public static ExportDecision decide(
      String shareName, ShareSettings settings, InetAddress client) {
    String address = client.getHostAddress();
    if (!settings.nfs()) {
      return refused(
          "share "
              + shareName
              + " is not served over NFS; 'onefold share set "
              + shareName
              + " --nfs "
              + address
              + "' would serve it to this host");
    }
    for (ExportRule rule : settings.rules()) {
      if (matches(rule.hosts(), client)) {
        return decided(settings, rule, address);
      }
    }
    return refused(
        "no rule of share "
            + shareName
            + " names "
            + address
            + " (there are: "
            + rulesText(settings.rules())
            + "); 'onefold share set "
            + shareName
            + " --nfs "
            + withHost(settings.rules(), address)
            + "' would allow it");
  }

  /** Says what a rule means for whom it names, if no rule before it names him too. */
  public static ExportDecision decide(ShareSettings settings, ExportRule rule) {
    return decided(settings, rule, rule.hosts().equals("*") ? "everybody" : rule.hosts());
  }

  private static ExportDecision decided(ShareSettings settings, ExportRule rule, String client) {
    boolean single = isSingleHost(rule.hosts());
    Squash squash =
        switch (settings.squash()) {
          case AUTO -> single ? Squash.NONE : Squash.ROOT;
          case NONE, ROOT, ALL -> settings.squash();
        };
    String owner = settings.ownerUid() + ":" + settings.ownerGid();
    String root =
        switch (squash) {
          case NONE -> "root is root";
          case ROOT, AUTO -> "root becomes " + owner;
          case ALL -> "everybody becomes " + owner;
        };
    String why =
        settings.squash() != Squash.AUTO
            ? "as the share's squash says"
            : single ? "as the rule names a single host" : "as the rule names more than one host";
    String how =
        rule.readOnly()
            ? "may read, by the rule '" + rule.hosts() + "=ro'"
            : (settings.readOnly() ? "may read, as the share is read-only" : "may read and write")
                + ", by the rule '"
                + rule.hosts()
                + "'";
    return new ExportDecision(
        true,
        rule.readOnly() || settings.readOnly(),
        squash,
        client + " " + how + "; " + root + ", " + why + proof(settings));
  }

  private static String proof(ShareSettings settings) {
    Set<Security> kinds = settings.security();
    return kinds.equals(Set.of(Security.SYS))
        ? ""
        : "; calls must come with "
            + kinds.stream().sorted().map(Security::label).collect(Collectors.joining(" or "));
  }

  /**
   * Makes credentials of what a client claims.
   *
   * @param groups at most {@link Credentials#MAX_GROUPS}
   */
  public static Credentials credentials(
      ExportDecision decision, ShareSettings settings, long uid, long gid, Set<Long> groups) {
    boolean readOnly = decision.readOnly();
    return switch (decision.squash()) {
      case ALL -> new Credentials(settings.ownerUid(), settings.ownerGid(), Set.of(), readOnly);
      case NONE -> new Credentials(uid, gid, groups, readOnly);
      case ROOT, AUTO -> {
        if (uid == 0) {
          yield new Credentials(settings.ownerUid(), settings.ownerGid(), Set.of(), readOnly);
        }
        Set<Long> squashed = new HashSet<>(groups);
        squashed.remove(0L);
        yield new Credentials(uid, gid == 0 ? settings.ownerGid() : gid, squashed, readOnly);
      }
    };
  }

  /** Credentials for a client that says nothing of its users (AUTH_NONE): the share's owner. */
  public static Credentials anonymous(ExportDecision decision, ShareSettings settings) {
    return new Credentials(settings.ownerUid(), settings.ownerGid(), Set.of(), decision.readOnly());
  }

  /**
   * Checks what a rule may name.
   *
   * @throws IllegalArgumentException with what is wrong
   */
  public static void checkHosts(String hosts) {
    if (hosts.equals("*")) {
      return;
    }
    if (hosts.isEmpty() || hosts.length() > 255) {
      throw new IllegalArgumentException("a host's name has 1 to 255 characters");
    }
    int slash = hosts.indexOf('/');
    if (slash >= 0) {
      network(hosts);
      return;
    }
    if (isLiteral(hosts)) {
      literal(hosts);
      return;
    }
    for (int i = 0; i < hosts.length(); i++) {
      char c = hosts.charAt(i);
      boolean right =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || c == '-'
              || c == '.'
              || c == '_';
      if (!right) {
        throw new IllegalArgumentException(
            "'"
                + hosts
                + "' is no address, network (10.1.0.0/16), host's name, localhost or * (it holds '"
                + c
                + "')");
      }
    }
  }

  /** Whether a rule names one host: an address, a name or localhost. */
  static boolean isSingleHost(String hosts) {
    if (hosts.equals("*")) {
      return false;
    }
    int slash = hosts.indexOf('/');
    if (slash < 0) {
      return true;
    }
    Network network = network(hosts);
    return network.prefixBits == network.address.length * 8;
  }

  static boolean matches(String hosts, InetAddress client) {
    if (hosts.equals("*")) {
      return true;
    }
    if (hosts.equals("localhost")) {
      return client.isLoopbackAddress();
    }
    if (hosts.indexOf('/') >= 0) {
      return network(hosts).contains(client.getAddress());
    }
    if (isLiteral(hosts)) {
      return literal(hosts).equals(client);
    }
    try {
      // The platform remembers answers for half a minute; a name that is not known matches nobody.
      return List.of(InetAddress.getAllByName(hosts)).contains(client);
    } catch (UnknownHostException e) {
      return false;
    }
  }

  private static final class Network {
    private final byte[] address;
    private final int prefixBits;

    Network(byte[] address, int prefixBits) {
      this.address = address;
      this.prefixBits = prefixBits;
    }

    boolean contains(byte[] client) {
      if (client.length != address.length) {
        return false;
      }
      for (int bit = 0; bit < prefixBits; bit++) {
        int mask = 0x80 >>> (bit & 7);
        if ((client[bit >> 3] & mask) != (address[bit >> 3] & mask)) {
          return false;
        }
      }
      return true;
    }
  }

  private static Network network(String text) {
    int slash = text.indexOf('/');
    String address = text.substring(0, slash);
    if (!isLiteral(address)) {
      throw new IllegalArgumentException("'" + text + "': '" + address + "' is no address");
    }
    byte[] bytes = literal(address).getAddress();
    int bits;
    try {
      bits = Integer.parseInt(text.substring(slash + 1));
    } catch (NumberFormatException e) {
      bits = -1;
    }
    if (bits < 0 || bits > bytes.length * 8) {
      throw new IllegalArgumentException(
          "'" + text + "': behind the slash stands a number from 0 to " + bytes.length * 8);
    }
    return new Network(bytes, bits);
  }

  /** Whether a text can only be an address: never asks a name server. */
  private static boolean isLiteral(String text) {
    return text.indexOf(':') >= 0
        || (!text.isEmpty() && text.chars().allMatch(c -> c == '.' || (c >= '0' && c <= '9')));
  }

  private static InetAddress literal(String text) {
    // The platform also takes 10.1 for 10.0.0.1; nobody means that in a rule.
    if (text.indexOf(':') < 0 && text.chars().filter(c -> c == '.').count() != 3) {
      throw new IllegalArgumentException("'" + text + "' is no address");
    }
    try {
      return InetAddress.ofLiteral(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("'" + text + "' is no address", e);
    }
  }

  private static ExportDecision refused(String reason) {
    return new ExportDecision(false, true, Squash.ALL, reason);
  }

  private static String rulesText(List<ExportRule> rules) {
    return rules.isEmpty() ? "none" : rulesArgument(rules);
  }

  /** Rules as {@code --nfs} takes them: {@code HOSTS[=ro],…}. */
  public static String rulesArgument(List<ExportRule> rules) {
    return rules.stream().map(ExportRule::toString).collect(Collectors.joining(","));
  }

  private static String withHost(List<ExportRule> rules, String address) {
    return rules.isEmpty() ? address : rulesArgument(rules) + "," + address;
  }
}
