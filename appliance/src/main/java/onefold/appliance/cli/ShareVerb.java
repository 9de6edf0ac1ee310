package onefold.appliance.cli;

import java.io.IOException;
import java.util.Optional;
import java.util.stream.Stream;
import onefold.appliance.FrontEnd;
import onefold.appliance.Size;
import onefold.appliance.context.Context;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shares: create, ls, show, set, rm. */
@Command(
    name = "share",
    description = "Shares that clients mount: make, list, show, change and delete them.",
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
        new Remove(environment));
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
          share.bool("readOnly", false) ? "read-only" : "read-write",
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

    WithSettings(Environment environment) {
      super(environment);
    }

    JsonObject settings() throws Failure {
      JsonObject body = new JsonObject();
      nfs.ifPresent(n -> body.put("nfs", n));
      squash.ifPresent(s -> body.put("squash", s));
      security.ifPresent(s -> body.put("security", s));
      owner.ifPresent(o -> body.put("owner", o));
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

    Create(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      JsonObject body = settings().put("name", name);
      domain.ifPresent(d -> body.put("domain", d));
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
            "nothing to change was named: --nfs, --squash, --sec, --quota, --read-only or --owner");
      }
      try (RestClient rest = rest()) {
        JsonObject changed = rest.request("PATCH", "/shares/" + RestClient.encoded(name), body);
        table(java.util.List.of(changed)).forEach(this::say);
        result(changed);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "rm",
      description = "Delete a share.",
      footer = {"", "Example:", "  ./onefold share rm vms --with-files"})
  private static final class Remove extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "The share.")
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
      try (RestClient rest = rest()) {
        String path = "/shares/" + RestClient.encoded(name);
        rest.get(path);
        if (withFiles && !yes) {
          boolean agreed =
              terminal()
                  .confirm(
                      "Delete share " + name + " with all its files?",
                      "share '" + name + "' may hold files; say --yes to delete it");
          if (!agreed) {
            throw Failure.failed("nothing was deleted");
          }
        }
        rest.request("DELETE", path + "?withFiles=" + withFiles, new JsonObject());
        say("share " + name + " is deleted");
        result(new JsonObject().put("deleted", name));
      }
      return Exit.DONE;
    }
  }
}
