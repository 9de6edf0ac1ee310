package onefold.appliance.cli;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import onefold.appliance.Appliance;
import onefold.appliance.FrontEnd;
import onefold.appliance.Size;
import onefold.appliance.Version;
import onefold.appliance.configuration.Configuration;
import onefold.appliance.configuration.Configuration.Door;
import onefold.appliance.configuration.ConfigurationFile;
import onefold.appliance.context.Contexts;
import onefold.appliance.json.JsonObject;
import onefold.appliance.log.HeldLogManager;
import onefold.appliance.rest.ClientArchive;
import onefold.store.device.DeviceForceException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs the appliance. */
@Command(
    name = "serve",
    description = {
      "Run the appliance on a data directory until it is stopped (Ctrl-C, SIGTERM).",
      "It listens on this machine only until --listen or the configuration says otherwise."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold serve",
      "  ./onefold serve --data /srv/onefold --listen all --memory 4GiB",
      "  ./onefold serve --ports auto --without https"
    })
final class ServeVerb extends Verb {
  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The data directory; ./onefold-data when not said.")
  private Optional<Path> data = Optional.empty();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The configuration; DIR/onefold.yaml when not said. Options win.")
  private Optional<Path> config = Optional.empty();

  @Option(
      names = "--listen",
      paramLabel = "ADDR",
      description = "An address to listen on, or all; may be repeated.")
  private List<String> listen = new ArrayList<>();

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      description = "What the whole process may take, such as 4GiB.")
  private Optional<String> memory = Optional.empty();

  @Option(
      names = "--ports",
      paramLabel = "auto",
      description = "auto: any free ports; DIR/ports.json tells which.")
  private Optional<String> ports = Optional.empty();

  @Option(
      names = "--port",
      paramLabel = "FRONTEND=N",
      description = "Port of a front-end (catalyst, https, nfs); may be repeated.")
  private Map<String, Integer> port = new LinkedHashMap<>();

  @Option(
      names = "--without",
      paramLabel = "FRONTEND",
      description = "Do not open this front-end; may be repeated.")
  private List<String> without = new ArrayList<>();

  ServeVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    Configuration configuration = configuration();
    HeldLogManager.install();
    CountDownLatch stopped = new CountDownLatch(1);
    Appliance appliance =
        Appliance.start(
            configuration,
            new Appliance.Surroundings(
                terminal().out(), ServeVerb::die, clientArchive(), environment().contexts()));
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  stop(appliance);
                  stopped.countDown();
                },
                "stop"));
    greet(configuration, appliance);
    try {
      stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Exit.DONE;
  }

  private void stop(Appliance appliance) {
    try {
      appliance.close();
    } catch (IOException e) {
      terminal().err().println("onefold: the appliance did not stop cleanly: " + explain(e));
    }
  }

  /**
   * A force of the disk has failed: what the kernel still holds is unknown, so the process ends
   * without another write.
   */
  private static void die(DeviceForceException failed) {
    System.err.println(
        "onefold: "
            + failed.getMessage()
            + "; the process ends and recovers from disk when it is started again; if that happens"
            + " again, the disk or its file system is failing: see the kernel's log");
    System.err.flush();
    Runtime.getRuntime().halt(Exit.FAILED);
  }

  /** Reads the configuration and puts the options over it. */
  Configuration configuration() throws IOException, Failure {
    Path directory = data.orElse(Path.of(Contexts.DEFAULT_DATA));
    Configuration result = Configuration.defaults(directory);
    Path file = config.orElse(directory.resolve(Configuration.FILE_NAME));
    if (config.isPresent() || Files.exists(file)) {
      result = ConfigurationFile.read(file, result);
    }
    if (data.isPresent()) {
      result = result.withData(directory);
    }
    try {
      if (memory.isPresent()) {
        result = result.withMemoryBytes(Size.parse(memory.orElseThrow()));
      }
      if (ports.isPresent() && !ports.orElseThrow().equals("auto")) {
        throw Failure.misused(
            "--ports '"
                + ports.orElseThrow()
                + "': only auto is possible; one port is fixed by --port FRONTEND=N");
      }
      for (FrontEnd frontEnd : FrontEnd.values()) {
        Door door = result.door(frontEnd);
        if (ports.isPresent()) {
          door = door.withPort(0);
        }
        if (!listen.isEmpty()) {
          door = door.withAddresses(listen);
        }
        result = result.withDoor(frontEnd, door);
      }
      for (var fixed : port.entrySet()) {
        FrontEnd frontEnd = FrontEnd.ofLabel(fixed.getKey());
        result = result.withDoor(frontEnd, result.door(frontEnd).withPort(fixed.getValue()));
      }
      for (String name : without) {
        FrontEnd frontEnd = FrontEnd.ofLabel(name);
        result = result.withDoor(frontEnd, result.door(frontEnd).withEnabled(false));
      }
      return result;
    } catch (IllegalArgumentException e) {
      throw Failure.misused(String.valueOf(e.getMessage()));
    }
  }

  private void greet(Configuration configuration, Appliance appliance) {
    say("Onefold " + Version.current() + " serves " + configuration.data());
    for (FrontEnd frontEnd : FrontEnd.values()) {
      Optional<Integer> opened = appliance.port(frontEnd);
      if (opened.isPresent()) {
        Door door = configuration.door(frontEnd);
        String address = door.addresses().getFirst();
        String shown =
            address.equals(Door.ALL) ? "every address" : String.join(", ", door.addresses());
        say(
            String.format(
                Locale.ROOT,
                "  %-9s %s port %d, %s    %s",
                frontEnd.label(),
                shown,
                opened.orElseThrow(),
                door.isOpenToOthers() ? "open" : "this machine only",
                example(
                    frontEnd,
                    address.equals(Door.ALL) ? Door.LOOPBACK : address,
                    opened.orElseThrow())));
        if (frontEnd == FrontEnd.NFS) {
          String host = address.equals(Door.ALL) ? Door.LOOPBACK : address;
          say(
              "            or "
                  + ShareVerb.mounts(host, opened.orElseThrow(), "/" + Appliance.DEFAULT_SHARE)
                      .getLast());
        }
      }
    }
    if (appliance.firstPassword().isPresent()) {
      say("  administrator admin, password " + appliance.firstPassword().orElseThrow());
      say("    (shown once; for this machine it is kept in " + appliance.contextFile() + ")");
    }
    say(
        "  from another machine: ./onefold connect HOST --pin "
            + ConnectVerb.PIN_PREFIX
            + appliance.pin());
    JsonObject told =
        new JsonObject().put("data", configuration.data().toString()).put("pin", appliance.pin());
    for (FrontEnd frontEnd : FrontEnd.values()) {
      appliance.port(frontEnd).ifPresent(p -> told.put(frontEnd.label(), (long) p));
    }
    appliance.firstPassword().ifPresent(p -> told.put("password", p));
    result(told);
    terminal().out().flush();
  }

  /** Returns a line to paste. */
  private static String example(FrontEnd frontEnd, String host, int port) {
    return switch (frontEnd) {
      case CATALYST -> "./onefold put FILE default/NAME-{date}";
      case HTTPS -> "curl -k https://" + host + ":" + port + "/health";
      case NFS -> ShareVerb.mounts(host, port, "/" + Appliance.DEFAULT_SHARE).getFirst();
    };
  }

  /** Finds launcher and jar of the running program. */
  private static Optional<ClientArchive> clientArchive() throws IOException {
    String home = System.getProperty("onefold.home", "");
    CodeSource source = ServeVerb.class.getProtectionDomain().getCodeSource();
    if (home.isEmpty() || source == null || source.getLocation() == null) {
      return Optional.empty();
    }
    try {
      return ClientArchive.of(Path.of(home, "onefold"), Path.of(source.getLocation().toURI()));
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
  }
}
