package onefold.catalyst.wire;

import java.util.List;
import java.util.SortedMap;
import onefold.chunker.ChunkKind;
import onefold.chunker.ObjectRoot;
import org.jspecify.annotations.Nullable;

/**
 * What a frame says: one record per type of frame, with the fields of {@code
 * docs/protocol/catalyst.md}. Lists of fingerprints are arrays of 32-byte slots.
 */
public sealed interface Message {
  /** Returns the type of frame that carries it. */
  FrameType type();

  // ---- connection

  /** The client's first word. */
  record Hello(int lowestVersion, int highestVersion, long epoch, long features, String software)
      implements Message {
    @Override
    public FrameType type() {
      return FrameType.HELLO;
    }
  }

  /** The server's answer. */
  record Welcome(
      int version,
      long epoch,
      long features,
      int maxPayloadBytes,
      int maxStreams,
      int idleSeconds,
      String software,
      List<String> bindingTypes)
      implements Message {
    @Override
    public FrameType type() {
      return FrameType.WELCOME;
    }
  }

  /** Starts the login. */
  record AuthBegin(String mechanism, byte[] clientFirst) implements Message {
    @Override
    public FrameType type() {
      return FrameType.AUTH_BEGIN;
    }
  }

  /** Salt, rounds and nonce. */
  record AuthChallenge(byte[] serverFirst) implements Message {
    @Override
    public FrameType type() {
      return FrameType.AUTH_CHALLENGE;
    }
  }

  /** The client's proof. */
  record AuthProof(byte[] clientFinal) implements Message {
    @Override
    public FrameType type() {
      return FrameType.AUTH_PROOF;
    }
  }

  /** How the login ended, with the server's signature if well. */
  record AuthOutcome(boolean ok, byte[] serverFinal) implements Message {
    @Override
    public FrameType type() {
      return FrameType.AUTH_OUTCOME;
    }
  }

  /** Asks for a PONG. */
  record Ping(long token, int paddingBytes) implements Message {
    @Override
    public FrameType type() {
      return FrameType.PING;
    }
  }

  /** Answers a PING. */
  record Pong(long token) implements Message {
    @Override
    public FrameType type() {
      return FrameType.PONG;
    }
  }

  /** The server closes the connection. */
  record GoAway(ErrorCode code, String text) implements Message {
    @Override
    public FrameType type() {
      return FrameType.GOAWAY;
    }
  }

  // ---- every stream

  /** More bytes may be sent. */
  record Credit(int bytes) implements Message {
    @Override
    public FrameType type() {
      return FrameType.CREDIT;
    }
  }

  /** The client calls a stream off. */
  record Cancel() implements Message {
    @Override
    public FrameType type() {
      return FrameType.CANCEL;
    }
  }

  /** The server ends a stream. */
  record Failure(ErrorCode code, String text) implements Message {
    @Override
    public FrameType type() {
      return FrameType.ERROR;
    }
  }

  // ---- single requests

  /** Asks for the stores that follow {@code after}. */
  record ListStores(String after) implements Message {
    @Override
    public FrameType type() {
      return FrameType.LIST_STORES;
    }
  }

  /** Asks for one item. */
  record FindItem(String store, String item) implements Message {
    @Override
    public FrameType type() {
      return FrameType.FIND_ITEM;
    }
  }

  /** Asks for a page of items. */
  record ListItems(String store, String prefix, String after, int limit) implements Message {
    @Override
    public FrameType type() {
      return FrameType.LIST_ITEMS;
    }
  }

  /** Deletes an item. */
  record DeleteItem(WireId command, String store, String item) implements Message {
    @Override
    public FrameType type() {
      return FrameType.DELETE_ITEM;
    }
  }

  /** Gives an item's object a second name. */
  record CloneItem(
      WireId command,
      String store,
      String item,
      String targetStore,
      String targetItem,
      boolean replace)
      implements Message {
    @Override
    public FrameType type() {
      return FrameType.CLONE_ITEM;
    }
  }

  /** What an update does to an item's hold. */
  enum Hold {
    /** Leaves it. */
    AS_IS(0),
    /** Sets it. */
    HOLD(1),
    /** Takes it off. */
    RELEASE(2);

    private final int code;

