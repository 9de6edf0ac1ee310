package onefold.appliance;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import onefold.appliance.RunningAppliance.Outcome;

/**
 * {@code serve} as a process of its own, with JVM options and a command before it as a test needs
 * them. Started when it has said where it serves, or has ended.
 */
final class ServerProcess implements AutoCloseable {
  private static final String LAST_LINE_OF_GREETING = "from another machine";

  private final Process process;
  private final Queue<String> output;
  private final boolean serving;
  private final Thread drain;

  private ServerProcess(Process process, Queue<String> output, boolean serving, Thread drain) {
    this.process = process;
    this.output = output;
    this.serving = serving;
    this.drain = drain;
  }

  /**
   * Starts one and waits.
   *
   * @param before what stands before the JVM on the command line
   * @param jvmOptions of the server's JVM
   * @param home the user's home
   * @param serve what follows {@code serve}
   */
  static ServerProcess start(
      List<String> before, List<String> jvmOptions, Path home, String... serve) throws IOException {
    List<String> command = new ArrayList<>(before);
    command.addAll(jvm(jvmOptions, home));
    command.add("serve");
    command.addAll(List.of(serve));
    command.addAll(List.of("--ports", "auto"));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    Queue<String> output = new ConcurrentLinkedQueue<>();
    BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
    boolean serving = false;
    String line = lines.readLine();
    while (line != null && !serving) {
      output.add(line);
      serving = line.contains(LAST_LINE_OF_GREETING);
      if (!serving) {
        line = lines.readLine();
      }
    }
    Thread drain = Thread.ofVirtual().start(() -> drain(lines, output));
    return new ServerProcess(process, output, serving, drain);
  }

  private static void drain(BufferedReader lines, Queue<String> output) {
    try {
      String line = lines.readLine();
      while (line != null) {
        output.add(line);
        line = lines.readLine();
      }
    } catch (IOException e) {
      // The stream closes under its reader when the process is destroyed.
      output.add(String.valueOf(e.getMessage()));
    }
  }

  /** Runs a verb in a JVM of its own. */
  static Outcome run(List<String> jvmOptions, Path home, byte[] input, String... arguments)
      throws IOException, InterruptedException {
    return run(List.of(), jvmOptions, home, input, arguments);
  }

  /**
   * Runs a verb in a JVM of its own.
   *
   * @param wrapper the command that gets the JVM's as its last arguments; may be empty
   */
  static Outcome run(
      List<String> wrapper, List<String> jvmOptions, Path home, byte[] input, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(wrapper);
    command.addAll(jvm(jvmOptions, home));
    command.addAll(List.of(arguments));
    Path errors = home.resolve("stderr-" + System.nanoTime());
    Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
    Thread feed =
        Thread.ofVirtual()
            .start(() -> {
              try (var target = process.getOutputStream()) {
                new ByteArrayInputStream(input).transferTo(target);
              } catch (IOException e) {
                // The verb did not want it.
              }
            });
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int exitCode = process.waitFor();
    feed.join();
    return new Outcome(exitCode, out, java.nio.file.Files.readString(errors));
  }

  private static List<String> jvm(List<String> options, Path home) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Xmx300m",
            "-Xshare:auto",
            "-XX:+UseSerialGC",
            "--sun-misc-unsafe-memory-access=allow",
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+IgnoreUnrecognizedVMOptions",
            "-XX:+UnlockDiagnosticVMOptions",
            "-Duser.home=" + home));
    command.addAll(options);
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), "onefold.appliance.cli.Onefold"));
    return command;
  }

  /** Whether it came as far as serving. */
  boolean isServing() {
    return serving;
  }

  /** What it has printed until now; all of it once it has ended. */
  String output() {
    return String.join("\n", output);
  }

  long pid() {
    return process.pid();
  }

  /** Waits for its end and returns its exit code. */
  int exitCode() throws InterruptedException {
    int exitCode = process.waitFor();
    drain.join();
    return exitCode;
  }

  /** Stops it in order. */
  @Override
  public void close() throws IOException {
    if (serving && !process.isAlive()) {
      throw new IOException("the server has ended by itself:\n" + output());
    }
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    try {
      if (!process.waitFor(2, TimeUnit.MINUTES)) {
        throw new IOException("the server does not stop:\n" + output());
      }
      drain.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }
}
