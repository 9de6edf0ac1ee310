package onefold.store.engine;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import onefold.chunker.ChunkKind;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.engine.CommitRecord.ContainerEnd;
import onefold.store.engine.CommitRecord.DomainPart;

/**
 * The bytes of a {@link CommitRecord}, as {@code docs/formats/commit-record.md} has them. The
 * journal's own record around it carries length and checksum.
 */
final class CommitRecordFormat {
  static final int VERSION = 1;

  /** The type of these records in the journal. */
  static final int JOURNAL_TYPE = 1;

  private static final int CHECKPOINT = 1;
  private static final int HEADER_BYTES = 24;
  private static final int DOMAIN_BYTES = 32;
  private static final int END_BYTES = 24;

  private CommitRecordFormat() {}

  static byte[] encode(CommitRecord commit) {
    long bytes = HEADER_BYTES;
    for (DomainPart part : commit.domains()) {
      bytes += DOMAIN_BYTES;
      for (ContainerEnd end : part.ends()) {
        bytes += END_BYTES + end.redo().length;
      }
    }
    for (byte[] command : commit.commands()) {
      bytes += 4 + command.length;
    }
    ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(VERSION);
    out.putInt(commit.checkpoint() ? CHECKPOINT : 0);
    out.putLong(commit.storeTimeMillis());
    out.putInt(commit.domains().size());
    out.putInt(commit.commands().size());
    for (DomainPart part : commit.domains()) {
      out.putLong(part.domainId().high()).putLong(part.domainId().low());
      out.putLong(part.nextContainerNumber());
      out.putInt(part.ends().size());
      out.putInt(0);
      for (ContainerEnd end : part.ends()) {
        out.putLong(end.containerNumber());
        out.put((byte) end.kind().code()).put((byte) 0).putShort((short) 0);
        out.putInt(end.redo().length);
        out.putLong(end.endBytes());
        out.put(end.redo());
      }
    }
    for (byte[] command : commit.commands()) {
      out.putInt(command.length).put(command);
    }
    return out.array();
  }

  /**
   * Reads a record.
   *
   * @param where names the record in errors
   * @throws CorruptDataException if the bytes are no commit record; the journal's checksum was
   *     right, so this is a broken writer or a newer release
   */
  static CommitRecord decode(String where, byte[] bytes) throws CorruptDataException {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    try {
      int version = in.getInt();
      if (version != VERSION) {
        throw new CorruptDataException(
            where, 0, "commit record of version 1", "version " + version);
      }
      int flags = in.getInt();
      if ((flags & ~CHECKPOINT) != 0) {
        throw new CorruptDataException(where, 4, "flags 0 or 1", Integer.toHexString(flags));
      }
      long time = in.getLong();
      int domainCount = count(where, in, DOMAIN_BYTES);
      int commandCount = count(where, in, 4);
      List<DomainPart> domains = new ArrayList<>(domainCount);
      for (int i = 0; i < domainCount; i++) {
        domains.add(domain(where, in));
      }
      List<byte[]> commands = new ArrayList<>(commandCount);
      for (int i = 0; i < commandCount; i++) {
        byte[] command = new byte[count(where, in, 1)];
        in.get(command);
        commands.add(command);
      }
      if (in.hasRemaining()) {
        throw new CorruptDataException(
            where, in.position(), "the record's end", in.remaining() + " bytes more");
      }
      return new CommitRecord((flags & CHECKPOINT) != 0, time, domains, commands);
    } catch (BufferUnderflowException e) {
      throw new CorruptDataException(where, bytes.length, "more bytes", "the record's end");
    }
  }

  private static DomainPart domain(String where, ByteBuffer in) throws CorruptDataException {
    Id id = new Id(in.getLong(), in.getLong());
    long next = in.getLong();
    int endCount = count(where, in, END_BYTES);
    if (in.getInt() != 0) {
      throw new CorruptDataException(where, in.position() - 4, "zero", "other bytes");
    }
    List<ContainerEnd> ends = new ArrayList<>(endCount);
    for (int i = 0; i < endCount; i++) {
      long number = in.getLong();
      ChunkKind kind = kind(where, in, in.get());
      int flags = in.get();
      if (flags != 0 || in.getShort() != 0) {
        throw new CorruptDataException(
            where, in.position() - 3, "container flags 0", Integer.toHexString(flags));
      }
      int redoLength = in.getInt();
      long endBytes = in.getLong();
      if (redoLength < 0 || redoLength > in.remaining() || redoLength > endBytes) {
        throw new CorruptDataException(
            where,
            in.position() - 12,
            "at most " + in.remaining() + " bytes of container",
            Integer.toUnsignedString(redoLength));
      }
      byte[] redo = new byte[redoLength];
      in.get(redo);
      ends.add(new ContainerEnd(number, kind, endBytes, redo));
    }
    return new DomainPart(id, next, ends);
  }

  private static ChunkKind kind(String where, ByteBuffer in, int code) throws CorruptDataException {
    try {
      return ChunkKind.ofCode(code);
    } catch (IllegalArgumentException e) {
      throw new CorruptDataException(where, in.position() - 1, "chunk kind 1 or 2", "" + code);
    }
  }

  /** Reads a count of things of at least {@code leastBytes} each, so that they can be there. */
  private static int count(String where, ByteBuffer in, int leastBytes)
      throws CorruptDataException {
    int count = in.getInt();
    if (count < 0 || (long) count * leastBytes > in.remaining()) {
      throw new CorruptDataException(
          where,
          in.position() - 4,
          "a count that fits " + in.remaining() + " bytes",
          Integer.toUnsignedString(count));
    }
    return count;
  }
}