    Hold(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }

    static Hold of(int code) throws WireException {
      return switch (code) {
        case 0 -> AS_IS;
        case 1 -> HOLD;
        case 2 -> RELEASE;
        default -> throw WireException.malformed("hold " + code + ", must be 0 to 2");
      };
    }
  }

  /**
   * Changes tags, hold and lock; {@code tags} null leaves the tags, {@code lockDays} 0 the lock.
   */
  record UpdateItem(
      WireId command,
      String store,
      String item,
      @Nullable SortedMap<String, String> tags,
      Hold hold,
      int lockDays)
      implements Message {
    @Override
    public FrameType type() {
      return FrameType.UPDATE_ITEM;
    }
  }

  /** Asks for the unfinished uploads of a store. */
  record ListUnfinished(String store) implements Message {
    @Override
    public FrameType type() {
      return FrameType.LIST_UNFINISHED;
    }
  }

  /** Ends an unfinished upload. */
  record AbortUpload(WireId command, String store, WireId upload) implements Message {
    @Override
    public FrameType type() {
      return FrameType.ABORT_UPLOAD;
    }
  }

  /** Asks for a store's figures. */
  record StoreStatistics(String store) implements Message {
    @Override
    public FrameType type() {
      return FrameType.STORE_STATISTICS;
    }
  }

  /** Answers {@link ListStores}. */
  record Stores(boolean more, List<StoreInfo> stores) implements Message {
    @Override
    public FrameType type() {
      return FrameType.STORES;
    }
  }

  /** One item. */
  record Item(ItemInfo item) implements Message {
    @Override
    public FrameType type() {
      return FrameType.ITEM;
    }
  }

  /** Answers {@link ListItems}. */
  record ItemPage(boolean more, List<ItemInfo> items) implements Message {
    @Override
    public FrameType type() {
      return FrameType.ITEM_PAGE;
    }
  }

  /** It is done. */
  record Done() implements Message {
    @Override
    public FrameType type() {
      return FrameType.DONE;
    }
  }

  /** Answers {@link ListUnfinished}. */
  record Unfinished(List<UnfinishedInfo> uploads) implements Message {
    @Override
    public FrameType type() {
      return FrameType.UNFINISHED;
    }
  }

  /** Answers {@link StoreStatistics}. */
  record Statistics(StoreUsage usage) implements Message {
    @Override
    public FrameType type() {
      return FrameType.STATISTICS;
    }
  }

  // ---- upload

  /** Opens or resumes an upload; {@code resume} is {@link WireId#NONE} for a new one. */
  record OpenUpload(
      String store,
      String item,
      boolean highBandwidth,
      boolean replace,
      CompressionChoice compression,
      WireId resume)
      implements Message {
    @Override
    public FrameType type() {
      return FrameType.OPEN_UPLOAD;
    }
  }

  /** The upload is open; {@code resumedFrom} null: it begins at 0. */
  record UploadOpened(
      WireId upload,
      int parameterSet,
      CompressionChoice compression,
      @Nullable ObjectRoot resumedFrom,
      long positionBytes,
      long durableBytes)
      implements Message {
    @Override
    public FrameType type() {
      return FrameType.UPLOAD_OPENED;
    }
  }

  /** Asks which chunks are there. */
  record Have(ChunkKind kind, int count, byte[] fingerprints) implements Message {
    /** Most fingerprints of one question. */
    public static final int MAX_COUNT = 4096;

    @Override
    public FrameType type() {
      return FrameType.HAVE;
    }
  }

  /** Set bits are present. */
  record HaveAnswer(Bits present) implements Message {
    @Override
    public FrameType type() {
      return FrameType.HAVE_ANSWER;
    }
  }

  /** A node of the recipe. */
  record Node(int number, int level, Slice node) implements Message {
    /** Most nodes that may wait for their chunks. */
    public static final int MAX_WAITING = 256;

    /** Most bytes of them. */
    public static final int MAX_WAITING_BYTES = 8 << 20;

    @Override
    public FrameType type() {
      return FrameType.NODE;
    }
  }

  /** The chunks of a waiting node have been sent. */
  record Settle(int number) implements Message {
    @Override
    public FrameType type() {
      return FrameType.SETTLE;
    }
  }

