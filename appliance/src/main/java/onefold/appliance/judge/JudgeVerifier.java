package onefold.appliance.judge;

import java.io.IOException;
import java.io.PrintStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import onefold.appliance.context.Context;
import onefold.appliance.judge.JudgeConnection.Frame;
import onefold.appliance.judge.Payload.Fields;

/**
 * Reads items back over the wire and says for each what was got: a hash of the bytes, absent, or an
 * error.
 */
public final class JudgeVerifier {
  private static final int ZEROS_INDEX = 65_535;
  // How many blocks an extent may lie behind the newest one.
  private static final int WINDOW_BLOCKS = 192;

  private final Context context;
  private final int port;
  private final String store;
  private final JudgeLines lines;

  /**
   * @param store where the items are
   */
  public JudgeVerifier(Context context, int port, String store, PrintStream out) {
    this.context = context;
    this.port = port;
    this.store = store;
    this.lines = new JudgeLines(out, Optional.empty());
  }

  /**
   * Says a GOT line for every id.
   *
   * @throws IOException if the server cannot be reached at all; what happens to one item is said in
   *     its line
   */
  public void run(List<String> ids) throws IOException {
    JudgeConnection connection = JudgeConnection.open(context, port);
    try {
      for (String id : ids) {
        try {
          Optional<String> hash = read(connection, id);
          lines.say("GOT " + id + " " + hash.orElse("ABSENT"));
        } catch (JudgeException e) {
          lines.say("GOT " + id + " ERROR " + String.valueOf(e.getMessage()).replace('\n', ' '));
          connection.close();
          connection = JudgeConnection.open(context, port);
        }
      }
    } finally {
      connection.close();
    }
  }

  /** Says a GOT line for every id, of the files of the share {@code backup}; as {@link #run}. */
  public void runNfs(List<String> ids) throws IOException {
    NfsJudge files = NfsJudge.open(context.host(), port);
    try {
      for (String id : ids) {
        try {
          Optional<String> hash = files.read(id);
          lines.say("GOT " + id + " " + hash.orElse("ABSENT"));
        } catch (JudgeException e) {
          lines.say("GOT " + id + " ERROR " + String.valueOf(e.getMessage()).replace('\n', ' '));
          files.close();
          files = NfsJudge.open(context.host(), port);
        }
      }
    } finally {
      files.close();
    }
  }

  private Optional<String> read(JudgeConnection connection, String id) throws IOException {
    connection.open(JudgeConnection.OPEN_READ, new Payload().text(store).text(id).zeros(16));
    Frame opened;
    try {
      opened = connection.expect(JudgeConnection.READ_OPENED);
    } catch (JudgeException e) {
      if (e.code() == JudgeException.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
    long lengthBytes = lengthOf(opened.fields());
    MessageDigest digest = sha256();
    long position = 0;
    if (lengthBytes > 0) {
      connection.send(JudgeConnection.READ_RANGE, new Payload().u64(0).u64(lengthBytes));
      position = range(connection, digest);
    }
    if (position != lengthBytes) {
      throw new JudgeException("got " + position + " bytes of " + lengthBytes);
    }
    connection.send(JudgeConnection.CLOSE_READ, new Payload());
    connection.expect(JudgeConnection.DONE);
    return Optional.of(JudgeWriter.hex(digest.digest()));
  }

  /** Reads the length out of READ_OPENED: parameter set, then the item with its root. */
  private static long lengthOf(Fields opened) throws JudgeException {
    opened.u16();
    opened.text();
    opened.raw(16);
    opened.u64();
    opened.raw(32);
    opened.u8();
    long lengthBytes = opened.u64();
    if (lengthBytes < 0) {
      throw new JudgeException("a length of " + lengthBytes);
    }
    return lengthBytes;
  }

  private static long range(JudgeConnection connection, MessageDigest digest) throws IOException {
    Map<Long, StoredBlock> blocks = new HashMap<>();
    long position = 0;
    connection.grant(4 << 20);
    while (true) {
      Frame frame = connection.receive();
      Fields fields = frame.fields();
      switch (frame.type()) {
        case JudgeConnection.READ_BLOCK -> {
          long number = fields.u64();
          blocks.put(number, StoredBlock.read(fields.raw(fields.remaining())));
          blocks.remove(number - WINDOW_BLOCKS);
        }
        case JudgeConnection.READ_EXTENTS -> position = extents(fields, position, blocks, digest);
        case JudgeConnection.RANGE_END -> {
          return position;
        }
        default ->
            throw new JudgeException(
                "a frame of type " + Integer.toHexString(frame.type()) + " in a range");
      }
      if (frame.payload().length > 0) {
        connection.grant(frame.payload().length);
      }
    }
  }

  private static long extents(
      Fields fields, long start, Map<Long, StoredBlock> blocks, MessageDigest digest)
      throws JudgeException {
    long position = start;
    long offset = fields.u64();
    if (offset != position) {
      throw new JudgeException("extents from " + offset + ", expected from " + position);
    }
    long base = fields.u64();
    long count = fields.u32();
    for (long i = 0; i < count; i++) {
      byte[] fingerprint = fields.raw(32);
      long blockNumber = base + fields.u32();
      int chunkIndex = fields.u16();
      fields.u16();
      if (chunkIndex == ZEROS_INDEX) {
        long zeros = fields.u64();
        byte[] some = new byte[8192];
        for (long left = zeros; left > 0; left -= Math.min(left, some.length)) {
          digest.update(some, 0, (int) Math.min(left, some.length));
        }
        position += zeros;
      } else {
        int skipBytes = (int) fields.u32();
        int lengthBytes = (int) fields.u32();
        StoredBlock block = blocks.get(blockNumber);
        if (block == null) {
          throw new JudgeException("block " + blockNumber + " was not sent");
        }
        digest.update(block.run(chunkIndex, fingerprint, skipBytes, lengthBytes));
        position += lengthBytes;
      }
    }
    return position;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    }
  }
}
