package onefold.appliance.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.appliance.context.Contexts;
import onefold.appliance.json.JsonObject;
import onefold.appliance.judge.JudgeWriter;

/** The source of a mapping as a judge asks it: over REST, what anybody else is told too. */
final class ReplicationSource implements JudgeWriter.Source, AutoCloseable {
  /** After a start both ends may need a while until the line stands again. */
  private static final Duration SOON = Duration.ofSeconds(90);

  private static final Duration BETWEEN = Duration.ofMillis(5);

  private final RestClient rest;
  private final String mapping;

  private ReplicationSource(RestClient rest, String mapping) {
    this.rest = rest;
    this.mapping = mapping;
  }

  /**
   * Enters the source.
   *
   * @param wanted the mapping; if empty there must be only one of the judge's store
   */
  static ReplicationSource open(Contexts.Found found, Optional<String> wanted)
      throws IOException, Failure {
    RestClient rest = RestClient.open(found);
    boolean opened = false;
    try {
      List<String> mappings = new ArrayList<>();
      for (JsonObject each : rest.get("/mappings").array("mappings").objects()) {
        if (wanted
            .map(each.text("name")::equals)
            .orElse(each.text("store").equals(JudgeWriter.STORE))) {
          mappings.add(each.text("name"));
        }
      }
      if (mappings.size() != 1) {
        throw Failure.failed(
            mappings.isEmpty()
                ? wanted
                    .map(name -> "there is no mapping '" + name + "'")
                    .orElse("there is no mapping of store '" + JudgeWriter.STORE + "'")
                : "--mapping says which of " + String.join(", ", mappings));
      }
      opened = true;
      return new ReplicationSource(rest, mappings.getFirst());
    } finally {
      if (!opened) {
        rest.close();
      }
    }
  }

  @Override
  public void awaitReplicated(String id) throws IOException {
    JsonObject status = awaitPass();
    JsonObject item = rest.get(RestClient.itemPath(new ItemReference(JudgeWriter.STORE, id)));
    if (!item.array("provenOn").texts().contains(mapping)) {
      throw new IOException(
          "the source does not say of " + id + " that it is there: " + why(status));
    }
  }

  @Override
  public void awaitAll() throws IOException {
    JsonObject status = awaitPass();
    if (!isWell(status)) {
      throw new IOException("not everything is there: " + why(status));
    }
  }

  /** As {@link #awaitAll}, but a line that does not stand is asked again for a while. */
  void awaitAllSoon() throws IOException {
    long endNanos = System.nanoTime() + SOON.toNanos();
    JsonObject status = awaitPass();
    while (!isWell(status)) {
      if (System.nanoTime() > endNanos) {
        throw new IOException("not everything is there: " + why(status));
      }
      pause();
      status = awaitPass();
    }
  }

  /** Asks for a pass and waits for its end. */
  private JsonObject awaitPass() throws IOException {
    String path = "/mappings/" + RestClient.encoded(mapping);
    JsonObject status = rest.request("POST", path + "/sync", new JsonObject());
    long wanted = status.number("wantedPass");
    while (status.number("finishedPass") < wanted) {
      pause();
      status = rest.get(path);
    }
    return status;
  }

  private static boolean isWell(JsonObject status) {
    return status.text("problem").isEmpty() && status.number("lagItems") == 0;
  }

  private static String why(JsonObject status) {
    List<JsonObject> gaps = status.array("gaps").objects();
    return !status.text("problem").isEmpty()
        ? status.text("problem")
        : gaps.isEmpty() ? "it is not known" : gaps.getFirst().text("reason");
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(BETWEEN);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Override
  public void close() throws IOException {
    rest.close();
  }
}
