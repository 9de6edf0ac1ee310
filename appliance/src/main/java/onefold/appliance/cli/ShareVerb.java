package onefold.appliance.cli;

import java.io.IOException;
import java.util.Optional;
import java.util.stream.Stream;
import onefold.appliance.FrontEnd;
import onefold.appliance.Size;
import onefold.appliance.context.Context;
import onefold.appliance.json.JsonObject;
import onefold.store.SnapshotRecord;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shares: create, ls, show, set, rm, snapshot, snapshots, clone. */
@Command(
    name = "share",
    description = {
      "Shares that clients mount: make, list, show, change, delete and copy them.",
      "A snapshot keeps a share as it is now. Clients read it below .snapshots, in every directory."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold share create vms --nfs 10.1.0.0/16,10.9.0.7=ro --quota 2TB"
    })
final class ShareVerb extends Group {
  ShareVerb(Environment environment) {
    super(
        new Create(environment),
        new List(environment),
        new Show(environment),
        new Set(environment),
        new Remove(environment),
        new Snapshot(environment),
        new Snapshots(environment),
        new Clone(environment));
  }

  /** Prints shares as a table. */
  static java.util.List<String> table(java.util.List<JsonObject> shares) {
    Table table =
        new Table(
            "SHARE", "PATH", "NFS", "SQUASH", "SECURITY", "ACCESS", ">QUOTA", ">USED", "OWNER");
    for (JsonObject share : shares) {
      long quotaBytes = share.number("quotaBytes");
      table.row(
          share.text("name"),
          share.text("path"),
          share.text("nfs"),
          share.text("squash"),
          share.text("security"),
          share.bool("readOnly", false)
              ? "read-only"
              : share.bool("worm", false) ? "worm" : "read-write",
          quotaBytes == 0 ? "-" : Size.format(quotaBytes),
          share.has("usedBytes") ? Size.format(share.number("usedBytes")) : "-",
          share.text("owner"));
    }
    return table.lines();
  }

  /** Commands to mount a share with. */
  static java.util.List<String> mounts(String host, int port, String path) {
    String server = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
    return java.util.List.of(
        "mount -t nfs4 -o vers=4.1,proto=tcp,port="
            + port
            + ",hard "
            + server
            + ":"
            + path
            + " /mnt",
        "mount -t nfs -o vers=3,proto=tcp,port="
            + port
            + ",mountproto=tcp,mountport="
            + port
            + ",nolock,hard "
            + server
            + ":"
            + path
            + " /mnt");
  }

  /** How clients mount a share that cannot be told a port. */
  static java.util.List<String> others(String host, int port, String name) {
    if (port != FrontEnd.NFS.defaultPort()) {
      return java.util.List.of(
          "ESXi, Windows and Oracle's direct NFS take port 2049 alone: serve --port nfs=2049");
    }
    return java.util.List.of(
        "ESXi 4.1:  esxcli storage nfs41 add -H " + host + " -s /" + name + " -v " + name,
        "ESXi 3:    esxcli storage nfs add -H "
            + host
            + " -s /"
            + name
            + " -v "
            + name
            + "   (rpcbind must run on "
            + host
            + ")",
        "Windows:   mount -o nolock,mtype=hard \\\\"
            + host
            + "\\"
            + name
            + " Z:   (rpcbind must run on "
            + host
            + ")",
        "oranfstab: server: onefold | path: "
            + host
            + " | export: /"
            + name
            + " mount: /mnt | nfs_version: nfsv3   (a line for each |; rpcbind must run on "
            + host
            + ")");
  }

