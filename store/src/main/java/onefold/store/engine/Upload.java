package onefold.store.engine;

import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import onefold.block.BlockBuilder;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.chunker.ChunkKind;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.NodeFormatException;
import onefold.chunker.NodeReader;
import onefold.chunker.NodeSource;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.store.Checkpoint;
import onefold.store.CommitMode;
import onefold.store.CommitOutcome;
import onefold.store.CommitRequest;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.IngestSession;
import onefold.store.ItemRecord;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreRecord;
import onefold.store.catalog.CatalogCommand;
import onefold.store.catalog.CatalogReply;
import onefold.store.index.Places;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.SchedulerLock;
import org.jspecify.annotations.Nullable;

/**
 * One upload, the way into the store that all front-ends share.
 *
 * <p>Nodes are gathered into a block of their own before they are appended; until then they are in
 * nobody's reach but this upload's. Data blocks are appended as they come.
 *
 * <p>One thread at a time uploads; housekeeping reads the have-list meanwhile, under the lock.
 */
final class Upload implements IngestSession {
  /** Raw bytes of nodes that are gathered into one block; the mark reads node blocks whole. */
  private static final int NODE_BLOCK_BYTES = 32 << 10;

  /** Answers kept at most: two intervals that wait for their checkpoints, and the growing one. */
  private static final int MAX_KEPT_ANSWERS = 3 * MAX_HAVE_ANSWERS;

  /**
   * Answers kept at most for the recipe of a share's object, which has no checkpoints: its changes
   * are bounded, and so are they.
   */
  private static final int MAX_NAMELESS_ANSWERS = 1 << 22;

  private final Engine engine;
  private final Domain domain;
  private final StoreRecord store;
  private final String itemName;
  private final Id uploadId;
  private final Optional<Checkpoint> resumedFrom;
  private final long createdAtMillis;
  private final BlockShape shape;
  private final int lane;

  /** Whether what it stores gets its name in a share's tree, not by a commit of an item. */
  private final boolean nameless;

  /** Whether the upload builds its nodes itself, from chunks that it has asked for one by one. */
  private final boolean ownTrees;

  /** Whether bytes are compared before a chunk is shared. */
  private final boolean verifies;

  private final SchedulerLock lock;

  private final HaveList answers = new HaveList(); // guarded by lock

  private HaveList.@Nullable Interval keptInterval; // guarded by lock

  private @Nullable Promise<Checkpoint> underWay; // guarded by lock

  private long durableBytes; // guarded by lock

  private volatile boolean superseded;
  private volatile boolean leavesGarbage = true;

  private final Places places = new Places(256);
  private final FingerprintBatch one = new FingerprintBatch(ChunkKind.NODE, 1);
  private final FingerprintBatch children = new FingerprintBatch(ChunkKind.NODE, 512);
  private final FingerprintBatch leaves = new FingerprintBatch(ChunkKind.DATA, 512);
  private final Places childPlaces = new Places(512);
  private final NodeReader nodeReader = new NodeReader();
  private final Fingerprinter fingerprinter;
  private final byte[] nodeFingerprint = new byte[Fingerprint.BYTES];

  /** The node that was taken last: of a tree brought bottom up, its root. */
  private @Nullable Fingerprint lastTaken;

  private @Nullable BlockReader blockReader;
  private final FingerprintBatch blockChunks = new FingerprintBatch(ChunkKind.DATA, 64);

  /** Nodes that are not appended yet, one behind another. */
  private byte[] gathered = {};

  private int gatheredBytes;
  private final FingerprintBatch gatheredNodes = new FingerprintBatch(ChunkKind.NODE, 16);

  /** Nodes stored while found nodes are not trusted. */
  private final FingerprintSet ownNodes = new FingerprintSet(8);

  private long sequence;
  private long newBytes;
  private boolean ended;

