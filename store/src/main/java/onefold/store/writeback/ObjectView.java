package onefold.store.writeback;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import onefold.store.writeback.Extent.Content;
import onefold.store.writeback.Extent.Memory;

/**
 * What an object was at one moment, or a range of it: extents over a recipe. The recipe is in use
 * until it is closed; what the extents hold in the log may be given back once they are folded.
 *
 * @param visible how much of the recipe counts
 * @param length of the object
 * @param extents in order; all that touch what is asked of it
 * @param generation changes when the log may be given back that the extents refer to
 */
record ObjectView(Base base, long visible, long length, List<Extent> extents, long generation)
    implements AutoCloseable {
  @Override
  public void close() {
    base.leave();
  }

  /** The end of the gap before an extent, or a limit. */
  private long gapEnd(int next, long limit) {
    return next < extents.size() ? Math.min(limit, extents.get(next).start()) : limit;
  }

  private boolean isIn(int next, long at) {
    return next < extents.size() && extents.get(next).start() <= at;
  }

  private int firstBehind(long at) {
    int first = 0;
    while (first < extents.size() && extents.get(first).end() <= at) {
      first++;
    }
    return first;
  }

  /**
   * Reads as much as can be read of a range inside.
   *
   * @throws IOException if that is nothing
   */
  int read(LoggedBytes logged, long position, byte[] target, int offset, int bytes)
      throws IOException {
    long at = position;
    long end = position + bytes;
    int next = firstBehind(position);
    try {
      while (at < end) {
        int to = Math.toIntExact(offset + (at - position));
        long until;
        if (isIn(next, at)) {
          Extent extent = extents.get(next++);
          until = Math.min(end, extent.end());
          read(extent, at, target, to, Math.toIntExact(until - at), logged);
        } else {
          until = gapEnd(next, end);
          if (at < visible) {
            until = Math.min(until, visible);
            base.read(at, target, to, Math.toIntExact(until - at));
          } else {
            Arrays.fill(target, to, Math.toIntExact(to + (until - at)), (byte) 0);
          }
        }
        at = until;
      }
    } catch (IOException e) {
      if (at == position) {
        throw e;
      }
      // The next call meets it again.
    }
    return Math.toIntExact(at - position);
  }

  private static void read(
      Extent extent, long at, byte[] target, int offset, int bytes, LoggedBytes logged)
      throws IOException {
    long skip = at - extent.start();
    switch (extent.content()) {
      case Content.Data data -> {
        Memory memory = data.memory();
        byte[] from = memory == null ? logged.of(data) : memory.bytes;
        int start = (memory == null ? data.loggedOffset() : data.offset()) + (int) skip;
        System.arraycopy(from, start, target, offset, bytes);
      }
      case Content.Zeros _ -> Arrays.fill(target, offset, offset + bytes, (byte) 0);
      case Content.Splice splice ->
          splice.source().base.read(splice.position() + skip, target, offset, bytes);
    }
  }

  /** Data in a view of a whole object: all of the recipe less what does not show. */
  long dataBytes() throws IOException {
    long bytes = base.dataBytes(0, base.lengthBytes());
    bytes -= base.dataBytes(visible, base.lengthBytes());
    for (Extent extent : extents) {
      bytes -= base.dataBytes(extent.start(), Math.min(extent.end(), visible));
      bytes +=
          switch (extent.content()) {
            case Content.Data _ -> extent.length();
            case Content.Zeros _ -> 0;
            case Content.Splice splice ->
                splice
                    .source()
                    .base
                    .dataBytes(splice.position(), splice.position() + extent.length());
          };
    }
    return bytes;
  }

  /** Bytes of the recipe below that do not show. */
  long replacedBytes() {
    long bytes = base.lengthBytes() - visible;
    for (Extent extent : extents) {
      bytes += Math.max(0, Math.min(extent.end(), visible) - extent.start());
    }
    return bytes;
  }

  /** The first position from one on that is data, or is not; the end if there is none. */
  long next(long position, boolean data) throws IOException {
    return next(position, length, data);
  }

  private long next(long position, long end, boolean data) throws IOException {
    long at = position;
    int next = firstBehind(position);
    while (at < end) {
      long until;
      long found;
      if (isIn(next, at)) {
        Extent extent = extents.get(next++);
        until = extent.end();
        long start = at;
        found =
            switch (extent.content()) {
              case Content.Data _ -> data ? start : until;
              case Content.Zeros _ -> data ? until : start;
              case Content.Splice splice -> {
                long shift = splice.position() - extent.start();
                yield splice.source().base.next(start + shift, until + shift, data) - shift;
              }
            };
      } else {
        until = gapEnd(next, end);
        if (at < visible) {
          until = Math.min(until, visible);
          found = base.next(at, until, data);
        } else {
          found = data ? until : at;
        }
      }
      if (found < until) {
        return Math.min(found, end);
      }
      at = until;
    }
    return end;
  }

  /** The parts of a range that hold no data, also behind the object's end. */
  List<long[]> holes(long from, long to) throws IOException {
    List<long[]> holes = new ArrayList<>();
    long at = from;
    while (at < to) {
      long start = next(at, to, false);
      if (start >= to) {
        break;
      }
      at = next(start, to, true);
      holes.add(new long[] {start, at});
    }
    return holes;
  }

  // ---- making a recipe of it

  /** Makes the recipe of a view of a whole object. */
  void build(ObjectBuilder into, LoggedBytes logged) throws IOException {
    long at = 0;
    for (Extent extent : extents) {
      below(into, at, extent.start(), extent.isData());
      append(into, extent, logged);
      at = extent.end();
    }
    below(into, at, length, false);
  }

  private void below(ObjectBuilder into, long from, long to, boolean dataFollows)
      throws IOException {
    long end = Math.min(to, visible);
    if (from < end) {
      append(into, base, from, end, dataFollows && end == to);
    }
    if (Math.max(from, end) < to) {
      into.hole(to - Math.max(from, end));
    }
  }

  /**
   * Appends a range of the recipe to another.
   *
   * @param goesOn whether data follows; then the last chunk is cut again with it
   */
  static void append(ObjectBuilder into, Base from, long start, long end, boolean goesOn)
      throws IOException {
    long whole = end;
    if (goesOn && end == from.lengthBytes()) {
      whole = Math.max(start, from.lastChunkStart());
    }
    if (whole > start) {
      into.splice(from.root, start, whole - start);
    }
    if (whole < end) {
      byte[] last = new byte[Math.toIntExact(end - whole)];
      from.read(whole, last, 0, last.length);
      into.write(last, 0, last.length);
    }
  }

  /** Appends an extent to a recipe. */
  static void append(ObjectBuilder into, Extent extent, LoggedBytes logged) throws IOException {
    switch (extent.content()) {
      case Content.Data data -> {
        Memory memory = data.memory();
        byte[] from = memory == null ? logged.of(data) : memory.bytes;
        int start = memory == null ? data.loggedOffset() : data.offset();
        into.write(from, start, Math.toIntExact(extent.length()));
      }
      case Content.Zeros zeros -> {
        switch (zeros) {
          case HOLE -> into.hole(extent.length());
          case RESERVED -> into.reserved(extent.length());
        }
      }
      case Content.Splice splice ->
          into.splice(splice.source().base.root, splice.position(), extent.length());
    }
  }
}