  /** Set bits are lacking; none set: the node is stored. */
  record NodeAnswer(int number, Bits lacking) implements Message {
    @Override
    public FrameType type() {
      return FrameType.NODE_ANSWER;
    }
  }

  /** A block of data chunks in stored form. */
  record Block(Slice block) implements Message {
    @Override
    public FrameType type() {
      return FrameType.BLOCK;
    }
  }

  /** Asks that the tree so far become durable. */
  record Checkpoint(long number, ObjectRoot root) implements Message {
    @Override
    public FrameType type() {
      return FrameType.CHECKPOINT;
    }
  }

  /** It is. */
  record Checkpointed(long number, long durableBytes) implements Message {
    @Override
    public FrameType type() {
      return FrameType.CHECKPOINTED;
    }
  }

  /** Bytes of the item. */
  record Write(Slice bytes) implements Message {
    @Override
    public FrameType type() {
      return FrameType.WRITE;
    }
  }

  /** The next byte begins a chunk. */
  record Cut() implements Message {
    @Override
    public FrameType type() {
      return FrameType.CUT;
    }
  }

  /** Zeros that take no room. */
  record Hole(long lengthBytes) implements Message {
    @Override
    public FrameType type() {
      return FrameType.HOLE;
    }
  }

  /** A range of another item. */
  record Splice(String store, String item, WireId itemId, long offsetBytes, long lengthBytes)
      implements Message {
    @Override
    public FrameType type() {
      return FrameType.SPLICE;
    }
  }

  /** How far the server is. */
  record Position(long takenBytes, long durableBytes) implements Message {
    @Override
    public FrameType type() {
      return FrameType.POSITION;
    }
  }

  /** Makes the upload an item; {@code root} null in high bandwidth. */
  record Commit(
      WireId command,
      @Nullable ObjectRoot root,
      boolean replace,
      SortedMap<String, String> tags,
      int lockDays)
      implements Message {
    @Override
    public FrameType type() {
      return FrameType.COMMIT;
    }
  }

  /**
   * The item is durable.
   *
   * @param warning for whoever asked for it, as it is; empty for none
   */
  record Committed(ItemInfo item, long newBytes, String warning) implements Message {
    @Override
    public FrameType type() {
      return FrameType.COMMITTED;
    }
  }

  /** Must be sent, then the commit again. */
  record Lacking(int nodeCount, byte[] nodes, int dataCount, byte[] data) implements Message {
    /** Most fingerprints of each kind in one answer. */
    public static final int MAX_COUNT = 16_384;

    @Override
    public FrameType type() {
      return FrameType.LACKING;
    }
  }

  /** Drops the upload. */
  record Abort() implements Message {
    @Override
    public FrameType type() {
      return FrameType.ABORT;
    }
  }

  // ---- reading

  /** Opens an item for reading; {@code itemId} {@link WireId#NONE}: whichever version it is. */
  record OpenRead(String store, String item, WireId itemId) implements Message {
    @Override
    public FrameType type() {
      return FrameType.OPEN_READ;
    }
  }

  /** It is open. */
  record ReadOpened(int parameterSet, ItemInfo item) implements Message {
    @Override
    public FrameType type() {
      return FrameType.READ_OPENED;
    }
  }

  /** Asks for a range. */
  record ReadRange(long offsetBytes, long endBytes) implements Message {
    @Override
    public FrameType type() {
      return FrameType.READ_RANGE;
    }
  }

  /** A block in stored form. */
  record ReadBlock(long blockNumber, Slice block) implements Message {
    @Override
    public FrameType type() {
      return FrameType.READ_BLOCK;
    }
  }

  /** Where the next bytes of the range lie. */
  record ReadExtents(long offsetBytes, long baseBlockNumber, Extents extents) implements Message {
    @Override
    public FrameType type() {
      return FrameType.READ_EXTENTS;
    }
  }

  /** The range is over. */
  record RangeEnd() implements Message {
    @Override
    public FrameType type() {
      return FrameType.RANGE_END;
    }
  }

  /** Ends the reading. */
  record CloseRead() implements Message {
    @Override
    public FrameType type() {
      return FrameType.CLOSE_READ;
    }
  }
}
