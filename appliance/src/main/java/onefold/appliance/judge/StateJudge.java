package onefold.appliance.judge;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import onefold.appliance.Appliance;
import onefold.appliance.FrontEnd;
import onefold.chunker.ParameterSet;
import onefold.nas.Credentials;
import onefold.nas.FileError;
import onefold.nas.FileException;
import onefold.nas.FileSystem;
import onefold.nas.OpenFile;
import onefold.nas.ServedShares;
import onefold.nas.Share;
import onefold.nas.SpaceSource;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.StoreRecord;
import onefold.store.device.SpreadDevice;
import onefold.store.engine.Engine;
import onefold.store.engine.EngineSettings;
import onefold.store.scheduler.ThreadScheduler;

/**
 * Recovers data directories as a start would and reads back what their marks name; thousands of
 * them, one after another, in one process. The only judge that is no client: it opens the engine
 * and the file layer itself.
 */
public final class StateJudge implements AutoCloseable {
  private static final EngineSettings SMALL =
      EngineSettings.ofMemory(64L << 20).withReserveBytes(0).withBackgroundHousekeeping(false);

  private final JudgeLines lines;
  private final FrontEnd frontEnd;
  private final String store;
  private final ThreadScheduler scheduler = new ThreadScheduler();
  private final SecureRandom random = new SecureRandom();
  private final byte[] buffer = new byte[256 << 10];

  /**
   * @param frontEnd whose ids the marks name: items of a store for Catalyst, files of the share
   *     {@code backup} for NFS
   * @param store where the items are
   */
  public StateJudge(PrintStream out, FrontEnd frontEnd, String store) {
    this.store = store;
    this.lines = new JudgeLines(out, Optional.empty());
    this.frontEnd = frontEnd;
  }

  /**
   * Judges one state.
   *
   * @param data a data directory; recovery changes it
   * @param marks file with TRY and ACK lines, whose third word is an id
   * @throws IOException if the marks cannot be read; what is wrong with the directory is said in
   *     lines
   */
  public void judge(Path data, Path marks) throws IOException {
    TreeSet<String> ids = new TreeSet<>();
    for (String line : Files.readAllLines(marks, StandardCharsets.UTF_8)) {
      String[] words = line.trim().split(" +", -1);
      if (words.length > 2) {
        ids.add(words[2]);
      }
    }
    lines.say("STATE " + data);
    try (Engine engine =
        Engine.open(
            SpreadDevice.ofFiles(data, failed -> {}, SMALL.reserveBytes()), scheduler, SMALL)) {
      if (frontEnd == FrontEnd.NFS) {
        readFiles(engine, ids);
      } else {
        readItems(engine, ids);
      }
    } catch (IOException | RuntimeException e) {
      // A directory that does not open is this state's finding, not the end of the run.
      for (String id : ids) {
        lines.say("GOT " + id + " ERROR open " + oneLine(e));
      }
    }
  }

  private void readItems(Engine engine, Set<String> ids) throws IOException {
    Optional<StoreRecord> found = engine.findStore(store);
    for (String id : ids) {
      lines.say(
          "GOT " + id + " " + (found.isEmpty() ? "ABSENT" : read(engine, found.orElseThrow(), id)));
    }
  }

  private void readFiles(Engine engine, Set<String> ids) throws IOException {
    try (ServedShares shares =
        new ServedShares(
            engine,
            domainId -> parameterSet(engine, domainId),
            InstantSource.system(),
            () -> Id.random(random),
            () -> new SpaceSource.Room(0, 0))) {
      Optional<Share> share = shares.find(Appliance.DEFAULT_SHARE);
      for (String id : ids) {
        lines.say(
            "GOT "
                + id
                + " "
                + (share.isEmpty() ? "ABSENT" : read(share.orElseThrow().files(), id)));
      }
    }
  }

  private static ParameterSet parameterSet(Engine engine, Id domainId) throws IOException {
    for (DomainRecord domain : engine.domains()) {
      if (domain.id().equals(domainId)) {
        return ParameterSet.of(domain.parameterSet());
      }
    }
    throw new IOException("domain " + domainId + " does not exist");
  }

  private String read(FileSystem files, String id) {
    try {
      long fileId;
      try {
        fileId =
            files
                .lookup(Credentials.ROOT, files.rootId(), id.getBytes(StandardCharsets.UTF_8))
                .fileId();
      } catch (FileException e) {
        if (e.error() == FileError.NOT_FOUND) {
          return "ABSENT";
        }
        throw e;
      }
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (OpenFile file = files.open(Credentials.ROOT, fileId, OpenFile.READ, false)) {
        long position = 0;
        int n = file.read(position, buffer, 0, buffer.length).lengthBytes();
        while (n > 0) {
          digest.update(buffer, 0, n);
          position += n;
          n = file.read(position, buffer, 0, buffer.length).lengthBytes();
        }
      }
      return JudgeWriter.hex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    } catch (IOException | RuntimeException e) {
      return "ERROR " + oneLine(e); // The finding about this file.
    }
  }

  private String read(Engine engine, StoreRecord store, String id) {
    try {
      Optional<ItemRecord> item = engine.findItem(store.id(), id);
      if (item.isEmpty()) {
        return "ABSENT";
      }
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (ObjectReader reader = engine.openReader(store.domainId(), item.orElseThrow().root())) {
        long position = 0;
        int n = reader.read(position, buffer, 0, buffer.length);
        while (n > 0) {
          digest.update(buffer, 0, n);
          position += n;
          n = reader.read(position, buffer, 0, buffer.length);
        }
      }
      return JudgeWriter.hex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    } catch (IOException | RuntimeException e) {
      return "ERROR " + oneLine(e); // The finding about this item.
    }
  }

  private static String oneLine(Exception error) {
    return (error.getClass().getSimpleName() + ": " + error.getMessage()).replace('\n', ' ');
  }

  @Override
  public void close() {
    scheduler.close();
  }
}
