package onefold.nas.nfs;

import java.io.IOException;
import onefold.nas.FileError;
import onefold.nas.FileException;
import onefold.nas.OpenFile;
import onefold.nas.ReadResult;
import onefold.nas.Stability;

/** The operations of NFSv4 on the bytes of files. */
final class ByteOperations {
  private final States states;

  ByteOperations(States states) {
    this.states = states;
  }

  boolean serve(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    switch (operation) {
      case Operation.READ -> read(c, in, out);
      case Operation.WRITE -> write(c, in, out);
      default -> {
        return c.minor() > 0 && serveLater(c, operation, in, out);
      }
    }
    return true;
  }

  private boolean serveLater(Compound c, int operation, XdrReader in, XdrWriter out)
      throws IOException, Refusal {
    switch (operation) {
      case Operation.ALLOCATE -> allocate(c, in, true);
      case Operation.DEALLOCATE -> allocate(c, in, false);
      case Operation.SEEK -> seek(c, in, out);
      case Operation.CLONE -> cloneRange(c, in);
      case Operation.COPY -> copy(c, in, out);
      case Operation.OFFLOAD_CANCEL, Operation.OFFLOAD_STATUS -> {
        // Every copy is over when it is answered.
        Stateid.read(in);
        throw new Refusal(Status.OFFLOAD_NO_REQS);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private void read(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid stateid = c.meant(Stateid.read(in));
    long position = in.readLong();
    int wanted = (int) Math.min(in.readUint(), NfsLimits.MAX_TRANSFER_BYTES);
    try (States.InUse use = states.use(c, c.current(), stateid, OpenFile.READ)) {
      if (position < 0) {
        throw new Refusal(Status.INVAL);
      }
      long size = use.file().attributes().sizeBytes();
      int count = (int) Math.clamp(size - position, 0L, (long) wanted);
      int endAt = out.position();
      out.writeBoolean(false);
      // A reply that may be no longer gives fewer bytes; asked for so many, it would be refused.
      int bytesAt = out.beginOpaque(count);
      ReadResult result =
          count == 0
              ? new ReadResult(0, position + wanted >= size)
              : use.file().read(position, out.array(), bytesAt, count);
      out.endOpaque(bytesAt, result.lengthBytes());
      out.patchInt(endAt, result.end() ? 1 : 0);
    }
  }

  private void write(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid stateid = c.meant(Stateid.read(in));
    long position = in.readLong();
    int how = in.readInt();
    if (how < 0 || how > 2) {
      throw new XdrException("stable_how4 " + how);
    }
    XdrReader.Range bytes = in.readRange(OpenFile.MAX_TRANSFER_BYTES, "data");
    Compound.Node node = c.current();
    try (States.InUse use = states.use(c, node, stateid, OpenFile.WRITE)) {
      if (position < 0) {
        throw new Refusal(Status.FBIG);
      }
      use.file().write(position, bytes.array(), bytes.offset(), bytes.length(), stability(how));
      out.writeInt(bytes.length()).writeInt(how).writeLong(node.files().writeVerifier());
    }
  }

  private static Stability stability(int how) {
    return switch (how) {
      case 0 -> Stability.UNSTABLE;
      case 1 -> Stability.DATA;
      default -> Stability.FILE;
    };
  }

  private void allocate(Compound c, XdrReader in, boolean reserve) throws IOException, Refusal {
    Stateid stateid = c.meant(Stateid.read(in));
    long position = in.readLong();
    long length = in.readLong();
    try (States.InUse use = states.use(c, c.current(), stateid, OpenFile.WRITE)) {
      if (position < 0 || length < 0 || position + length < 0) {
        throw new Refusal(reserve ? Status.FBIG : Status.INVAL);
      }
      if (length == 0) {
        throw new Refusal(Status.INVAL);
      }
      if (reserve) {
        use.file().allocate(position, length);
      } else {
        use.file().punch(position, length);
      }
    }
  }

  private void seek(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid stateid = c.meant(Stateid.read(in));
    long position = in.readLong();
    int what = in.readInt();
    try (States.InUse use = states.use(c, c.current(), stateid, OpenFile.READ)) {
      long size = use.file().attributes().sizeBytes();
      if (position < 0 || position >= size) {
        throw new Refusal(Status.NXIO);
      }
      switch (what) {
        case 0 -> {
          long at;
          try {
            at = use.file().nextData(position);
          } catch (FileException e) {
            if (e.error() != FileError.NO_SUCH_POSITION) {
              throw e;
            }
            // Nothing but a hole behind it (RFC 7862, 15.11.3).
            out.writeBoolean(true).writeLong(size);
            return;
          }
          out.writeBoolean(false).writeLong(at);
        }
        case 1 -> {
          long at = use.file().nextHole(position);
          out.writeBoolean(at >= size).writeLong(at);
        }
        default -> throw new Refusal(Status.INVAL);
      }
    }
  }

  private void cloneRange(Compound c, XdrReader in) throws IOException, Refusal {
    Stateid from = c.meantSaved(Stateid.read(in));
    Stateid to = c.meant(Stateid.read(in));
    long fromPosition = in.readLong();
    long toPosition = in.readLong();
    long count = in.readLong();
    splice(c, from, to, fromPosition, toPosition, count);
  }

  /**
   * Copies a range between two files of a dedup domain as a change of recipe; returns its length.
   */
  private long splice(
      Compound c, Stateid from, Stateid to, long fromPosition, long toPosition, long count)
      throws IOException, Refusal {
    try (States.InUse source = states.use(c, c.saved(), from, OpenFile.READ);
        States.InUse target = states.use(c, c.current(), to, OpenFile.WRITE)) {
      long size = source.file().attributes().sizeBytes();
      if (fromPosition < 0
          || toPosition < 0
          || count < 0
          || fromPosition > size
          || count > size - fromPosition) {
        throw new Refusal(Status.INVAL);
      }
      long length = count == 0 ? size - fromPosition : count;
      if (length > 0) {
        target.file().copyFrom(source.file(), fromPosition, toPosition, length);
      }
      return length;
    }
  }

  private void copy(Compound c, XdrReader in, XdrWriter out) throws IOException, Refusal {
    Stateid from = c.meantSaved(Stateid.read(in));
    Stateid to = c.meant(Stateid.read(in));
    long fromPosition = in.readLong();
    long toPosition = in.readLong();
    long count = in.readLong();
    in.readBoolean();
    in.readBoolean();
    int servers = in.readCount(64, "source servers");
    if (servers > 0) {
      // Nothing is fetched from elsewhere.
      throw new Refusal(Status.NOTSUPP);
    }
    long copied = splice(c, from, to, fromPosition, toPosition, count);
    out.writeInt(0).writeLong(copied).writeInt(2);
    out.writeLong(c.current().files().writeVerifier());
    out.writeBoolean(true).writeBoolean(true);
  }
}
