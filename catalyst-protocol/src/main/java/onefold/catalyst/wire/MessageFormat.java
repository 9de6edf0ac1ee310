package onefold.catalyst.wire;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.function.IntFunction;
import onefold.catalyst.wire.Message.Abort;
import onefold.catalyst.wire.Message.AbortUpload;
import onefold.catalyst.wire.Message.AuthBegin;
import onefold.catalyst.wire.Message.AuthChallenge;
import onefold.catalyst.wire.Message.AuthOutcome;
import onefold.catalyst.wire.Message.AuthProof;
import onefold.catalyst.wire.Message.Block;
import onefold.catalyst.wire.Message.Cancel;
import onefold.catalyst.wire.Message.Checkpoint;
import onefold.catalyst.wire.Message.Checkpointed;
import onefold.catalyst.wire.Message.CloneItem;
import onefold.catalyst.wire.Message.CloseRead;
import onefold.catalyst.wire.Message.Commit;
import onefold.catalyst.wire.Message.Committed;
import onefold.catalyst.wire.Message.Credit;
import onefold.catalyst.wire.Message.Cut;
import onefold.catalyst.wire.Message.DeleteItem;
import onefold.catalyst.wire.Message.Done;
import onefold.catalyst.wire.Message.Failure;
import onefold.catalyst.wire.Message.FindItem;
import onefold.catalyst.wire.Message.GoAway;
import onefold.catalyst.wire.Message.Have;
import onefold.catalyst.wire.Message.HaveAnswer;
import onefold.catalyst.wire.Message.Hello;
import onefold.catalyst.wire.Message.Hold;
import onefold.catalyst.wire.Message.Hole;
import onefold.catalyst.wire.Message.Item;
import onefold.catalyst.wire.Message.ItemPage;
import onefold.catalyst.wire.Message.Lacking;
import onefold.catalyst.wire.Message.ListItems;
import onefold.catalyst.wire.Message.ListStores;
import onefold.catalyst.wire.Message.ListUnfinished;
import onefold.catalyst.wire.Message.Node;
import onefold.catalyst.wire.Message.NodeAnswer;
import onefold.catalyst.wire.Message.OpenRead;
import onefold.catalyst.wire.Message.OpenUpload;
import onefold.catalyst.wire.Message.Ping;
import onefold.catalyst.wire.Message.Pong;
import onefold.catalyst.wire.Message.Position;
import onefold.catalyst.wire.Message.RangeEnd;
import onefold.catalyst.wire.Message.ReadBlock;
import onefold.catalyst.wire.Message.ReadExtents;
import onefold.catalyst.wire.Message.ReadOpened;
import onefold.catalyst.wire.Message.ReadRange;
import onefold.catalyst.wire.Message.Settle;
import onefold.catalyst.wire.Message.Splice;
import onefold.catalyst.wire.Message.Statistics;
import onefold.catalyst.wire.Message.StoreStatistics;
import onefold.catalyst.wire.Message.Stores;
import onefold.catalyst.wire.Message.Unfinished;
import onefold.catalyst.wire.Message.UpdateItem;
import onefold.catalyst.wire.Message.UploadOpened;
import onefold.catalyst.wire.Message.Welcome;
import onefold.catalyst.wire.Message.Write;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;

/** Turns messages into frames and frames into messages. */
public final class MessageFormat {
  /** Least bytes of an item on the wire, for checking counts before allocating. */
  private static final int LEAST_ITEM_BYTES = 2 + 16 + 8 + 41 + 8 + 8 + 1 + 8 + 2;

  private static final int LEAST_STORE_BYTES = 2 + 16 + 2 + 8 + 1 + 4;
  private static final int LEAST_UNFINISHED_BYTES = 16 + 2 + 8 + 8;

  /** Stands on the wire where there is no root. */
  private static final ObjectRoot NO_ROOT = new ObjectRoot(new Fingerprint(0, 0, 0, 0), 0, 0);

  private MessageFormat() {}

  /**
   * Makes a whole frame.
   *
   * @param buffers makes a buffer of a capacity
   * @return a buffer the caller owns; arrays of the message have been copied
   * @throws IllegalArgumentException if it is longer than a frame may be
   */
  public static ByteBuf encode(IntFunction<ByteBuf> buffers, int streamId, Message message) {
    ByteBuf frame = buffers.apply(FrameFormat.HEADER_BYTES + expectedBytes(message));
    try {
      frame.writeIntLE(0);
      frame.writeIntLE(streamId);
      frame.writeByte(message.type().code());
      frame.writeByte(0);
      frame.writeShortLE(0);
      encodePayload(new PayloadWriter(frame), message);
      int payloadBytes = frame.readableBytes() - FrameFormat.HEADER_BYTES;
      if (payloadBytes > FrameFormat.MAX_PAYLOAD_BYTES) {
        throw new IllegalArgumentException(
            message.type() + " of " + payloadBytes + " bytes, at most 1,114,112");
      }
      frame.setIntLE(FrameFormat.LENGTH_OFFSET, payloadBytes);
      return frame;
    } catch (RuntimeException | Error e) {
      frame.release();
      throw e;
    }
  }

