package onefold.store.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import onefold.chunker.NodeSource;
import onefold.chunker.ObjectRoot;
import onefold.store.Compression;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.ObjectReader;
import onefold.store.ShareTree;
import onefold.store.catalog.CatalogCommand;
import onefold.store.writeback.Ground;
import onefold.store.writeback.ObjectBuilder;

/** What the write-back of a domain has of the engine. */
final class WritebackGround implements Ground {
  /** The kind of the records that say from where on a domain's log is needed. */
  static final String KIND = "writeback";

  private static final byte VERSION = 1;
  private static final int RECORD_BYTES = 1 + Long.BYTES;

  private final Engine engine;
  private final Domain domain;
  private final Trees trees;

  /** Finds the trees of shares. */
  @FunctionalInterface
  interface Trees {
    ShareTree tree(Id shareId) throws IOException;
  }

  WritebackGround(Engine engine, Domain domain, Trees trees) {
    this.engine = engine;
    this.domain = domain;
    this.trees = trees;
  }

  /** Where the log of a domain lies. */
  static String directory(Id domainId) {
    return Domain.directory(domainId) + "/writeback";
  }

  @Override
  public ShareTree tree(Id shareId) throws IOException {
    return trees.tree(shareId);
  }

  @Override
  public ObjectBuilder newBuilder() throws IOException {
    BlockShape shape = BlockShape.of(Compression.LZ4);
    Upload upload = engine.openNameless(domain, shape);
    boolean ready = false;
    try {
      ObjectBuilder builder = new RecipeOfChanges(upload, engine.scheduler(), shape);
      ready = true;
      return builder;
    } finally {
      if (!ready) {
        upload.close();
      }
    }
  }

  @Override
  public ObjectReader openReader(ObjectRoot root) throws IOException {
    return engine.openReader(domain.id(), root);
  }

  @Override
  public Pin pin(ObjectRoot root) throws IOException {
    return domain.pin(root)::release;
  }

  @Override
  public NodeSource nodes() {
    return domain::node;
  }

  @Override
  public void takeSpace(int bytes) throws IOException {
    engine.checkSpace(bytes);
  }

  @Override
  public long keptFrom() throws IOException {
    return keptFrom(domain.id(), engine.findRecord(KIND, domain.id().toString()));
  }

  static long keptFrom(Id domainId, Optional<byte[]> record) throws CorruptDataException {
    if (record.isEmpty()) {
      return 1;
    }
    byte[] value = record.get();
    long position =
        value.length == RECORD_BYTES && value[0] == VERSION
            ? ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong(1)
            : 0;
    if (position < 1) {
      throw new CorruptDataException(
          "record " + KIND + "/" + domainId,
          -1,
          RECORD_BYTES + " bytes of version " + VERSION + " with a position",
          value.length + " bytes" + (value.length > 0 ? " of version " + value[0] : ""));
    }
    return position;
  }

  @Override
  public void keepFrom(long position) throws IOException {
    byte[] value =
        ByteBuffer.allocate(RECORD_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(VERSION)
            .putLong(position)
            .array();
    engine.putRecord(CatalogCommand.NO_ID, KIND, domain.id().toString(), Optional.of(value));
  }

  @Override
  public void garbageLikely() {
    domain.housekeeper().garbageLikely();
  }

  @Override
  public void problem(String what) {
    engine.problem(what);
  }
}
