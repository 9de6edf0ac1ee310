package onefold.appliance.context;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContextsTest {
  @TempDir private Path folder;
  private Path work;
  private Path home;

  @BeforeEach
  void folders() throws IOException {
    work = Files.createDirectory(folder.resolve("work"));
    home = Files.createDirectory(folder.resolve("home"));
  }

  private static Context context(String host, String pin) {
    return new Context(host, new TreeMap<>(Map.of("catalyst", 9387)), "admin", "secret", "", pin);
  }

  private Contexts contexts(Optional<String> variable, boolean answers) {
    return new Contexts(work, Optional.of(home), variable, (host, port) -> answers);
  }

  private Path write(Path file, String host) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    context(host, "p").write(file);
    return file;
  }

  @Test
  void theOrderIsOptionThenVariableThenRunningServerThenHome() throws IOException {
    Path option = write(folder.resolve("option.json"), "option");
    Path variable = write(folder.resolve("variable.json"), "variable");
    write(work.resolve("onefold-data/context.json"), "here");
    write(home.resolve(".onefold/context.json"), "home");

    Contexts both = contexts(Optional.of(variable.toString()), true);
    assertEquals("option", both.find(Optional.of(option)).context().host());
    assertEquals("variable", both.find(Optional.empty()).context().host());
    assertEquals("here", contexts(Optional.empty(), true).find(Optional.empty()).context().host());
    assertEquals("home", contexts(Optional.empty(), false).find(Optional.empty()).context().host());
  }

  @Test
  void withoutAnyTheMessageSaysWhatToType() throws IOException {
    var none =
        assertThrows(
            NoContextException.class,
            () -> contexts(Optional.empty(), false).find(Optional.empty()));
    assertTrue(
        String.valueOf(none.getMessage()).contains("./onefold serve"),
        String.valueOf(none.getMessage()));
    assertTrue(
        String.valueOf(none.getMessage()).contains("./onefold connect HOST"),
        String.valueOf(none.getMessage()));

    write(work.resolve("onefold-data/context.json"), "here");
    var stopped =
        assertThrows(
            NoContextException.class,
            () -> contexts(Optional.empty(), false).find(Optional.empty()));
    assertTrue(
        String.valueOf(stopped.getMessage()).contains("does not run"),
        String.valueOf(stopped.getMessage()));

    var missing =
        assertThrows(
            NoContextException.class,
            () -> contexts(Optional.empty(), false).find(Optional.of(folder.resolve("nowhere"))));
    assertTrue(
        String.valueOf(missing.getMessage()).contains("--context"),
        String.valueOf(missing.getMessage()));
  }

  @Test
  void aContextIsReadBackAndOnlyItsOwnerMayReadIt() throws IOException {
    Path file = folder.resolve("context.json");
    Context before = context("host", "ab");
    before.write(file);
    assertEquals(before, Context.read(file));
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    assertFalse(before.toString().contains("secret"));
  }

  @Test
  void whatIsNoContextIsRefusedWithTheFilesName() throws IOException {
    Path file = folder.resolve("context.json");
    for (String text :
        new String[] {
          "",
          "{}",
          "{\"host\":\"\",\"pin\":\"x\"}",
          "{\"host\":\"h\",\"pin\":\"x\",\"ports\":{\"catalyst\":70000}}"
        }) {
      Files.writeString(file, text);
      var error = assertThrows(IOException.class, () -> Context.read(file), text);
      assertTrue(
          String.valueOf(error.getMessage()).contains(file.toString()),
          String.valueOf(error.getMessage()));
    }
  }

  @Test
  void theHomeKeepsTheContextOfAnotherAppliance() throws IOException {
    Contexts contexts = contexts(Optional.empty(), false);
    Path file = home.resolve(".onefold/context.json");
    assertEquals(Optional.of(file), contexts.rememberAtHome(context("one", "pin1")));
    assertEquals(Optional.of(file), contexts.rememberAtHome(context("one-moved", "pin1")));
    assertEquals(Optional.empty(), contexts.rememberAtHome(context("two", "pin2")));
    assertEquals("one-moved", Context.read(file).host());
  }
}
