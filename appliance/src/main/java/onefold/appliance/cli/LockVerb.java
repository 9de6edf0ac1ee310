package onefold.appliance.cli;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.Optional;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Locks an item until a time, or shows which locks were shortened. */
@Command(
    name = "lock",
    description = {
      "Lock an item: until then nobody can delete or replace it.",
      "A governance lock is shortened only by an administrator with the right to, and the reason is"
          + " kept. A compliance lock is shortened by nobody, ever."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold lock default/monday --days 30",
      "  ./onefold lock default/year --until 2036-12-31 --kind compliance",
      "  ./onefold lock default/monday --days 1 --reason 'wrong item locked'",
      "  ./onefold lock --shortened"
    })
final class LockVerb extends ApplianceVerb {
  @Parameters(paramLabel = "STORE/ITEM", arity = "0..1", description = "What to lock.")
  private Optional<String> item = Optional.empty();

  @Option(names = "--days", paramLabel = "DAYS", description = "Days of store time from now.")
  private Optional<Integer> days = Optional.empty();

  @Option(
      names = "--until",
      paramLabel = "DATE",
      description = "A date, its end; or a time such as 2036-12-31T18:00, local.")
  private Optional<String> until = Optional.empty();

  @Option(
      names = "--kind",
      paramLabel = "KIND",
      description = "governance or compliance; as it is, or as the store's, when not said.")
  private Optional<String> kind = Optional.empty();

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      description = "Why a lock is shortened; without it none is.")
  private Optional<String> reason = Optional.empty();

  @Option(names = "--shortened", description = "List the locks that were shortened.")
  private boolean shortened;

  @Option(names = "--yes", description = "Do not ask before a compliance lock.")
  private boolean yes;

  LockVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    if (shortened) {
      list();
      return Exit.DONE;
    }
    if (item.isEmpty()) {
      throw Failure.misused("say STORE/ITEM and either --days or --until");
    }
    JsonObject body = lock(days, until, kind, reason);
    ItemReference reference = ItemReference.parse(item.orElseThrow(), environment().now());
    confirm(terminal(), reference.toString(), kind, yes);
    try (RestClient rest = rest()) {
      JsonObject locked = rest.request("PATCH", RestClient.itemPath(reference), body);
      say(
          reference
              + " is locked until "
              + Times.show(locked.number("lockedUntil"))
              + (locked.text("lockKind").equals("compliance") ? ", for compliance" : ""));
      result(locked);
    }
    return Exit.DONE;
  }

  /** Returns the body of a request for a lock. */
  static JsonObject lock(
      Optional<Integer> days,
      Optional<String> until,
      Optional<String> kind,
      Optional<String> reason)
      throws Failure {
    if (days.isPresent() && until.isPresent()) {
      throw Failure.misused("say either --days or --until");
    }
    if (days.isEmpty() && until.isEmpty() && kind.isEmpty()) {
      throw Failure.misused("say how long: --days or --until");
    }
    JsonObject body = new JsonObject();
    days.ifPresent(d -> body.put("lockDays", (long) d));
    if (until.isPresent()) {
      body.put("lockedUntil", endOf("--until", until.orElseThrow()));
    }
    kind.ifPresent(k -> body.put("lockKind", k));
    reason.ifPresent(r -> body.put("reason", r));
    return body;
  }

  /** Asks before a lock that can never be undone. */
  static void confirm(Terminal terminal, String what, Optional<String> kind, boolean yes)
      throws Failure {
    if (kind.filter("compliance"::equals).isPresent()
        && !yes
        && !terminal.confirm(
            "Lock " + what + " so that nobody can ever shorten it?",
            "a compliance lock can never be undone; say --yes to set it")) {
      throw Failure.failed("nothing was locked");
    }
  }

  private void list() throws IOException, Failure {
    try (RestClient rest = rest()) {
      JsonObject answer = rest.get("/locks/shortened");
      Table table = new Table("ITEM", "WHEN", "BEFORE", "AFTER", "BY", "REASON");
      for (JsonObject lock : answer.array("locks").objects()) {
        table.row(
            lock.text("store") + "/" + lock.text("item"),
            Times.show(lock.number("at")),
            Times.show(lock.number("before")),
            Times.show(lock.number("after")),
            lock.text("user"),
            lock.text("reason"));
      }
      table.lines().forEach(this::say);
      result(answer);
    }
  }

  /** Returns the end of a local date, or a local time, in milliseconds since 1970. */
  static long endOf(String option, String text) throws Failure {
    ZoneId zone = ZoneId.systemDefault();
    try {
      Instant end =
          text.indexOf('T') < 0
              ? LocalDate.parse(text).plusDays(1).atStartOfDay(zone).toInstant()
              : LocalDateTime.parse(text).atZone(zone).toInstant();
      return end.toEpochMilli();
    } catch (DateTimeException | ArithmeticException e) {
      throw Failure.misused(
          option
              + " '"
              + text
              + "' is neither a date such as 2036-12-31 nor a time such as"
              + " 2036-12-31T18:00");
    }
  }
}