  Upload(
      Engine engine,
      Domain domain,
      StoreRecord store,
      String itemName,
      Id uploadId,
      Optional<Checkpoint> resumedFrom,
      BlockShape shape,
      boolean ownTrees,
      boolean verifies,
      boolean nameless,
      long createdAtMillis) {
    this.engine = engine;
    this.domain = domain;
    this.store = store;
    this.itemName = itemName;
    this.uploadId = uploadId;
    this.resumedFrom = resumedFrom;
    this.shape = shape;
    this.ownTrees = ownTrees;
    this.verifies = verifies;
    this.nameless = nameless;
    this.leavesGarbage = !nameless; // Its maker says so when it has replaced much.
    this.lane = domain.takeLane();
    this.createdAtMillis = createdAtMillis;
    this.lock = engine.scheduler().lock("upload");
    this.fingerprinter = new Fingerprinter(domain.parameterSet());
    if (resumedFrom.isPresent()) {
      sequence = resumedFrom.get().sequence();
      durableBytes = resumedFrom.get().root().lengthBytes();
    }
  }

  // ---- the face

  @Override
  public Id uploadId() {
    return uploadId;
  }

  @Override
  public ParameterSet parameterSet() {
    return domain.parameterSet();
  }

  @Override
  public Optional<Checkpoint> resumedFrom() {
    return resumedFrom;
  }

  @Override
  public long newBytes() {
    return newBytes;
  }

  @Override
  public long[] have(FingerprintBatch batch) throws IOException {
    checkOpen();
    waitForRoom(batch.count());
    answer(batch, places);
    long[] bits = new long[(batch.count() + 63) >>> 6];
    for (int i = 0; i < batch.count(); i++) {
      if (places.isPresent(i) || isGathered(batch, i)) {
        bits[i >>> 6] |= 1L << i;
      }
    }
    return bits;
  }

