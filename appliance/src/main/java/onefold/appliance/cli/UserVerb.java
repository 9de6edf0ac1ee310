package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import onefold.appliance.context.Context;
import onefold.appliance.context.Contexts;
import onefold.appliance.identity.Access;
import onefold.appliance.identity.FirstAdministrator;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Users: create, ls, show, set, passwd, rm, reset-password. */
@Command(
    name = "user",
    description = "Users: make, list, show, change and remove them.",
    footer = {"", "Example:", "  ./onefold user create mailhost --store mail=append"})
final class UserVerb extends Group {
  UserVerb(Environment environment) {
    super(
        new Create(environment),
        new List(environment),
        new Show(environment),
        new Set(environment),
        new Password(environment),
        new Remove(environment),
        new ResetPassword(environment));
  }

  private static String path(String name) {
    return "/users/" + RestClient.encoded(name);
  }

  private static java.util.List<String> table(java.util.List<JsonObject> users) {
    Table table = new Table("USER", "TENANT", "ROLE", "STATE", "STORES", "CHANGED");
    for (JsonObject user : users) {
      JsonObject stores = user.object("stores");
      StringBuilder access = new StringBuilder();
      for (String store : stores.fields().keySet()) {
        access
            .append(access.isEmpty() ? "" : ", ")
            .append(store)
            .append('=')
            .append(stores.text(store));
      }
      boolean administrator = user.bool("administrator", false);
      table.row(
          user.text("name"),
          user.text("tenant"),
          administrator
              ? "administrator" + (user.bool("shortensLocks", false) ? ", shortens locks" : "")
              : "user",
          user.bool("enabled", false) ? "enabled" : "disabled",
          administrator ? "*=write" : access.toString(),
          Times.show(user.number("changedAt")));
    }
    return table.lines();
  }