  private static int expectedBytes(Message message) {
    return switch (message) {
      case Block(Slice block) -> block.lengthBytes();
      case Write(Slice bytes) -> bytes.lengthBytes();
      case Node m -> 5 + m.node().lengthBytes();
      case ReadBlock m -> 8 + m.block().lengthBytes();
      case ReadExtents m -> 20 + m.extents().count() * Extents.EXTENT_BYTES;
      case Have m -> 5 + m.fingerprints().length;
      case Ping m -> 8 + m.paddingBytes();
      default -> 116;
    };
  }

  private static void encodePayload(PayloadWriter out, Message message) {
    switch (message) {
      case Hello m ->
          out.u32(FrameFormat.HELLO_MAGIC)
              .u16(m.lowestVersion())
              .u16(m.highestVersion())
              .u64(m.epoch())
              .u64(m.features())
              .str(m.software());
      case Welcome m -> {
        out.u16(m.version())
            .u64(m.epoch())
            .u64(m.features())
            .u32(m.maxPayloadBytes())
            .u16(m.maxStreams())
            .u32(m.idleSeconds())
            .str(m.software())
            .u8(m.bindingTypes().size());
        m.bindingTypes().forEach(out::str);
      }
      case AuthBegin m -> out.str(m.mechanism()).bytes(m.clientFirst());
      case AuthChallenge m -> out.bytes(m.serverFirst());
      case AuthProof m -> out.bytes(m.clientFinal());
      case AuthOutcome m -> out.flag(m.ok()).bytes(m.serverFinal());
      case Ping m -> out.u64(m.token()).raw(new byte[m.paddingBytes()], 0, m.paddingBytes());
      case Pong m -> out.u64(m.token());
      case GoAway m -> out.u16(m.code().code()).str(shortened(m.text()));
      case Credit m -> out.u32(m.bytes());
      case Failure m -> out.u16(m.code().code()).str(shortened(m.text()));
      case ListStores m -> out.str(m.after());
      case FindItem m -> out.str(m.store()).str(m.item());
      case ListItems m -> out.str(m.store()).str(m.prefix()).str(m.after()).u32(m.limit());
      case DeleteItem m -> out.id(m.command()).str(m.store()).str(m.item());
      case CloneItem m ->
          out.id(m.command())
              .str(m.store())
              .str(m.item())
              .str(m.targetStore())
              .str(m.targetItem())
              .flag(m.replace());
      case UpdateItem m -> {
        SortedMap<String, String> tags = m.tags();
        out.id(m.command()).str(m.store()).str(m.item()).flag(tags != null);
        if (tags != null) {
          out.tags(tags);
        } else {
          out.u16(0);
        }
        out.u8(m.hold().code()).u32(m.lockDays());
      }
      case ListUnfinished m -> out.str(m.store());
      case AbortUpload m -> out.id(m.command()).str(m.store()).id(m.upload());
      case StoreStatistics m -> out.str(m.store());
      case Stores m -> {
        out.flag(m.more()).u16(m.stores().size());
        for (StoreInfo store : m.stores()) {
          out.str(store.name())
              .id(store.domainId())
              .u16(store.parameterSet())
              .u64(store.quotaBytes())
              .u8(store.compression().code())
              .u32(store.lockDays());
        }
      }
      case Item m -> item(out, m.item());
      case ItemPage m -> {
        out.flag(m.more()).u32(m.items().size());
        for (ItemInfo item : m.items()) {
          item(out, item);
        }
      }
      case Unfinished m -> {
        out.u32(m.uploads().size());
        for (UnfinishedInfo upload : m.uploads()) {
          out.id(upload.uploadId())
              .str(upload.itemName())
              .u64(upload.durableBytes())
              .u64(upload.createdAtMillis());
        }
      }
      case Statistics m ->
          out.u64(m.usage().itemCount())
              .u64(m.usage().logicalBytes())
              .u64(m.usage().unfinishedCount())
              .u64(m.usage().unfinishedBytes());
      case OpenUpload m ->
          out.str(m.store())
              .str(m.item())
              .flag(m.highBandwidth())
              .flag(m.replace())
              .u8(m.compression().code())
              .flag(!m.resume().equals(WireId.NONE))
              .id(m.resume());
      case UploadOpened m -> {
        ObjectRoot resumedFrom = m.resumedFrom();
        out.id(m.upload())
            .u16(m.parameterSet())
            .u8(m.compression().code())
            .flag(resumedFrom != null)
            .root(resumedFrom == null ? NO_ROOT : resumedFrom)
            .u64(m.positionBytes())
            .u64(m.durableBytes());
      }
      case Have m ->
          out.u8(m.kind().code())
              .u32(m.count())
              .raw(m.fingerprints(), 0, m.count() * Fingerprint.BYTES);
      case HaveAnswer m -> out.bits(m.present());
      case Node m -> out.u32(m.number()).u8(m.level()).slice(m.node());
      case Settle m -> out.u32(m.number());
      case NodeAnswer m -> out.u32(m.number()).bits(m.lacking());
      case Block m -> out.slice(m.block());
      case Checkpoint m -> out.u64(m.number()).root(m.root());
      case Checkpointed m -> out.u64(m.number()).u64(m.durableBytes());
      case Write m -> out.slice(m.bytes());
      case Hole m -> out.u64(m.lengthBytes());
      case Splice m ->
          out.str(m.store()).str(m.item()).id(m.itemId()).u64(m.offsetBytes()).u64(m.lengthBytes());
      case Position m -> out.u64(m.takenBytes()).u64(m.durableBytes());
      case Commit m -> {
        ObjectRoot root = m.root();
        out.id(m.command())
            .flag(root != null)
            .root(root == null ? NO_ROOT : root)
            .flag(m.replace())
            .tags(m.tags())
            .u32(m.lockDays());
      }
      case Committed m -> {
        item(out, m.item());
        out.u64(m.newBytes()).str(m.warning());
      }
      case Lacking m ->
          out.u32(m.nodeCount())
              .raw(m.nodes(), 0, m.nodeCount() * Fingerprint.BYTES)
              .u32(m.dataCount())
              .raw(m.data(), 0, m.dataCount() * Fingerprint.BYTES);
      case OpenRead m -> out.str(m.store()).str(m.item()).id(m.itemId());
      case ReadOpened m -> {
        out.u16(m.parameterSet());
        item(out, m.item());
      }
      case ReadRange m -> out.u64(m.offsetBytes()).u64(m.endBytes());
      case ReadBlock m -> out.u64(m.blockNumber()).slice(m.block());
      case ReadExtents m ->
          out.u64(m.offsetBytes())
              .u64(m.baseBlockNumber())
              .u32(m.extents().count())
              .raw(m.extents().array(), 0, m.extents().count() * Extents.EXTENT_BYTES);
      case Cancel m -> {}
      case Done m -> {}
      case Cut m -> {}
      case Abort m -> {}
      case RangeEnd m -> {}
      case CloseRead m -> {}
    }
  }