  @Override
  public long[] putNode(int level, byte[] node, int offset, int lengthBytes) throws IOException {
    checkOpen();
    try {
      nodeReader.reset(node, offset, lengthBytes);
    } catch (NodeFormatException e) {
      throw new RefusedException(Reason.INVALID_REQUEST, "not a recipe node: " + e.getMessage());
    }
    if (nodeReader.level() != level
        || nodeReader.parameterSet().number() != domain.parameterSet().number()) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          "a node of level "
              + nodeReader.level()
              + " and parameter set "
              + nodeReader.parameterSet().number()
              + ", expected level "
              + level
              + " and set "
              + domain.parameterSet().number());
    }
    int entries = nodeReader.entryCount();
    FingerprintBatch below = level == 0 ? leaves : children;
    below.clear();
    while (nodeReader.next()) {
      switch (nodeReader.entryType()) {
        case CHUNK, SLICE ->
            below.add(node, nodeReader.fingerprintOffset(), nodeReader.chunkLengthBytes());
        case CHILD -> below.add(node, nodeReader.fingerprintOffset(), 0);
        case HOLE, RESERVED -> {}
      }
    }
    waitForRoom(below.count() + 1);
    long[] lacking = new long[(entries + 63) >>> 6];
    boolean complete = true;
    if (below.count() > 0) {
      answer(below, childPlaces);
      nodeReader.rewind();
      int row = 0;
      for (int i = 0; nodeReader.next(); i++) {
        EntryType type = nodeReader.entryType();
        if (type != EntryType.HOLE && type != EntryType.RESERVED) {
          if (!childPlaces.isPresent(row) && !isGathered(below, row)) {
            lacking[i >>> 6] |= 1L << i;
            complete = false;
          } else if (level == 0
              && childPlaces.isPresent(row)
              && childPlaces.lengths()[row] != nodeReader.chunkLengthBytes()) {
            throw new RefusedException(
                Reason.INVALID_REQUEST,
                "entry "
                    + i
                    + " says its chunk has "
                    + nodeReader.chunkLengthBytes()
                    + " bytes, it has "
                    + childPlaces.lengths()[row]);
          }
          row++;
        }
      }
    }
    if (complete) {
      if (level > 0) {
        checkChildren(node);
      }
      fingerprinter.fingerprint(node, offset, lengthBytes, nodeFingerprint, 0);
      storeNode(node, offset, lengthBytes, nodeFingerprint);
      lastTaken = Fingerprint.of(nodeFingerprint, 0);
    }
    return lacking;
  }

  /** A node must not say of its children what they do not say of themselves. */
  private void checkChildren(byte[] node) throws IOException {
    NodeReader child = new NodeReader();
    NodeSource source = nodes();
    nodeReader.rewind();
    while (nodeReader.next()) {
      byte[] bytes = source.node(node, nodeReader.fingerprintOffset());
      child.reset(bytes, 0, bytes.length);
      if (child.level() != nodeReader.level() - 1
          || child.coveredBytes() != nodeReader.lengthBytes()) {
        throw new RefusedException(
            Reason.INVALID_REQUEST,
            "entry "
                + nodeReader.index()
                + " says its child has level "
                + (nodeReader.level() - 1)
                + " over "
                + nodeReader.lengthBytes()
                + " bytes, it has level "
                + child.level()
                + " over "
                + child.coveredBytes());
      }
    }
  }

  @Override
  public FingerprintBatch putBlock(byte[] block, int offset, int lengthBytes) throws IOException {
    checkOpen();
    BlockReader reader = blockReader;
    if (reader == null) {
      reader = new BlockReader();
      blockReader = reader;
    }
    byte[] raw;
    try {
      reader.parse(block, offset, lengthBytes);
      if (reader.kind() != ChunkKind.DATA) {
        throw new RefusedException(Reason.INVALID_REQUEST, "a block of nodes, expected data");
      }
      raw = reader.decompress();
    } catch (BlockFormatException e) {
      throw new RefusedException(Reason.INVALID_REQUEST, "not a block: " + e.getMessage());
    }
    int count = reader.chunkCount();
    int maxBytes = domain.parameterSet().maxBytes();
    for (int i = 0; i < count; i++) {
      if (reader.chunkLengths()[i] > maxBytes) {
        throw new RefusedException(
            Reason.INVALID_REQUEST,
            "chunk of " + reader.chunkLengths()[i] + " bytes, at most " + maxBytes);
      }
    }
    waitForRoom(count);
    blockChunks.setCount(count);
    System.arraycopy(reader.chunkLengths(), 0, blockChunks.lengths(), 0, count);
    fingerprinter.fingerprint(
        raw, 0, blockChunks.lengths(), 0, count, blockChunks.fingerprints(), 0);
    answer(blockChunks, places);
    long lackingBytes = 0;
    for (int i = 0; i < count; i++) {
      if (!places.isPresent(i)) {
        lackingBytes += blockChunks.lengths()[i];
      }
    }
    if (lackingBytes * 2 >= reader.rawBytes()) {
      storeData(block, offset, lengthBytes, blockChunks, lackingBytes);
    } else if (lackingBytes > 0) {
      storeLacking(raw);
    }
    return blockChunks;
  }

  /** Builds a block of the lacking chunks only. */
  private void storeLacking(byte[] raw) throws IOException {
    FingerprintBatch lacking = new FingerprintBatch(ChunkKind.DATA, 16);
    FingerprintSet seen = new FingerprintSet(16);
    try (BlockBuilder builder = shape.newBuilder(ChunkKind.DATA)) {
      int at = 0;
      for (int i = 0; i < blockChunks.count(); i++) {
        int length = blockChunks.lengths()[i];
        int slot = i * Fingerprint.BYTES;
        if (!places.isPresent(i) && seen.add(blockChunks.fingerprints(), slot)) {
          builder.add(raw, at, length);
          lacking.add(blockChunks.fingerprints(), slot, length);
        }
        at += length;
      }
      int length = builder.encode();
      storeData(builder.bytes(), 0, length, lacking, builder.rawBytes());
    }
  }

  @Override
  public CompletionStage<Checkpoint> checkpoint(ObjectRoot root) {
    try {
      checkOpen();
      HaveList.Interval covered;
      lock.lock();
      try {
        // What was answered since the last request may lie ahead of this root, so it is kept until
        // the next checkpoint is durable.
        covered = keptInterval;
        keptInterval = answers.seal();
      } finally {
        lock.unlock();
      }
      return checkpoint(root, covered).toCompletionStage();
    } catch (IOException e) {
      Promise<Checkpoint> failed = engine.scheduler().promise();
      failed.fail(e);
      return failed.toCompletionStage();
    }
  }

  @Override
  public CommitOutcome commit(ObjectRoot root, CommitRequest request) throws IOException {
    checkOpen();
    flushNodes();
    FingerprintBatch goneNodes = new FingerprintBatch(ChunkKind.NODE, 8);
    FingerprintBatch goneData = new FingerprintBatch(ChunkKind.DATA, 8);
    findGone(goneNodes, goneData);
    if (goneNodes.count() + goneData.count() > 0) {
      return new CommitOutcome.Lacking(goneNodes, goneData);
    }
    if (!isKept(root.node())) {
      if (!root.node().equals(lastTaken)) {
        throw new RefusedException(
            Reason.INVALID_REQUEST, "the root " + root.node() + " has not been stored");
      }
      // It was here, and has been swept or found damaged since.
      goneNodes.add(root.node(), 0);
      return new CommitOutcome.Lacking(goneNodes, goneData);
    }
    checkTree(root);
    boolean replaces =
        request.mode() == CommitMode.REPLACE && engine.findItem(store.id(), itemName).isPresent();
    CatalogReply reply =
        engine
            .committer()
            .submit(
                domain,
                new CatalogCommand.CommitItem(
                    engine.stamp(request.commandId()),
                    store.id(),
                    itemName,
                    uploadId,
                    root,
                    request.mode(),
                    request.tags(),
                    request.lockDays(),
                    newBytes,
                    uploadId))
            .await();
    CommitOutcome outcome = committed(reply);
    leavesGarbage = replaces;
    end();
    return outcome;
  }

  /** Whether it has replaced something, or has stored what nothing names. */
  boolean leavesGarbage() {
    return leavesGarbage;
  }

  private static CommitOutcome committed(CatalogReply reply) throws RefusedException {
    return switch (reply.orThrow()) {
      case CatalogReply.ItemResult(ItemRecord item) -> new CommitOutcome.Committed(item);
      case CatalogReply.Nothing(),
          CatalogReply.DomainResult _,
          CatalogReply.StoreResult _,
          CatalogReply.ShareResult _,
          CatalogReply.UploadResult _ ->
          throw new RefusedException(
              Reason.INVALID_REQUEST, "the command's id was used for another command");
    };
  }

  @Override
  public void abort() throws IOException {
    if (ended) {
      return;
    }
    end();
    CatalogReply reply =
        engine
            .committer()
            .submit(
                domain, new CatalogCommand.EndUpload(engine.stamp(CatalogCommand.NO_ID), uploadId))
            .await();
    switch (reply) {
      case CatalogReply.Done _ -> {}
      case CatalogReply.Refused(Reason reason, String message) -> {
        if (reason != Reason.NOT_FOUND) { // Then no root of it was ever saved, or it is ended.
          throw new RefusedException(reason, message);
        }
      }
    }
  }

  @Override
  public void close() {
    end();
  }

  private void end() {
    if (!ended) {
      ended = true;
      engine.uploadEnded(this, domain);
      if (blockReader != null) {
        blockReader.close();
        blockReader = null;
      }
    }
  }

  /** Says that a newer upload of the same name has taken this one's place. */
  void supersede() {
    superseded = true;
  }

  int lane() {
    return lane;
  }

  Id storeId() {
    return store.id();
  }

  String itemName() {
    return itemName;
  }

  private void checkOpen() throws IOException {
    if (ended) {
      throw new IOException("the upload of '" + itemName + "' has ended");
    }
    if (superseded) {
      throw new RefusedException(
          Reason.CONFLICT,
          "a newer upload of '" + itemName + "' has begun; this one has ended, send it again");
    }
    engine.checkWritable();
  }

  // ---- what the writer of plain streams uses

  /** Where nodes are read from, those that are not appended yet included. */
  NodeSource nodes() {
    return (fingerprints, offset) -> {
      int at = 0;
      for (int i = 0; i < gatheredNodes.count(); i++) {
        int length = gatheredNodes.lengths()[i];
        if (isSame(gatheredNodes, i, fingerprints, offset)) {
          return Arrays.copyOfRange(gathered, at, at + length);
        }
        at += length;
      }
      return domain.node(fingerprints, offset);
    };
  }

  long durableBytes() {
    lock.lock();
    try {
      return durableBytes;
    } finally {
      lock.unlock();
    }
  }

  /** Answers since the last checkpoint was asked for. */
  int growingAnswers() {
    lock.lock();
    try {
      return answers.growingCount();
    } finally {
      lock.unlock();
    }
  }

  /** Ends an interval of answers, for a checkpoint that covers them all. */
  HaveList.Interval sealInterval() {
    lock.lock();
    try {
      return answers.seal();
    } finally {
      lock.unlock();
    }
  }

  /** Looks chunks up and keeps what is present, as a have-answer does. */
  void answer(FingerprintBatch batch, Places into) throws IOException {
    long sweeps;
    do {
      sweeps = domain.endedSweeps();
      domain.lookup(batch, into);
      distrust(batch, into);
      if (keep(batch, into)) {
        // Only now: a cycle of housekeeping that begins here finds the answers in the list.
        domain.protect(batch, into);
      }
    } while (domain.endedSweeps() != sweeps);
  }

  /** Keeps what is present, and says whether anything is. */
  private boolean keep(FingerprintBatch batch, Places found) {
    boolean any = false;
    lock.lock();
    try {
      for (int i = 0; i < batch.count(); i++) {
        if (found.isPresent(i)) {
          any = true;
          answers.add(
              batch.kind(), batch.fingerprints(), i * Fingerprint.BYTES, batch.lengths()[i]);
        }
      }
    } finally {
      lock.unlock();
    }
    return any;
  }

  /**
   * Takes back answers about nodes that may have something damaged below them, but for those whose
   * children this upload has been asked for since.
   */
  private void distrust(FingerprintBatch batch, Places into) {
    if (batch.kind() == ChunkKind.NODE && !ownTrees && !domain.trustsNodes()) {
      for (int i = 0; i < batch.count(); i++) {
        if (into.isPresent(i) && !ownNodes.contains(batch.fingerprints(), i * Fingerprint.BYTES)) {
          into.containerNumbers()[i] = Places.ABSENT;
        }
      }
    }
  }

  /**
   * Keeps the source of a splice alive until a checkpoint covers what was taken from it.
   *
   * @throws CorruptDataException if its root is nowhere, and a damage may be why
   * @throws RefusedException with {@link Reason#NOT_FOUND} if it has been deleted
   */
  void openSpliceSource(ObjectRoot source) throws IOException {
    waitForRoom(1);
    if (!isKept(source.node())) {
      CorruptDataException damage = domain.damageBehind(ChunkKind.NODE, source.node().toBytes(), 0);
      if (damage != null) {
        throw damage;
      }
      throw new RefusedException(
          Reason.NOT_FOUND, "the object to splice from is not in this domain any more");
    }
    checkTree(source);
  }

  /** Appends a block of data chunks that are all new. */
  void storeData(byte[] block, int offset, int lengthBytes, FingerprintBatch chunks)
      throws IOException {
    long rawBytes = 0;
    for (int i = 0; i < chunks.count(); i++) {
      rawBytes += chunks.lengths()[i];
    }
    storeData(block, offset, lengthBytes, chunks, rawBytes);
  }

  private void storeData(
      byte[] block, int offset, int lengthBytes, FingerprintBatch chunks, long lackingBytes)
      throws IOException {
    checkOpen();
    engine.checkSpace(lengthBytes);
    lock.lock();
    try {
      if (!answers.storesData()) {
        answers.storesDataFrom(domain.lowestOpenDataContainer());
      }
    } finally {
      lock.unlock();
    }
    if (verifies) {
      storeCompared(ChunkKind.DATA, block, offset, lengthBytes, chunks);
    } else {
      domain.append(ChunkKind.DATA, lane, block, offset, lengthBytes, chunks);
    }
    newBytes += lackingBytes;
  }

  /** Stores a node whose children this upload itself has stored or been told present. */
  void storeOwnNode(int level, byte[] node, int lengthBytes, byte[] fingerprint)
      throws IOException {
    one.clear();
    one.add(fingerprint, 0, lengthBytes);
    int gatheredRow = gatheredRow(one, 0);
    if (gatheredRow >= 0) {
      if (verifies) {
        int at = gatheredStart(gatheredRow);
        checkSame(one, 0, node, 0, gathered, at, gatheredNodes.lengths()[gatheredRow]);
      }
      return;
    }
    waitForRoom(1);
    answer(one, childPlaces);
    if (!childPlaces.isPresent(0) || (verifies && !isStoredSame(one, 0, node, 0))) {
      storeNode(node, 0, lengthBytes, fingerprint);
    }
  }

  private void storeNode(byte[] node, int offset, int lengthBytes, byte[] fingerprint)
      throws IOException {
    if (!ownTrees && !domain.trustsNodes()) {
      ownNodes.add(fingerprint, 0);
    }
    if (gatheredBytes + lengthBytes > NODE_BLOCK_BYTES) {
      flushNodes();
    }
    if (gathered.length < gatheredBytes + lengthBytes) {
      gathered =
          Arrays.copyOf(
              gathered,
              Math.max(
                  gatheredBytes + lengthBytes, Math.min(NODE_BLOCK_BYTES, 2 * gathered.length)));
    }
    System.arraycopy(node, offset, gathered, gatheredBytes, lengthBytes);
    gatheredBytes += lengthBytes;
    gatheredNodes.add(fingerprint, 0, lengthBytes);
    lock.lock();
    try {
      answers.add(ChunkKind.NODE, fingerprint, 0, lengthBytes);
    } finally {
      lock.unlock();
    }
  }

  /** Appends the nodes that are only gathered, after which others find them. */
  void flushNodes() throws IOException {
    if (gatheredBytes == 0) {
      return;
    }
    engine.checkSpace(gatheredBytes);
    try (BlockBuilder builder = shape.newBuilder(ChunkKind.NODE)) {
      int at = 0;
      for (int i = 0; i < gatheredNodes.count(); i++) {
        builder.add(gathered, at, gatheredNodes.lengths()[i]);
        at += gatheredNodes.lengths()[i];
      }
      int length = builder.encode();
      if (verifies) {
        storeCompared(ChunkKind.NODE, builder.bytes(), 0, length, gatheredNodes);
      } else {
        domain.append(ChunkKind.NODE, lane, builder.bytes(), 0, length, gatheredNodes);
      }
    }
    gatheredNodes.clear();
    gatheredBytes = 0;
  }

  private boolean isGathered(FingerprintBatch batch, int row) {
    return gatheredRow(batch, row) >= 0;
  }

  /** Which of the nodes that are not appended yet it is, or -1. */
  private int gatheredRow(FingerprintBatch batch, int row) {
    if (batch.kind() == ChunkKind.NODE) {
      for (int i = 0; i < gatheredNodes.count(); i++) {
        if (isSame(gatheredNodes, i, batch.fingerprints(), row * Fingerprint.BYTES)) {
          return i;
        }
      }
    }
    return -1;
  }

  private int gatheredStart(int row) {
    int at = 0;
    for (int i = 0; i < row; i++) {
      at += gatheredNodes.lengths()[i];
    }
    return at;
  }

  // ---- bytes are compared

  /** Whether bytes are compared before a chunk is shared. */
  boolean verifies() {
    return verifies;
  }

  /**
   * Compares a chunk with the stored one of its fingerprint.
   *
   * @param source holds the chunk from {@code at}
   * @return false if there is none that can be read: then the chunk is to be stored
   * @throws RefusedException {@code CONFLICT} if they differ
   */
  boolean isStoredSame(FingerprintBatch batch, int row, byte[] source, int at) throws IOException {
    byte[] stored;
    try {
      stored = domain.chunk(batch.kind(), batch.fingerprints(), row * Fingerprint.BYTES);
    } catch (CorruptDataException e) {
      return false; // It is out of the index now, or never was in it.
    }
    checkSame(batch, row, source, at, stored, 0, stored.length);
    return true;
  }

  private void checkSame(
      FingerprintBatch batch, int row, byte[] source, int at, byte[] other, int otherAt, int length)
      throws RefusedException {
    int mine = batch.lengths()[row];
    if (!Arrays.equals(source, at, at + mine, other, otherAt, otherAt + length)) {
      throw new RefusedException(
          Reason.CONFLICT,
          "chunk "
              + batch.fingerprint(row)
              + " of "
              + mine
              + " bytes has the fingerprint of another chunk that is stored, of "
              + length
              + " bytes; nothing of this upload is kept, or its content would be mixed");
    }
  }

  /**
   * Appends a block after comparing those of its chunks that somebody else has stored since they
   * were looked for.
   */
  private void storeCompared(
      ChunkKind kind, byte[] block, int offset, int lengthBytes, FingerprintBatch chunks)
      throws IOException {
    domain.matching().lock();
    try (BlockReader reader = new BlockReader()) {
      Places now = new Places(Math.max(1, chunks.count()));
      domain.lookup(chunks, now);
      byte[] raw = null;
      int at = 0;
      for (int i = 0; i < chunks.count(); i++) {
        if (now.isPresent(i)) {
          if (raw == null) {
            reader.parse(block, offset, lengthBytes);
            raw = reader.decompress();
          }
          boolean ignored = isStoredSame(chunks, i, raw, at);
        }
        at += chunks.lengths()[i];
      }
      domain.append(kind, lane, block, offset, lengthBytes, chunks);
    } catch (BlockFormatException e) {
      throw new IllegalStateException("a block that was made here cannot be read", e);
    } finally {
      domain.matching().unlock();
    }
  }

  private static boolean isSame(FingerprintBatch batch, int row, byte[] fingerprints, int offset) {
    int at = row * Fingerprint.BYTES;
    return Arrays.equals(
        batch.fingerprints(),
        at,
        at + Fingerprint.BYTES,
        fingerprints,
        offset,
        offset + Fingerprint.BYTES);
  }

  // ---- checkpoints

  /**
   * Asks for a durable unfinished root.
   *
   * @param covered answers that the root covers, with all before them
   */
  Promise<Checkpoint> checkpoint(ObjectRoot root, HaveList.@Nullable Interval covered)
      throws IOException {
    flushNodes();
    FingerprintBatch goneNodes = new FingerprintBatch(ChunkKind.NODE, 8);
    FingerprintBatch goneData = new FingerprintBatch(ChunkKind.DATA, 8);
    findGone(goneNodes, goneData);
    if (goneNodes.count() + goneData.count() > 0) {
      throw new IOException(
          (goneNodes.count() + goneData.count())
              + " chunks answered present have been found damaged since; the commit will name"
              + " them");
    }
    Checkpoint wanted = new Checkpoint(uploadId, root, ++sequence);
    Promise<Checkpoint> promise = engine.scheduler().promise();
    lock.lock();
    try {
      underWay = promise;
    } finally {
      lock.unlock();
    }
    engine
        .committer()
        .submit(
            domain,
            new CatalogCommand.CheckpointUpload(
                engine.stamp(CatalogCommand.NO_ID),
                uploadId,
                store.id(),
                itemName,
                root,
                wanted.sequence(),
                createdAtMillis),
            new Committer.Listener() {
              @Override
              public void replied(CatalogReply reply) {
                switch (reply) {
                  case CatalogReply.Done _ -> {
                    durable(wanted, covered);
                    promise.complete(wanted);
                  }
                  case CatalogReply.Refused(Reason reason, String message) ->
                      promise.fail(new RefusedException(reason, message));
                }
              }

              @Override
              public void failed(Throwable failure) {
                promise.fail(failure);
              }
            });
    return promise;
  }

  private void durable(Checkpoint checkpoint, HaveList.@Nullable Interval covered) {
    lock.lock();
    try {
      durableBytes = Math.max(durableBytes, checkpoint.root().lengthBytes());
      if (covered != null) {
        answers.drop(covered);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Waits until so many more answers may be kept. */
  private void waitForRoom(int count) throws IOException {
    while (true) {
      Promise<Checkpoint> pending;
      lock.lock();
      try {
        if (answers.count() + count <= (nameless ? MAX_NAMELESS_ANSWERS : MAX_KEPT_ANSWERS)) {
          return;
        }
        pending = underWay;
        underWay = null;
      } finally {
        lock.unlock();
      }
      if (pending == null) {
        throw new RefusedException(
            Reason.INVALID_REQUEST,
            "more than "
                + MAX_KEPT_ANSWERS
                + " answers without a durable checkpoint; checkpoint at least every "
                + MAX_HAVE_ANSWERS);
      }
      pending.await();
    }
  }

  // ---- without a name of its own, for what a share's tree names

  /** Whether roots of it become unfinished ones of the catalog. */
  boolean checkpoints() {
    return !nameless;
  }

  /**
   * Checks that what was answered present is there.
   *
   * @throws CorruptDataException if something has been found damaged since
   */
  void checkAnswers() throws IOException {
    flushNodes();
    FingerprintBatch goneNodes = new FingerprintBatch(ChunkKind.NODE, 8);
    FingerprintBatch goneData = new FingerprintBatch(ChunkKind.DATA, 8);
    findGone(goneNodes, goneData);
    int count = goneNodes.count() + goneData.count();
    if (count > 0) {
      throw new CorruptDataException(
          itemName, -1, "the chunks that were found stored", count + " damaged ones among them");
    }
  }

  /**
   * Ends an interval of answers for a root that gets its name.
   *
   * @return what is to be run when the name is durable
   */
  Runnable naming() {
    lock.lock();
    try {
      // What was answered lately may lie behind this root: it stays until the next one has a name.
      HaveList.Interval covered = keptInterval;
      keptInterval = answers.seal();
      return () -> forget(covered);
    } finally {
      lock.unlock();
    }
  }

  private void forget(HaveList.@Nullable Interval covered) {
    lock.lock();
    try {
      if (covered != null) {
        answers.drop(covered);
      }
    } finally {
      lock.unlock();
    }
  }

  private void findGone(FingerprintBatch goneNodes, FingerprintBatch goneData) throws IOException {
    for (ChunkKind kind : ChunkKind.values()) {
      FingerprintBatch kept;
      lock.lock();
      try {
        kept = answers.all(kind);
      } finally {
        lock.unlock();
      }
      if (kept.count() == 0) {
        continue;
      }
      Places now = new Places(kept.count());
      domain.lookup(kept, now);
      distrust(kept, now);
      FingerprintBatch gone = kind == ChunkKind.NODE ? goneNodes : goneData;
      for (int i = 0; i < kept.count(); i++) {
        if (!now.isPresent(i)) {
          gone.add(kept.fingerprints(), i * Fingerprint.BYTES, kept.lengths()[i]);
        }
      }
    }
  }

  private boolean isKept(Fingerprint node) throws IOException {
    one.clear();
    one.add(node, 0);
    answer(one, childPlaces);
    return childPlaces.isPresent(0);
  }

  private void checkTree(ObjectRoot root) throws IOException {
    byte[] node = domain.node(root.node().toBytes(), 0);
    NodeReader reader = new NodeReader();
    try {
      reader.reset(node, 0, node.length);
    } catch (NodeFormatException e) {
      throw new CorruptDataException(
          "node " + root.node(), -1, "a recipe node", String.valueOf(e.getMessage()));
    }
    if (reader.level() != root.level() || reader.coveredBytes() != root.lengthBytes()) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          "the root is said to have level "
              + root.level()
              + " over "
              + root.lengthBytes()
              + " bytes, it has level "
              + reader.level()
              + " over "
              + reader.coveredBytes());
    }
  }

  // ---- housekeeping's side

  /** Copies every fingerprint of a kind that must stay for this upload. */
  FingerprintBatch kept(ChunkKind kind) {
    lock.lock();
    try {
      return answers.all(kind);
    } finally {
      lock.unlock();
    }
  }

  /** The lowest number of a container with data that this upload stored and no root covers yet. */
  long lowestOwnDataContainer() {
    lock.lock();
    try {
      return answers.lowestDataContainer();
    } finally {
      lock.unlock();
    }
  }
}