  private abstract static class WithSettings extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "The share; clients mount /NAME.")
    String name = "";

    @Option(
        names = "--nfs",
        paramLabel = "HOSTS",
        description =
            "Who may mount it: addresses, networks, names, localhost or *, with commas; =ro behind"
                + " one for reading only; or none.")
    private Optional<String> nfs = Optional.empty();

    @Option(
        names = "--squash",
        paramLabel = "WHO",
        description =
            "Who becomes the owner: none, root or all; auto: root, unless the rule names a single"
                + " host.")
    private Optional<String> squash = Optional.empty();

    @Option(
        names = "--sec",
        paramLabel = "KINDS",
        description =
            "How clients must come: sys, krb5, krb5i or krb5p, with commas; sys when not said.")
    private Optional<String> security = Optional.empty();

    @Option(
        names = "--quota",
        paramLabel = "SIZE",
        description = "Most bytes of all files together, before deduplication, or none.")
    private Optional<String> quota = Optional.empty();

    @Option(
        names = "--read-only",
        paramLabel = "yes|no",
        description = "Whether nobody may change anything.")
    private Optional<String> readOnly = Optional.empty();

    @Option(
        names = "--owner",
        paramLabel = "UID:GID",
        description = "Whom squashed users become, and who owns the folder of a new share.")
    private Optional<String> owner = Optional.empty();

    @Option(
        names = "--snapshot-directory",
        paramLabel = "HOW",
        description =
            "How clients see .snapshots: hidden (found by name in every directory), visible (also"
                + " listed in the root) or off.")
    private Optional<String> snapshotDirectory = Optional.empty();

    @Option(
        names = "--commit-after",
        paramLabel = "TIME",
        description =
            "WORM: a file that has not changed for so long is kept: 90m, 24h, 7d or never.")
    private Optional<String> commitAfter = Optional.empty();

    @Option(
        names = "--retention",
        paramLabel = "DAYS",
        description = "WORM: how long a file is kept whose access time says nothing.")
    private Optional<Long> retention = Optional.empty();

    @Option(
        names = "--retention-min",
        paramLabel = "DAYS",
        description = "WORM: the shortest time, whatever the access time says.")
    private Optional<Long> leastRetention = Optional.empty();

    @Option(
        names = "--retention-max",
        paramLabel = "DAYS",
        description = "WORM: the longest time likewise.")
    private Optional<Long> mostRetention = Optional.empty();

    WithSettings(Environment environment) {
      super(environment);
    }

    JsonObject settings() throws Failure {
      JsonObject body = new JsonObject();
      nfs.ifPresent(n -> body.put("nfs", n));
      squash.ifPresent(s -> body.put("squash", s));
      security.ifPresent(s -> body.put("security", s));
      owner.ifPresent(o -> body.put("owner", o));
      snapshotDirectory.ifPresent(d -> body.put("snapshotDirectory", d));
      if (commitAfter.isPresent()) {
        body.put("quietSeconds", quietSeconds(commitAfter.orElseThrow()));
      }
      retention.ifPresent(d -> body.put("retentionDays", d));
      leastRetention.ifPresent(d -> body.put("retentionMinDays", d));
      mostRetention.ifPresent(d -> body.put("retentionMaxDays", d));
      try {
        quota.ifPresent(q -> body.put("quotaBytes", q.equals("none") ? 0 : Size.parse(q)));
      } catch (IllegalArgumentException e) {
        throw Failure.misused(String.valueOf(e.getMessage()));
      }
      if (readOnly.isPresent()) {
        switch (readOnly.orElseThrow()) {
          case "yes" -> body.put("readOnly", true);
          case "no" -> body.put("readOnly", false);
          default ->
              throw Failure.misused(
                  "--read-only '" + readOnly.orElseThrow() + "' is neither yes nor no");
        }
      }
      return body;
    }
  }

  /** Returns the seconds of a time such as 90m; 0 for never. */
  private static long quietSeconds(String time) throws Failure {
    if (time.equals("never")) {
      return 0;
    }
    if (!time.matches("[1-9][0-9]{0,8}[mhd]")) {
      throw Failure.misused(
          "--commit-after '" + time + "' is no time such as 90m, 24h or 7d, nor never");
    }
    int last = time.length() - 1;
    int unitSeconds =
        switch (time.charAt(last)) {
          case 'm' -> 60;
          case 'h' -> 3600;
          default -> 86_400;
        };
    return Long.parseLong(time.substring(0, last)) * unitSeconds;
  }

  @Command(
      name = "create",
      description = "Make a share; this machine alone may mount it unless --nfs names others.",
      footer = {"", "Example:", "  ./onefold share create vms --nfs 10.1.0.0/16 --quota 2TB"})
  private static final class Create extends WithSettings {
    @Option(
        names = "--domain",
        paramLabel = "D",
        description = "Its dedup domain; default when not said.")
    private Optional<String> domain = Optional.empty();

    @Option(
        names = "--worm",
        description =
            "Files are kept as they are once they are read-only, or have not changed for a day,"
                + " until their access time; it cannot be switched off later.")
    private boolean worm;

    Create(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      JsonObject body = settings().put("name", name);
      domain.ifPresent(d -> body.put("domain", d));
      if (worm) {
        body.put("worm", true);
      }
      Context context = context().context();
      try (RestClient rest = rest()) {
        JsonObject made = rest.request("POST", "/shares", body);
        say("share " + name + " is made");
        mountsOf(context, made).forEach(line -> say("  " + line));
        result(made);
      }
      return Exit.DONE;
    }
  }

  private static java.util.List<String> mountsOf(Context context, JsonObject share) {
    int port = context.port(FrontEnd.NFS.label(), FrontEnd.NFS.defaultPort());
    return share.text("nfs").equals("none")
        ? java.util.List.of()
        : Stream.concat(
                mounts(context.host(), port, share.text("path")).stream(),
                others(context.host(), port, share.text("name")).stream())
            .toList();
  }

  @Command(
      name = "ls",
      description = "List the shares.",
      footer = {"", "Example:", "  ./onefold share ls"})
  private static final class List extends ListAll {
    List(Environment environment) {
      super(environment, "shares", ShareVerb::table);
    }
  }

  @Command(
      name = "show",
      description = "Show a share, how to mount it, and what clients may do and why.",
      footer = {"", "Example:", "  ./onefold share show backup --client 10.1.2.3"})
  private static final class Show extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "The share.")
    private String name = "";

    @Option(
        names = "--client",
        paramLabel = "ADDR",
        description = "Say what this address may do, and why.")
    private Optional<String> client = Optional.empty();

    Show(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      Context context = context().context();
      try (RestClient rest = rest()) {
        String query = client.map(address -> "?client=" + RestClient.encoded(address)).orElse("");
        JsonObject share = rest.get("/shares/" + RestClient.encoded(name) + query);
        table(java.util.List.of(share)).forEach(this::say);
        mountsOf(context, share).forEach(line -> say("  " + line));
        if (share.bool("worm", false)) {
          say(kept(share));
        }
        if (client.isPresent()) {
          say(share.object("client").text("reason"));
        } else {
          for (JsonObject decision : share.array("clients").objects()) {
            say(decision.text("reason"));
          }
        }
        result(share);
      }
      return Exit.DONE;
    }
  }

  private static String length(long seconds) {
    return seconds % 86_400 == 0
        ? seconds / 86_400 + " d"
        : seconds % 3600 == 0 ? seconds / 3600 + " h" : seconds / 60 + " min";
  }

  /** Says how long files are kept. */
  private static String kept(JsonObject share) {
    long quiet = share.number("quietSeconds");
    return "files are kept once they are read-only"
        + (quiet == 0 ? "" : " or have not changed for " + length(quiet))
        + ": "
        + share.number("retentionDays")
        + " days, or until their access time, "
        + share.number("retentionMinDays")
        + " to "
        + share.number("retentionMaxDays")
        + " days";
  }

  @Command(
      name = "set",
      description = "Change a share's settings; what is not named stays.",
      footer = {"", "Example:", "  ./onefold share set backup --nfs 10.1.0.0/16,localhost"})
  private static final class Set extends WithSettings {
    Set(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      JsonObject body = settings();
      if (body.fields().isEmpty()) {
        throw Failure.misused(
            "nothing to change was named: --nfs, --squash, --sec, --quota, --read-only, --owner,"
                + " --snapshot-directory, --commit-after or --retention");
      }
      try (RestClient rest = rest()) {
        JsonObject changed = rest.request("PATCH", "/shares/" + RestClient.encoded(name), body);
        table(java.util.List.of(changed)).forEach(this::say);
        result(changed);
      }
      return Exit.DONE;
    }
  }

  /** The name of a share, and of a snapshot of it if one was named. */
  private record Named(String share, Optional<String> snapshot) {
    static Named of(String text) {
      int mark = text.indexOf(SnapshotRecord.MARK);
      return mark < 0
          ? new Named(text, Optional.empty())
          : new Named(text.substring(0, mark), Optional.of(text.substring(mark + 1)));
    }

    /** Where it stands in the REST door. */
    String path() {
      String path = "/shares/" + RestClient.encoded(share);
      return path + snapshot.map(name -> "/snapshots/" + RestClient.encoded(name)).orElse("");
    }
  }

  @Command(
      name = "rm",
      description = "Delete a share, or a snapshot of one.",
      footer = {
        "",
        "Example:",
        "  ./onefold share rm vms --with-files",
        "  ./onefold share rm vms@monday --yes"
      })
  private static final class Remove extends ApplianceVerb {
    @Parameters(paramLabel = "NAME[@SNAPSHOT]", description = "The share, or the snapshot.")
    private String name = "";

    @Option(names = "--with-files", description = "Also if it holds files, which are deleted.")
    private boolean withFiles;

    @Option(names = "--yes", description = "Do not ask.")
    private boolean yes;

    Remove(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      Named named = Named.of(name);
      boolean snapshot = named.snapshot().isPresent();
      try (RestClient rest = rest()) {
        if (!snapshot) {
          rest.get(named.path());
        }
        if ((withFiles || snapshot) && !yes) {
          boolean agreed =
              terminal()
                  .confirm(
                      snapshot
                          ? "Delete the snapshot " + name + "?"
                          : "Delete share " + name + " with all its files?",
                      snapshot
                          ? "say --yes to delete the snapshot " + name
                          : "share '" + name + "' may hold files; say --yes to delete it");
          if (!agreed) {
            throw Failure.failed("nothing was deleted");
          }
        }
        rest.request(
            "DELETE", named.path() + (snapshot ? "" : "?withFiles=" + withFiles), new JsonObject());
        say((snapshot ? "snapshot " : "share ") + name + " is deleted");
        result(new JsonObject().put("deleted", name));
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "snapshot",
      description = "Keep a share as it is now, however many files it has.",
      footer = {"", "Example:", "  ./onefold share snapshot vms@monday"})
  private static final class Snapshot extends ApplianceVerb {
    @Parameters(paramLabel = "NAME@SNAPSHOT", description = "The share, and the snapshot's name.")
    private String name = "";

    Snapshot(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      Named named = Named.of(name);
      String snapshot =
          named
              .snapshot()
              .orElseThrow(
                  () -> Failure.misused("'" + name + "' is no NAME@SNAPSHOT, such as vms@monday"));
      try (RestClient rest = rest()) {
        JsonObject made =
            rest.request(
                "POST",
                "/shares/" + RestClient.encoded(named.share()) + "/snapshots",
                new JsonObject().put("name", snapshot));
        say("snapshot " + name + " is made; clients read it at " + made.text("path"));
        result(made);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "snapshots",
      description = "List the snapshots of a share, the oldest first.",
      footer = {"", "Example:", "  ./onefold share snapshots vms"})
  private static final class Snapshots extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "The share.")
    private String name = "";

    Snapshots(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject all = rest.get("/shares/" + RestClient.encoded(name) + "/snapshots");
        Table table = new Table("SNAPSHOT", "MADE", "PATH");
        for (JsonObject found : all.array("snapshots").objects()) {
          table.row(
              found.text("readAs"), Times.show(found.number("createdAt")), found.text("path"));
        }
        table.lines().forEach(this::say);
        result(all);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "clone",
      description = {
        "Make another share of a share as it is now, or of a snapshot of it, however many files it"
            + " has. It has the share's settings, and goes its own way."
      },
      footer = {"", "Example:", "  ./onefold share clone vms@monday vms-test"})
  private static final class Clone extends ApplianceVerb {
    @Parameters(index = "0", paramLabel = "NAME[@SNAPSHOT]", description = "What is copied.")
    private String from = "";

    @Parameters(index = "1", paramLabel = "NEW", description = "The new share.")
    private String to = "";

    Clone(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      Named named = Named.of(from);
      JsonObject body = new JsonObject().put("name", to);
      named.snapshot().ifPresent(snapshot -> body.put("snapshot", snapshot));
      Context context = context().context();
      try (RestClient rest = rest()) {
        JsonObject made =
            rest.request("POST", "/shares/" + RestClient.encoded(named.share()) + "/copies", body);
        say("share " + to + " is made of " + from);
        mountsOf(context, made).forEach(line -> say("  " + line));
        result(made);
      }
      return Exit.DONE;
    }
  }
}
