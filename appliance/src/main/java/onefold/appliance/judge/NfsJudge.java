package onefold.appliance.judge;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import onefold.appliance.judge.NfsConnection.Arguments;
import onefold.appliance.judge.NfsConnection.Results;

/**
 * Files of the share {@code backup} as a judge sees them. A file is written beside its place in
 * unstable writes that do not come in order, made durable by COMMIT, and renamed over its place.
 */
final class NfsJudge implements AutoCloseable {
  /** The share that the judge writes to. */
  static final String SHARE = "/backup";

  private static final int LOOKUP = 3;
  private static final int READ = 6;
  private static final int WRITE = 7;
  private static final int CREATE = 8;
  private static final int REMOVE = 12;
  private static final int RENAME = 14;
  private static final int COMMIT = 21;
  private static final int PIECE_BYTES = 64 << 10;
  private static final int UNSTABLE = 0;

  private final NfsConnection connection;
  private final byte[] root;

  private NfsJudge(NfsConnection connection, byte[] root) {
    this.connection = connection;
    this.root = root;
  }

  static NfsJudge open(String host, int port) throws IOException {
    NfsConnection connection = new NfsConnection(host, port);
    try {
      return new NfsJudge(connection, connection.mount(SHARE));
    } catch (IOException e) {
      connection.close();
      throw e;
    }
  }

  /** Writes a file, whole and durable when this returns. */
  void put(String id, byte[] content) throws IOException {
    String beside = "new-" + id;
    // Made if it is not there, and empty in any case.
    Arguments empty = new Arguments().run(root).text(beside).u32(0);
    empty.u32(1).u32(0600).u32(0).u32(0).u32(1).u64(0).u32(0).u32(0);
    Results created = connection.expect(CREATE, empty);
    byte[] handle = created.u32() == 0 ? lookup(beside) : created.run();
    // Every second piece first, then those between: what a kernel's write-back looks like.
    long verifier = 0;
    boolean any = false;
    for (int first = 0; first <= PIECE_BYTES; first += PIECE_BYTES) {
      for (int at = first; at < content.length; at += 2 * PIECE_BYTES) {
        long said = write(handle, content, at);
        if (any && said != verifier) {
          throw new JudgeException("the write verifier changed within one connection");
        }
        verifier = said;
        any = true;
      }
    }
    Results committed = connection.expect(COMMIT, new Arguments().run(handle).u64(0).u32(0));
    committed.skipWeakConsistency();
    long said = committed.u64();
    if (any && said != verifier) {
      throw new JudgeException("COMMIT has another verifier than the writes");
    }
    connection.expect(RENAME, new Arguments().run(root).text(beside).run(root).text(id));
  }

  private long write(byte[] handle, byte[] content, int at) throws IOException {
    int length = Math.min(PIECE_BYTES, content.length - at);
    Results written =
        connection.expect(
            WRITE,
            new Arguments().run(handle).u64(at).u32(length).u32(UNSTABLE).run(content, at, length));
    written.skipWeakConsistency();
    int count = written.u32();
    if (count != length) {
      throw new JudgeException(count + " bytes were written of " + length);
    }
    written.u32();
    return written.u64();
  }

  void delete(String id) throws IOException {
    connection.expect(REMOVE, new Arguments().run(root).text(id));
  }

  private byte[] lookup(String id) throws IOException {
    return connection.expect(LOOKUP, new Arguments().run(root).text(id)).run();
  }

  /** Reads a file and returns the hash of its bytes; empty if there is none. */
  Optional<String> read(String id) throws IOException {
    byte[] handle;
    try {
      handle = lookup(id);
    } catch (JudgeException e) {
      if (e.code() == NfsConnection.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    }
    long position = 0;
    boolean end = false;
    while (!end) {
      Results read =
          connection.expect(READ, new Arguments().run(handle).u64(position).u32(4 * PIECE_BYTES));
      read.skipAttributes();
      int count = read.u32();
      end = read.u32() != 0;
      byte[] bytes = read.run();
      if (bytes.length != count || (count == 0 && !end)) {
        throw new JudgeException(bytes.length + " bytes of " + count + " at " + position);
      }
      digest.update(bytes);
      position += count;
    }
    return Optional.of(JudgeWriter.hex(digest.digest()));
  }

  @Override
  public void close() throws IOException {
    connection.close();
  }
}
