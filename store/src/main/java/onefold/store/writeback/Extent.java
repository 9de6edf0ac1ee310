package onefold.store.writeback;

import org.jspecify.annotations.Nullable;

/**
 * What a range of an object is since a change, over the recipe below it. Immutable; of two that
 * overlap the newer one has cut the older.
 *
 * @param start position in the object, in bytes
 * @param length bytes, from 1
 * @param number of the change
 */
record Extent(long start, long length, long number, Content content) {
  long end() {
    return start + length;
  }

  boolean isData() {
    return content instanceof Content.Data;
  }

  /** The part of it between two positions inside. */
  Extent part(long from, long to) {
    return from == start && to == end()
        ? this
        : new Extent(from, to - from, number, content.from(from - start));
  }

  Extent with(Content other) {
    return new Extent(start, length, number, other);
  }

  /** What is in it. */
  sealed interface Content {
    /** The same but for its first bytes. */
    Content from(long skip);

    /**
     * Bytes in memory, in the log, or in both.
     *
     * @param offset of its first byte in {@code memory}
     * @param loggedOffset of its first byte in {@code logged}
     */
    record Data(@Nullable Memory memory, int offset, @Nullable Logged logged, int loggedOffset)
        implements Content {
      @Override
      public Content from(long skip) {
        return new Data(memory, (int) (offset + skip), logged, (int) (loggedOffset + skip));
      }
    }

    /** Zeros that nobody wrote, with room kept for them or not. */
    enum Zeros implements Content {
      HOLE,
      RESERVED;

      @Override
      public Content from(long skip) {
        return this;
      }
    }

    /** A range of another object. */
    record Splice(Source source, long position) implements Content {
      @Override
      public Content from(long skip) {
        return new Splice(source, position + skip);
      }
    }
  }

  /** Something that is held as long as extents refer to it; the map counts them. */
  abstract static sealed class Held {
    int extents; // guarded by the lock of the map's owner
  }

  /** Bytes of one write; nobody changes the array. */
  static final class Memory extends Held {
    final byte[] bytes;

    Memory(byte[] bytes) {
      this.bytes = bytes;
    }
  }

  /** An object that ranges are taken from. */
  static final class Source extends Held {
    final Base base;

    Source(Base base) {
      this.base = base;
    }
  }

  /**
   * Bytes in a record of the log, read and checked as a whole.
   *
   * @param crc CRC32C of the bytes
   */
  record Logged(long segmentNumber, long offsetBytes, int lengthBytes, int crc) {}
}
