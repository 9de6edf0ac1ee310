package onefold.appliance.judge;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import onefold.appliance.context.Context;

/**
 * Writes, overwrites and deletes items and says of each step that it tries it, and that it was
 * acknowledged. Contents and order follow from client and round alone. A quarter of the bytes
 * repeat earlier ones, so that duplicates happen.
 */
public final class JudgeWriter {
  /** The store that the judge writes to. */
  public static final String STORE = "default";

  private static final int MAX_BYTES = 1_000_000;

  private final Context context;
  private final int port;
  private final String client;
  private final String round;
  private final JudgeLines lines;
  private final SplittableRandom random;
  private final List<String> mine = new ArrayList<>();
  private final byte[] repeated = new byte[MAX_BYTES];

  /**
   * @param client and {@code round} make the ids; one writer per id
   * @param control file that each line is also written to as a mark, if given
   */
  public JudgeWriter(
      Context context,
      int port,
      String client,
      String round,
      PrintStream out,
      Optional<Path> control) {
    this.context = context;
    this.port = port;
    this.client = client;
    this.round = round;
    this.lines = new JudgeLines(out, control);
    this.random = new SplittableRandom(31L * client.hashCode() + round.hashCode());
    new SplittableRandom(client.hashCode()).nextBytes(repeated);
  }

  /** What the steps are done with; each is durable when the method returns. */
  private interface Items {
    void put(String id, byte[] content) throws IOException;

    void delete(String id) throws IOException;
  }

  /**
   * Works over Catalyst until {@code count} steps are done or the connection breaks; nothing is
   * tried twice.
   *
   * @throws IOException when the connection breaks or the server refuses
   */
  public void run(long count) throws IOException {
    try (JudgeConnection connection = JudgeConnection.open(context, port)) {
      run(
          count,
          new Items() {
            @Override
            public void put(String id, byte[] content) throws IOException {
              JudgeWriter.put(connection, id, content);
            }

            @Override
            public void delete(String id) throws IOException {
              JudgeWriter.delete(connection, id);
            }
          });
    }
  }

  /** Works over NFS in the share {@code backup}; as {@link #run}. */
  public void runNfs(long count) throws IOException {
    try (NfsJudge files = NfsJudge.open(context.host(), port)) {
      run(
          count,
          new Items() {
            @Override
            public void put(String id, byte[] content) throws IOException {
              files.put(id, content);
            }

            @Override
            public void delete(String id) throws IOException {
              files.delete(id);
            }
          });
    }
  }

  /** What says at the source that a step has reached the target. */
  public interface Source {
    /**
     * Returns when the source says that the target has an item as it is at the source.
     *
     * @throws IOException if it says that this did not come to pass, or says nothing any more
     */
    void awaitReplicated(String id) throws IOException;

    /** Returns when the source says that everything is there, deletions included. */
    void awaitAll() throws IOException;
  }

  /**
   * Works over Catalyst at a source of replication; a step counts as acknowledged when the source
   * says that the target has it. As {@link #run} else.
   */
  public void runReplicated(long count, Source source) throws IOException {
    try (JudgeConnection connection = JudgeConnection.open(context, port)) {
      run(
          count,
          new Items() {
            @Override
            public void put(String id, byte[] content) throws IOException {
              JudgeWriter.put(connection, id, content);
              source.awaitReplicated(id);
            }

            @Override
            public void delete(String id) throws IOException {
              JudgeWriter.delete(connection, id);
              source.awaitAll();
            }
          });
    }
  }

  private void run(long count, Items items) throws IOException {
    for (long step = 0; step < count; step++) {
      double choice = random.nextDouble();
      if (!mine.isEmpty() && choice < 0.08) {
        String id = mine.remove(random.nextInt(mine.size()));
        lines.say("TRY DEL " + id);
        items.delete(id);
        lines.say("ACK DEL " + id);
      } else if (!mine.isEmpty() && choice < 0.25) {
        put(items, mine.get(random.nextInt(mine.size())));
      } else {
        String id = "c" + client + "-r" + round + "-" + step;
        put(items, id);
        mine.add(id);
      }
    }
  }

  private void put(Items items, String id) throws IOException {
    byte[] content = content();
    String step = "PUT " + id + " " + hex(sha256(content)) + " " + content.length;
    lines.say("TRY " + step);
    items.put(id, content);
    lines.say("ACK " + step);
  }

  private static void put(JudgeConnection connection, String id, byte[] content)
      throws IOException {
    connection.open(
        JudgeConnection.OPEN_UPLOAD,
        new Payload().text(STORE).text(id).u8(1).u8(1).u8(0).u8(0).zeros(16));
    connection.expect(JudgeConnection.UPLOAD_OPENED);
    connection.sendData(content);
    connection.send(JudgeConnection.COMMIT, commit());
    connection.expect(JudgeConnection.COMMITTED);
  }

  private static void delete(JudgeConnection connection, String id) throws IOException {
    connection.open(JudgeConnection.DELETE_ITEM, new Payload().raw(command()).text(STORE).text(id));
    connection.expect(JudgeConnection.DONE);
  }

  private static Payload commit() {
    int rootBytes = 32 + 1 + 8;
    return new Payload().raw(command()).u8(0).zeros(rootBytes).u8(1).u16(0).u32(0);
  }

  private static byte[] command() {
    UUID id = UUID.randomUUID();
    return new Payload()
        .u64(id.getMostSignificantBits())
        .u64(id.getLeastSignificantBits())
        .toBytes();
  }

  private byte[] content() {
    int length =
        switch (random.nextInt(8)) {
          case 0 -> 1 + random.nextInt(16);
          case 1, 2, 3 -> 1 + random.nextInt(4096);
          case 4, 5, 6 -> 1 + random.nextInt(64 << 10);
          default -> 1 + random.nextInt(MAX_BYTES);
        };
    byte[] content = new byte[length];
    random.nextBytes(content);
    if (random.nextInt(4) == 0) {
      System.arraycopy(repeated, 0, content, 0, length);
    } else if (random.nextInt(4) == 0) {
      byte[] text = ("line of text from client " + client + "\n").getBytes(StandardCharsets.UTF_8);
      for (int i = 0; i < length / 2; i++) {
        content[i] = text[i % text.length];
      }
    }
    return content;
  }

  static byte[] sha256(byte[] content) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(content);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    }
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
