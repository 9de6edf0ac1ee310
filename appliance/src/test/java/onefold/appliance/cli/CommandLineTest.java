package onefold.appliance.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.appliance.context.Contexts;
import org.junit.jupiter.api.Test;

class CommandLineTest {
  private static final ZonedDateTime NOW =
      ZonedDateTime.of(2026, 11, 23, 4, 5, 6, 0, ZoneId.of("UTC"));

  private static String run(int exitCode, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
    Terminal terminal = new Terminal(new ByteArrayInputStream(new byte[0]), stream, stream, false);
    Contexts contexts =
        new Contexts(Path.of("/nonexistent"), Optional.empty(), Optional.empty(), (h, p) -> false);
    int code =
        Onefold.run(
            arguments, new Environment(terminal, contexts, InstantSource.system(), () -> 0));
    String text = out.toString(StandardCharsets.UTF_8);
    assertEquals(exitCode, code, text);
    return text;
  }

  @Test
  void everyVerbHasHelpWithAnExampleAndJson() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
    Terminal terminal = new Terminal(new ByteArrayInputStream(new byte[0]), stream, stream, false);
    Environment environment =
        new Environment(terminal, Contexts.ofProcess(), InstantSource.system(), () -> 0);
    List<List<String>> all = new ArrayList<>();
    Verbs.table()
        .forEach((name, verb) -> {
          all.add(List.of(name));
          if (verb.apply(environment) instanceof Group group) {
            group.verbs().forEach(inner -> all.add(List.of(name, Group.nameOf(inner))));
          }
        });
    assertTrue(all.size() > 40, all.toString());
    for (List<String> verb : all) {
      List<String> arguments = new ArrayList<>(verb);
      arguments.add("--help");
      String help = run(Exit.DONE, arguments.toArray(String[]::new));
      assertTrue(help.contains("Example"), verb + ": " + help);
      assertTrue(help.contains("./onefold " + verb.getFirst()), verb + ": " + help);
      boolean isGroup = Verbs.table().get(verb.getFirst()) != null && help.contains(" VERB");
      assertTrue(isGroup || help.contains("--json"), verb + ": " + help);
    }
  }

  @Test
  void helpListsEveryVerbAndAWrongOneIsCorrected() {
    String help = run(Exit.DONE, "--help");
    for (String verb : Verbs.table().keySet()) {
      assertTrue(help.contains("\n  " + verb + " "), verb + " is missing: " + help);
    }
    assertTrue(run(Exit.MISUSED, "housekeping").contains("housekeeping"));
    assertTrue(run(Exit.MISUSED).contains("--help"));
    assertTrue(run(Exit.DONE, "--version").startsWith("onefold "));
    assertTrue(run(Exit.FAILED, "status").contains("./onefold serve"));
  }

  @Test
  void theFirstSlashEndsTheStoreAndDateBecomesTheLocalTime() throws Failure {
    assertEquals(new ItemReference("default", "a/b"), ItemReference.parse("default/a/b", NOW));
    assertEquals(
        new ItemReference("default", "srv-2026-11-23T040506"),
        ItemReference.parse("default/srv-{date}", NOW));
    for (String wrong :
        new String[] {"", "/", "default", "default/", "/a", "de/\ufffd", "s/..", "s/a/../b"}) {
      Failure failure = assertThrows(Failure.class, () -> ItemReference.parse(wrong, NOW), wrong);
      assertEquals(Exit.MISUSED, failure.exitCode());
    }
  }

  @Test
  void aProgressLineTellsRateAndTimeLeft() {
    String line = Progress.line("put", 250_000_000, 1_000_000_000, 2_000_000_000L);
    assertEquals("put [######..................]  25 % 250 MB  125 MB/s  ETA 0:06", line);
    assertEquals("put 250 MB  125 MB/s", Progress.line("put", 250_000_000, -1, 2_000_000_000L));
    assertTrue(Progress.line("put", 0, 100, 0).contains("0 %"));
  }

  @Test
  void tablesAlignTheirColumns() {
    List<String> lines = new Table("NAME", ">N").row("a", "1").row("longer", "22").lines();
    assertEquals(List.of("NAME     N", "a        1", "longer  22"), lines);
  }
}
