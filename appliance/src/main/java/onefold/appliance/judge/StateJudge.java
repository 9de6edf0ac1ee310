package onefold.appliance.judge;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import java.util.TreeSet;
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
 * itself.
 */
public final class StateJudge implements AutoCloseable {
  private static final EngineSettings SMALL =
      EngineSettings.ofMemory(64L << 20).withReserveBytes(0).withBackgroundHousekeeping(false);

  private final JudgeLines lines;
  private final ThreadScheduler scheduler = new ThreadScheduler();
  private final byte[] buffer = new byte[256 << 10];

  public StateJudge(PrintStream out) {
    this.lines = new JudgeLines(out, Optional.empty());
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
      Optional<StoreRecord> store = engine.findStore(JudgeWriter.STORE);
      for (String id : ids) {
        lines.say(
            "GOT "
                + id
                + " "
                + (store.isEmpty() ? "ABSENT" : read(engine, store.orElseThrow(), id)));
      }
    } catch (IOException | RuntimeException e) {
      // A directory that does not open is this state's finding, not the end of the run.
      for (String id : ids) {
        lines.say("GOT " + id + " ERROR open " + oneLine(e));
      }
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