  private abstract static class WithRights extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "The user.")
    String name = "";

    @Option(
        names = "--store",
        paramLabel = "STORE=ACCESS",
        description = "read, append or write in a store, * for every store; may be repeated.")
    private Map<String, String> stores = new LinkedHashMap<>();

    WithRights(Environment environment) {
      super(environment);
    }

    JsonObject rights() throws Failure {
      JsonObject body = new JsonObject();
      if (!stores.isEmpty()) {
        JsonObject access = new JsonObject();
        for (var store : stores.entrySet()) {
          try {
            access.put(store.getKey(), Access.ofLabel(store.getValue()).label());
          } catch (IllegalArgumentException e) {
            throw Failure.misused(String.valueOf(e.getMessage()));
          }
        }
        body.put("stores", access);
      }
      return body;
    }
  }

  @Command(
      name = "create",
      description = "Add a user; the password is asked for, or read from standard input.",
      footer = {"", "Example:", "  ./onefold user create mailhost --store mail=append"})
  private static final class Create extends WithRights {
    @Option(
        names = "--administrator",
        description = "The user manages the appliance and sees every store.")
    private boolean administrator;

    @Option(names = "--random-password", description = "Make a password and print it.")
    private boolean randomPassword;

    Create(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      JsonObject body = rights().put("name", name).put("administrator", administrator);
      String password =
          randomPassword
              ? FirstAdministrator.randomPassword(new SecureRandom())
              : terminal().password("Password for " + name + ":");
      try (RestClient rest = rest()) {
        JsonObject made = rest.request("POST", "/users", body.put("password", password));
        say("user " + name + " is made" + (randomPassword ? ", password " + password : ""));
        result(randomPassword ? made.put("password", password) : made);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "ls",
      description = "List the users.",
      footer = {"", "Example:", "  ./onefold user ls"})
  private static final class List extends ListAll {
    List(Environment environment) {
      super(environment, "users", UserVerb::table);
    }
  }

  @Command(
      name = "show",
      description = "Show a user.",
      footer = {"", "Example:", "  ./onefold user show mailhost"})
  private static final class Show extends ShowOne {
    Show(Environment environment) {
      super(environment, "users", UserVerb::table);
    }
  }

  @Command(
      name = "set",
      description = "Change a user's rights; --store replaces the whole list.",
      footer = {
        "",
        "Example:",
        "  ./onefold user set mailhost --store mail=write --store archive=read"
      })
  private static final class Set extends WithRights {
    @Option(
        names = "--administrator",
        negatable = true,
        description = "Whether the user manages the appliance.")
    private Optional<Boolean> administrator = Optional.empty();

    @Option(
        names = "--shorten-locks",
        negatable = true,
        description =
            "Whether the administrator may shorten governance locks and weaken a store's promises.")
    private Optional<Boolean> shortensLocks = Optional.empty();

    @Option(names = "--enabled", negatable = true, description = "Whether the user may enter.")
    private Optional<Boolean> enabled = Optional.empty();

    Set(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      JsonObject body = rights();
      administrator.ifPresent(a -> body.put("administrator", (boolean) a));
      enabled.ifPresent(e -> body.put("enabled", (boolean) e));
      shortensLocks.ifPresent(s -> body.put("shortensLocks", (boolean) s));
      if (body.fields().isEmpty()) {
        throw Failure.misused(
            "nothing to change was named: --store, --[no-]administrator, --[no-]shorten-locks or"
                + " --[no-]enabled");
      }
      try (RestClient rest = rest()) {
        JsonObject changed = rest.request("PATCH", path(name), body);
        table(java.util.List.of(changed)).forEach(this::say);
        result(changed);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "passwd",
      description = "Change a password: one's own, or anybody's as administrator.",
      footer = {"", "Example:", "  ./onefold user passwd admin"})
  private static final class Password extends ApplianceVerb {
    @Parameters(
        paramLabel = "NAME",
        arity = "0..1",
        description = "The user; the context's own when not said.")
    private Optional<String> name = Optional.empty();

    Password(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      Contexts.Found found = context();
      String user = name.orElse(found.context().user());
      String password = terminal().password("New password for " + user + ":");
      try (RestClient rest = RestClient.open(found)) {
        rest.request("PUT", path(user) + "/password", new JsonObject().put("password", password));
      }
      if (user.equals(found.context().user())) {
        // The contexts of this machine would otherwise lock their owner out.
        Context renewed = found.context().withPassword(password);
        renewed.write(found.file());
        environment().contexts().rememberAtHome(renewed);
      }
      say("the password of " + user + " is changed");
      result(new JsonObject().put("changed", user));
      return Exit.DONE;
    }
  }

  @Command(
      name = "rm",
      description = "Remove a user.",
      footer = {"", "Example:", "  ./onefold user rm mailhost"})
  private static final class Remove extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "The user.")
    private String name = "";

    Remove(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        rest.request("DELETE", path(name), new JsonObject());
        say("user " + name + " is removed");
        result(new JsonObject().put("removed", name));
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "reset-password",
      description = {
        "Give a user a new random password without logging in.",
        "Needs the data directory, and its server stopped; makes the administrator again if there"
            + " is none."
      },
      footer = {"", "Example:", "  ./onefold user reset-password admin --data ./onefold-data"})
  private static final class ResetPassword extends Verb {
    @Parameters(paramLabel = "NAME", arity = "0..1", description = "The user; admin when not said.")
    private String name = FirstAdministrator.NAME;

    @Option(
        names = "--data",
        paramLabel = "DIR",
        description = "The data directory; ./onefold-data when not said.")
    private Path data = Path.of(Contexts.DEFAULT_DATA);

    ResetPassword(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      String password = FirstAdministrator.randomPassword(new SecureRandom());
      try (OfflineStore offline = OfflineStore.open(data)) {
        offline.resetPassword(name, password);
      }
      say("user " + name + " has the password " + password);
      result(new JsonObject().put("user", name).put("password", password));
      return Exit.DONE;
    }
  }
}
