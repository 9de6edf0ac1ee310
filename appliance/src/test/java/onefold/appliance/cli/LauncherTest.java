package onefold.appliance.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher script, with a Java that is a script itself and prints how it was called. */
class LauncherTest {
  @TempDir private Path folder;

  private static final Path SCRIPT = Path.of("..", "onefold").toAbsolutePath().normalize();

  private record Outcome(int exitCode, String out) {}

  /** An installed copy: the script, a jar of any content beside it. */
  private Path installed() throws IOException {
    Path home = Files.createDirectories(folder.resolve("installed"));
    Files.createDirectories(home.resolve("app"));
    Files.writeString(home.resolve("app/onefold.jar"), "a jar");
    Path script = home.resolve("onefold");
    Files.copy(SCRIPT, script);
    return script;
  }

  private Path java(String name, String version) throws IOException {
    Path home = Files.createDirectories(folder.resolve(name));
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(
        home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
    Path java = home.resolve("bin/java");
    Files.writeString(
        java, "#!/bin/sh\necho \"java of " + name + " pid $$\"\nprintf '%s\\n' \"$@\"\n");
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    return home;
  }

  private Outcome run(Path script, String path, String javaHome, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new java.util.ArrayList<>(List.of("/bin/sh", script.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().put("PATH", path);
    builder.environment().put("HOME", folder.toString());
    if (!javaHome.isEmpty()) {
      builder.environment().put("JAVA_HOME", javaHome);
    }
    builder.directory(folder.toFile());
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Outcome(
        process.exitValue(), out.replace("pid " + process.pid(), "pid of the launcher"));
  }

  /** The script with its usual folders replaced, so that a JDK of this machine is not found. */
  private Path withoutThisMachinesJava() throws IOException {
    Path script = installed();
    String text = Files.readString(script);
    assertTrue(text.contains("/usr/lib/jvm/*"));
    Files.writeString(
        script,
        text.replace("/usr/lib/jvm/*", "/nonexistent/*")
            .replace(
                "/usr/java/* /opt/java/* /opt/*jdk* /opt/*temurin* /usr/local/*jdk*",
                "/nonexistent/*"));
    return script;
  }

  @Test
  void withoutAJdkItSaysExactlyWhatToDo() throws IOException, InterruptedException {
    Path script = withoutThisMachinesJava();
    Outcome none = run(script, "", "");
    assertEquals(2, none.exitCode(), none.out());
    assertTrue(none.out().contains("no Java 25 or newer found"), none.out());
    assertTrue(none.out().contains("JAVA_HOME (not set), java on PATH (none)"), none.out());
    assertTrue(none.out().contains("apt install"), none.out());

    Outcome old = run(script, "", java("old", "17.0.1").toString());
    assertEquals(2, old.exitCode(), old.out());
    assertTrue(old.out().contains("(17)"), old.out());
  }

  @Test
  void aJdkIsTakenFromJavaHomeThenPathThenTheUsualFolders()
      throws IOException, InterruptedException {
    Path script = withoutThisMachinesJava();
    Path home = java("first", "25.0.3");
    Path onPath = java("second", "26");
    Path usual = java(".jdks/third", "25");
    String path = "/usr/bin:/bin:" + onPath.resolve("bin");
    assertTrue(
        run(script, path, home.toString(), "ls")
            .out()
            .startsWith("java of first pid of the launcher"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"1.8.0_9\"\n");
    String pathFirst = onPath.resolve("bin") + ":/usr/bin:/bin";
    assertTrue(run(script, pathFirst, home.toString(), "ls").out().startsWith("java of second"));
    assertTrue(
        run(script, "", home.toString(), "ls").out().startsWith("java of .jdks/third"),
        usual.toString());
  }

  @Test
  void theVerbDecidesHowTheJvmRuns() throws IOException, InterruptedException {
    Path script = installed();
    String javaHome = java("first", "25").toString();
    Outcome plain = run(script, "/usr/bin:/bin", javaHome, "ls", "a b", "");
    assertTrue(plain.out().contains("-XX:TieredStopAtLevel=1"), plain.out());
    assertTrue(!plain.out().contains("jdk.incubator.vector"), plain.out());
    assertTrue(plain.out().endsWith("onefold.appliance.cli.Onefold\nls\na b\n\n"), plain.out());

    // The JDK prints a warning where the vector module is loaded: not where people work.
    for (String verb : List.of("put", "backup", "get", "restore", "verify", "scrub")) {
      Outcome moving = run(script, "/usr/bin:/bin", javaHome, verb);
      assertTrue(!moving.out().contains("jdk.incubator.vector"), moving.out());
      assertTrue(!moving.out().contains("TieredStopAtLevel"), moving.out());
    }
    for (String verb : List.of("analyze", "sample", "serve")) {
      Outcome cutting = run(script, "/usr/bin:/bin", javaHome, verb);
      assertTrue(cutting.out().contains("--add-modules=jdk.incubator.vector"), cutting.out());
    }

    Outcome serve = run(script, "/usr/bin:/bin", javaHome, "serve", "--memory", "512MiB");
    assertTrue(serve.out().contains("-XX:MaxRAM=536870912"), serve.out());
    Files.writeString(folder.resolve("c.yaml"), "log:\n  level: info\nmemory: 2GB # all\n");
    Outcome configured = run(script, "/usr/bin:/bin", javaHome, "serve", "--config=c.yaml");
    assertTrue(configured.out().contains("-XX:MaxRAM=2000000000"), configured.out());
    Outcome unread = run(script, "/usr/bin:/bin", javaHome, "serve", "--memory", "10G");
    assertTrue(!unread.out().contains("MaxRAM="), unread.out());
  }

  @Test
  void aLinkLeadsToTheProgram() throws IOException, InterruptedException {
    Path script = installed();
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("installed/onefold"));
    Outcome linked = run(link, "/usr/bin:/bin", java("first", "25").toString(), "ls");
    assertTrue(
        linked.out().contains(script.toRealPath().resolveSibling("app") + "/onefold.jar"),
        linked.out());
  }
}