  /** Error texts may quote what a user typed; they never grow beyond 8 KiB. */
  private static String shortened(String text) {
    return text.length() <= 4096 ? text : text.substring(0, 4096) + "…";
  }

  private static void item(PayloadWriter out, ItemInfo item) {
    out.str(item.name())
        .id(item.id())
        .u64(item.version())
        .root(item.root())
        .u64(item.createdAtMillis())
        .u64(item.lockedUntilMillis())
        .flag(item.held())
        .u64(item.newBytes())
        .tags(item.tags());
  }

  /**
   * Reads a frame.
   *
   * @throws WireException {@code PROTOCOL_ERROR} or {@code INVALID_NAME} if the payload is
   *     malformed
   */
  static Message decode(Frame frame) throws WireException {
    var in = new PayloadReader(frame.type(), frame.payload());
    Message message = decodePayload(in, frame.type());
    in.end();
    return message;
  }

  private static Message decodePayload(PayloadReader in, FrameType type) throws WireException {
    return switch (type) {
      case HELLO -> {
        int magic = in.rawInt("magic");
        if (magic != FrameFormat.HELLO_MAGIC) {
          throw WireException.malformed(
              "HELLO begins with " + Integer.toHexString(magic) + ", expected 3143464f");
        }
        yield new Hello(
            in.u16("lowest version"),
            in.u16("highest version"),
            in.rawLong("epoch"),
            in.rawLong("features"),
            in.str("software"));
      }
      case WELCOME -> {
        int version = in.u16("version");
        long epoch = in.rawLong("epoch");
        long features = in.rawLong("features");
        int maxPayloadBytes = in.u32("greatest payload");
        int maxStreams = in.u16("streams");
        int idleSeconds = in.u32("idle seconds");
        String software = in.str("software");
        int n = in.count(in.u8("binding types"), 2, "binding types");
        var bindingTypes = new ArrayList<String>(n);
        for (int i = 0; i < n; i++) {
          bindingTypes.add(in.str("binding type"));
        }
        yield new Welcome(
            version,
            epoch,
            features,
            maxPayloadBytes,
            maxStreams,
            idleSeconds,
            software,
            List.copyOf(bindingTypes));
      }
      case AUTH_BEGIN -> new AuthBegin(in.str("mechanism"), in.bytes("client first"));
      case AUTH_CHALLENGE -> new AuthChallenge(in.bytes("server first"));
      case AUTH_PROOF -> new AuthProof(in.bytes("client final"));
      case AUTH_OUTCOME -> new AuthOutcome(in.flag("ok"), in.bytes("server final"));
      case PING -> {
        long token = in.rawLong("token");
        yield new Ping(token, in.rest().lengthBytes());
      }
      case PONG -> new Pong(in.rawLong("token"));
      case GOAWAY -> new GoAway(ErrorCode.of(in.u16("error")), in.str("text"));
      case CREDIT -> {
        int bytes = in.u32("credit");
        if (bytes == 0) {
          throw WireException.malformed("CREDIT of 0 bytes");
        }
        yield new Credit(bytes);
      }
      case CANCEL -> new Cancel();
      case ERROR -> new Failure(ErrorCode.of(in.u16("error")), in.str("text"));
      case LIST_STORES -> new ListStores(in.str("after"));
      case FIND_ITEM -> new FindItem(in.str("store"), in.str("item"));
      case LIST_ITEMS ->
          new ListItems(in.str("store"), in.str("prefix"), in.str("after"), in.u32("limit"));
      case DELETE_ITEM -> new DeleteItem(in.id("command"), in.str("store"), in.str("item"));
      case CLONE_ITEM ->
          new CloneItem(
              in.id("command"),
              in.str("store"),
              in.str("item"),
              in.str("target store"),
              in.str("target item"),
              in.flag("mode"));
      case UPDATE_ITEM -> {
        WireId command = in.id("command");
        String store = in.str("store");
        String item = in.str("item");
        boolean tagsGiven = in.flag("tags given");
        SortedMap<String, String> tags = in.tags();
        Hold hold = Hold.of(in.u8("hold"));
        yield new UpdateItem(
            command, store, item, tagsGiven ? tags : null, hold, in.u32("lock days"));
      }
      case LIST_UNFINISHED -> new ListUnfinished(in.str("store"));
      case ABORT_UPLOAD -> new AbortUpload(in.id("command"), in.str("store"), in.id("upload"));
      case STORE_STATISTICS -> new StoreStatistics(in.str("store"));
      case STORES -> {
        boolean more = in.flag("more");
        int n = in.count(in.u16("stores"), LEAST_STORE_BYTES, "stores");
        var stores = new ArrayList<StoreInfo>(n);
        for (int i = 0; i < n; i++) {
          stores.add(
              new StoreInfo(
                  in.str("store"),
                  in.id("domain"),
                  in.u16("parameter set"),
                  in.u64("quota"),
                  CompressionChoice.of(in.u8("compression")),
                  in.u32("lock days")));
        }
        yield new Stores(more, List.copyOf(stores));
      }
      case ITEM -> new Item(item(in));
      case ITEM_PAGE -> {
        boolean more = in.flag("more");
        int n = in.count(in.u32("items"), LEAST_ITEM_BYTES, "items");
        var items = new ArrayList<ItemInfo>(n);
        for (int i = 0; i < n; i++) {
          items.add(item(in));
        }
        yield new ItemPage(more, List.copyOf(items));
      }
      case DONE -> new Done();
      case UNFINISHED -> {
        int n = in.count(in.u32("uploads"), LEAST_UNFINISHED_BYTES, "uploads");
        var uploads = new ArrayList<UnfinishedInfo>(n);
        for (int i = 0; i < n; i++) {
          uploads.add(
              new UnfinishedInfo(
                  in.id("upload"), in.str("item"), in.u64("durable bytes"), in.u64("created")));
        }
        yield new Unfinished(List.copyOf(uploads));
      }
      case STATISTICS ->
          new Statistics(
              new StoreUsage(
                  in.u64("items"),
                  in.u64("logical bytes"),
                  in.u64("unfinished uploads"),
                  in.u64("unfinished bytes")));
      case OPEN_UPLOAD -> {
        String store = in.str("store");
        String item = in.str("item");
        boolean highBandwidth = in.flag("bandwidth");
        boolean replace = in.flag("mode");
        CompressionChoice compression = CompressionChoice.of(in.u8("compression"));
        boolean resume = in.flag("resume");
        WireId upload = in.id("upload");
        yield new OpenUpload(
            store, item, highBandwidth, replace, compression, resume ? upload : WireId.NONE);
      }
      case UPLOAD_OPENED -> {
        WireId upload = in.id("upload");
        int parameterSet = in.u16("parameter set");
        CompressionChoice compression = CompressionChoice.of(in.u8("compression"));
        boolean resumed = in.flag("resumed");
        ObjectRoot root = in.root("checkpoint");
        yield new UploadOpened(
            upload,
            parameterSet,
            compression,
            resumed ? root : null,
            in.u64("position"),
            in.u64("durable position"));
      }
      case HAVE -> {
        ChunkKind kind = kind(in.u8("kind"));
        int n = in.u32("fingerprints");
        if (n > Have.MAX_COUNT) {
          throw new WireException(
              ErrorCode.TOO_LARGE, "HAVE of " + n + " fingerprints, at most " + Have.MAX_COUNT);
        }
        yield new Have(kind, n, in.slots(n, Fingerprint.BYTES, "fingerprints"));
      }
      case HAVE_ANSWER -> new HaveAnswer(in.bits("present"));
      case NODE -> {
        int number = in.rawInt("number");
        int level = in.u8("level");
        if (level > ObjectRoot.MAX_LEVEL) {
          throw WireException.malformed("NODE of level " + level);
        }
        yield new Node(number, level, in.rest());
      }
      case SETTLE -> new Settle(in.rawInt("number"));
      case NODE_ANSWER -> new NodeAnswer(in.rawInt("number"), in.bits("lacking"));
      case BLOCK -> new Block(in.rest());
      case CHECKPOINT -> new Checkpoint(in.u64("number"), in.root("root"));
      case CHECKPOINTED -> new Checkpointed(in.u64("number"), in.u64("durable bytes"));
      case WRITE -> new Write(in.rest());
      case CUT -> new Cut();
      case HOLE -> new Hole(in.u64("length"));
      case SPLICE ->
          new Splice(
              in.str("store"),
              in.str("item"),
              in.id("item id"),
              in.u64("offset"),
              in.u64("length"));
      case POSITION -> new Position(in.u64("position"), in.u64("durable position"));
      case COMMIT -> {
        WireId command = in.id("command");
        boolean rootGiven = in.flag("root given");
        ObjectRoot root = in.root("root");
        yield new Commit(
            command, rootGiven ? root : null, in.flag("mode"), in.tags(), in.u32("lock days"));
      }
      case COMMITTED -> new Committed(item(in), in.u64("new bytes"), in.str("warning"));
      case LACKING -> {
        int nodeCount = in.u32("nodes");
        byte[] nodes = in.slots(nodeCount, Fingerprint.BYTES, "nodes");
        int dataCount = in.u32("data chunks");
        byte[] data = in.slots(dataCount, Fingerprint.BYTES, "data chunks");
        yield new Lacking(nodeCount, nodes, dataCount, data);
      }
      case ABORT -> new Abort();
      case OPEN_READ -> new OpenRead(in.str("store"), in.str("item"), in.id("item id"));
      case READ_OPENED -> new ReadOpened(in.u16("parameter set"), item(in));
      case READ_RANGE -> new ReadRange(in.u64("offset"), in.u64("end"));
      case READ_BLOCK -> new ReadBlock(in.u64("block number"), in.rest());
      case READ_EXTENTS -> {
        long offset = in.u64("offset");
        long base = in.u64("base block number");
        int n = in.u32("extents");
        byte[] slots = in.slots(n, Extents.EXTENT_BYTES, "extents");
        yield new ReadExtents(offset, base, Extents.received(slots, n));
      }
      case RANGE_END -> new RangeEnd();
      case CLOSE_READ -> new CloseRead();
    };
  }

  private static ChunkKind kind(int code) throws WireException {
    return switch (code) {
      case 1 -> ChunkKind.DATA;
      case 2 -> ChunkKind.NODE;
      default -> throw WireException.malformed("chunk kind " + code + ", known are 1 and 2");
    };
  }

  private static ItemInfo item(PayloadReader in) throws WireException {
    return new ItemInfo(
        in.str("item"),
        in.id("id"),
        in.u64("version"),
        in.root("root"),
        in.u64("created"),
        in.u64("locked until"),
        in.flag("held"),
        in.u64("new bytes"),
        in.tags());
  }
}
