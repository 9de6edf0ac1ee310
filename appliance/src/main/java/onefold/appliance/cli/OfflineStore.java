package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
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
import onefold.store.Id;
import onefold.store.device.DirectoryInUseException;
import onefold.store.device.FileDevice;
import onefold.store.engine.Engine;
import onefold.store.scheduler.ThreadScheduler;

/** A data directory opened without a server, under its lock. Owns store and scheduler. */
final class OfflineStore implements AutoCloseable {
  private final Path data;
  private final ThreadScheduler scheduler;
  private final Engine engine;

  private OfflineStore(Path data, ThreadScheduler scheduler, Engine engine) {
    this.data = data;
    this.scheduler = scheduler;
    this.engine = engine;
  }

  /**
   * Opens a data directory as a start would.
   *
   * @throws Failure if it is none, or its server runs
   */
  static OfflineStore open(Path data) throws IOException, Failure {
    if (!Files.isDirectory(data)) {
      throw Failure.misused(
          data + " is no directory; --data names the data directory of an appliance");
    }
    ThreadScheduler scheduler = new ThreadScheduler();
    boolean opened = false;
    try {
      MemoryPlan memory = MemoryPlan.choose(0, Runtime.getRuntime().maxMemory());
      long containerBytes = Configuration.defaults(data).containerBytes();
      Engine engine = Engine.open(new FileDevice(data), scheduler, memory.engine(containerBytes));
      opened = true;
      return new OfflineStore(data, scheduler, engine);
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
    engine.close();
    scheduler.close();
  }
}
