package onefold.appliance.cli;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import onefold.appliance.Appliance;
import onefold.appliance.MemoryPlan;
import onefold.appliance.configuration.Configuration;
import onefold.appliance.context.Context;
import onefold.appliance.context.Contexts;
import onefold.appliance.identity.ApplianceKey;
import onefold.appliance.identity.User;
import onefold.appliance.identity.Users;
import onefold.catalyst.wire.ScramVerifier;
import onefold.store.ChunkStore;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.device.Device;
import onefold.store.device.DirectoryInUseException;
import onefold.store.device.SpreadDevice;
import onefold.store.engine.Engine;
import onefold.store.engine.EngineSettings;
import onefold.store.engine.Rebuild;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.ThreadScheduler;

/** A data directory opened without a server, under its lock. Owns store and scheduler. */
final class OfflineStore implements AutoCloseable {
  private final Path data;
  private final ThreadScheduler scheduler;
  private final Device device;
  private final Engine engine;
  private final Closeable layer;

  private OfflineStore(
      Path data, ThreadScheduler scheduler, Device device, Engine engine, Closeable layer) {
    this.data = data;
    this.scheduler = scheduler;
    this.device = device;
    this.engine = engine;
    this.layer = layer;
  }

  /**
   * Opens a data directory as a start would, writing to it what a start writes.
   *
   * @throws Failure if it is none, or its server runs
   */
  static OfflineStore open(Path data) throws IOException, Failure {
    check(data);
    return open(data, device(data), settings(data), () -> {});
  }

  /**
   * Opens a data directory without writing to it, not even a lock: it may lie on a read-only mount.
   * What a start would write goes to a temporary directory, which {@link #close} deletes. A
   * directory that no start could open is rebuilt there; the terminal is told so, and what is
   * missing.
   *
   * @throws Failure if it is none, or its server runs
   */
  static OfflineStore read(Path data, Terminal terminal) throws IOException, Failure {
    check(data);
    EngineSettings quiet = settings(data).withReserveBytes(0).withBackgroundHousekeeping(false);
    try {
      return readAsItIs(data, quiet);
    } catch (CorruptDataException e) {
      terminal.err().println("the catalog cannot be opened as it is: " + e.getMessage());
    }
    OverlayDevice device = OverlayDevice.over(data);
    boolean opened = false;
    try (OverlayDevice layer = OverlayDevice.over(data);
        ThreadScheduler scheduler = new ThreadScheduler()) {
      Rebuild.putBack(layer);
      Rebuild.putBack(device);
      Rebuild.Report report =
          Rebuild.run(layer, device, scheduler, quiet, true, (step, done, total) -> {});
      for (String loss : report.losses()) {
        terminal.err().println(loss);
      }
      terminal
          .err()
          .println(
              "names are read from what is left; ./onefold rebuild --data "
                  + data
                  + " makes that lasting");
      OfflineStore store = open(data, device, quiet, device);
      opened = true;
      return store;
    } finally {
      if (!opened) {
        device.close();
      }
    }
  }

  private static OfflineStore readAsItIs(Path data, EngineSettings quiet)
      throws IOException, Failure {
    OverlayDevice device = OverlayDevice.over(data);
    boolean opened = false;
    try {
      OfflineStore store = open(data, device, quiet, device);
      opened = true;
      return store;
    } finally {
      if (!opened) {
        device.close();
      }
    }
  }

  /**
   * Makes a data directory anew that no start can open, and opens it once.
   *
   * @param nameless whether items may be made of recipes if no catalog can be read
   * @throws Failure if it is none, or its server runs
   */
  static Rebuild.Report rebuild(Path data, boolean nameless, Rebuild.Progress progress)
      throws IOException, Failure {
    check(data);
    EngineSettings quiet = settings(data).withBackgroundHousekeeping(false);
    Rebuild.Report report;
    Device target = device(data);
    try (ThreadScheduler scheduler = new ThreadScheduler()) {
      Rebuild.putBack(target);
      try (OverlayDevice layer = OverlayDevice.over(data)) {
        report = Rebuild.run(layer, target, scheduler, quiet, nameless, progress);
      }
    } catch (DirectoryInUseException e) {
      throw Failure.misused(e.getMessage() + "; stop the server first");
    }
    open(data, target, quiet, () -> {}).close();
    return report;
  }

  private static Device device(Path data) throws IOException {
    return SpreadDevice.ofFiles(data, failed -> {}, settings(data).reserveBytes());
  }

  private static EngineSettings settings(Path data) {
    MemoryPlan memory = MemoryPlan.choose(0, Runtime.getRuntime().maxMemory());
    return memory.engine(Configuration.defaults(data).containerBytes());
  }

  /** An empty or a foreign directory must not become a data directory by being looked at. */
  private static void check(Path data) throws Failure {
    if (!Files.isDirectory(data)) {
      throw Failure.misused(
          data + " is no directory; --data names the data directory of an appliance");
    }
    for (String name :
        List.of("superblock.0", "superblock.1", "journal", "domains", Rebuild.ASIDE)) {
      if (Files.exists(data.resolve(name))) {
        return;
      }
    }
    throw Failure.misused(
        data
            + " is no data directory: there is no superblock.0 in it; --data names the directory"
            + " that serve was given");
  }

  private static OfflineStore open(
      Path data, Device device, EngineSettings settings, Closeable layer)
      throws IOException, Failure {
    ThreadScheduler scheduler = new ThreadScheduler();
    boolean opened = false;
    try {
      Engine engine = Engine.open(device, scheduler, settings);
      opened = true;
      return new OfflineStore(data, scheduler, device, engine, layer);
    } catch (DirectoryInUseException e) {
      throw Failure.misused(e.getMessage() + "; leave out --data to ask the running server");
    } finally {
      if (!opened) {
        scheduler.close();
      }
    }
  }

  ChunkStore store() {
    return engine;
  }

  /** Where its files are. */
  Device device() {
    return device;
  }

  Scheduler scheduler() {
    return scheduler;
  }

  /** Sets a password; makes the user an administrator if there is no such user. */
  void resetPassword(String name, String password) throws IOException {
    SecureRandom random = new SecureRandom();
    Users users =
        new Users(engine, ApplianceKey.openOrCreate(data.resolve(Appliance.KEYS_FOLDER), random));
    ScramVerifier verifier = ScramVerifier.of(password.toCharArray(), random);
    Optional<User> before = users.find(name);
    Id command = Id.random(random);
    if (before.isPresent()) {
      users.update(command, before.orElseThrow().withVerifier(verifier, engine.storeTimeMillis()));
    } else {
      users.create(
          command,
          new User(
              name,
              User.DEFAULT_TENANT,
              true,
              true,
              new TreeMap<>(),
              verifier,
              engine.storeTimeMillis()));
    }
    Path file = data.resolve(Contexts.FILE_NAME);
    if (Files.exists(file)) {
      Context context = Context.read(file);
      if (context.user().equals(name)) {
        context.withPassword(password).write(file);
      }
    }
  }

  @Override
  public void close() throws IOException {
    try {
      engine.close();
    } finally {
      scheduler.close();
      layer.close();
    }
  }
}
