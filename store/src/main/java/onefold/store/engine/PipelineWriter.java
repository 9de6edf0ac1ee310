package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import onefold.block.BlockBuilder;
import onefold.chunker.ChunkKind;
import onefold.chunker.Cutter;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ObjectRoot;
import onefold.chunker.RecipeBuilder;
import onefold.store.CommitOutcome;
import onefold.store.CommitRequest;
import onefold.store.Id;
import onefold.store.IngestSession;
import onefold.store.ItemRecord;
import onefold.store.ObjectWriter;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.index.Places;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * A plain stream on its way into the store. The caller's thread copies bytes into slabs, cuts them,
 * asks the index, gathers unknown chunks into blocks, appends finished blocks and builds the
 * recipe, all in the order of the stream; fingerprints and compression run on the pool in between,
 * so one stream uses every core.
 *
 * <pre>
 *   write → slab → cut → [fingerprint] → look up → block → [compress] → append → recipe → node
 *           caller's thread │   pool   │     caller's thread │  pool  │   caller's thread
 * </pre>
 *
 * <p>Bounds: {@code cores + 2} slabs of {@value #SLAB_BYTES} bytes, {@code 2 * cores + 1} blocks,
 * and {@value #MAX_WAITING_RUNS} slabs' worth of recipe entries that wait for a block; at a bound
 * the caller waits for the oldest, or the block that is being filled is closed early.
 *
 * <p>One thread at a time.
 */
final class PipelineWriter implements ObjectWriter {
  static final int SLAB_BYTES = 1 << 20;

  /** Most chunks of one slab; forced cuts can make them small. */
  static final int SLAB_CHUNKS = 2048;

  /** Most slabs whose recipe entries wait for their last block. */
  static final int MAX_WAITING_RUNS = 24;

  /**
   * Shorter slabs and blocks are not worth handing to another thread if nothing else is going on.
   */
  private static final int INLINE_BYTES = 64 << 10;

  /** Chunks claimed by blocks on their way, before the pipeline is drained to forget them. */
  private static final int MAX_CLAIMS = 32_768;

  private final Upload upload;
  private final Scheduler scheduler;
  private final Cutter cutter;
  private final BlockShape shape;
  private final int maxHashing;
  private final int maxEncoding;

  private final ArrayDeque<Slab> freeSlabs = new ArrayDeque<>();
  private final ArrayDeque<Slab> hashing = new ArrayDeque<>();
  private final ArrayDeque<Block> freeBlocks = new ArrayDeque<>();
  private final ArrayDeque<Block> encoding = new ArrayDeque<>();
  private final ArrayDeque<Run> freeRuns = new ArrayDeque<>();
  private final ArrayDeque<Run> waiting = new ArrayDeque<>();
  private final FingerprintSet claims = new FingerprintSet(256);
  private final Places places = new Places(256);

  private final List<ObjectRoot> ended = new ArrayList<>();
  private RecipeBuilder recipe;
  private @Nullable Slab slab;
  private @Nullable Block block;
  private long blockSequence;
  private long appendedSequence;
  private long positionBytes;
  private long intervalBytes;
  private boolean finished;
  private @Nullable ObjectRoot root;
  private @Nullable IOException broken;

  /** What stands in the recipe behind the chunks of a slab. */
  private sealed interface After {
    long lengthBytes();

    record Hole(long lengthBytes) implements After {}

    record Reserved(long lengthBytes) implements After {}

    record Part(ObjectRoot source, long offsetBytes, long lengthBytes) implements After {}

    /** The end of an object; what follows belongs to another. */
    record End() implements After {
      @Override
      public long lengthBytes() {
        return 0;
      }
    }
  }

  /** A piece of the stream on its way to its fingerprints. */
  private static final class Slab {
    final byte[] bytes = new byte[SLAB_BYTES];
    final int[] lengths = new int[SLAB_CHUNKS];
    final Fingerprinter fingerprinter;
    int filled;
    int cutEnd;
    int chunkCount;
    @Nullable After after;
    @Nullable Run run;
    @Nullable Promise<Integer> hashed;

    Slab(Fingerprinter fingerprinter) {
      this.fingerprinter = fingerprinter;
    }

    void reset() {
      filled = 0;
      cutEnd = 0;
      chunkCount = 0;
      after = null;
      run = null;
      hashed = null;
    }
  }

  /** Recipe entries of one slab, waiting until the last block they need is appended. */
  private static final class Run {
    final FingerprintBatch chunks = new FingerprintBatch(ChunkKind.DATA, 160);
    @Nullable After after;
    long neededSequence;
    HaveList.@Nullable Interval checkpointAfter;
  }

  /** Unknown chunks on their way into a container. */
  private static final class Block {
    final BlockBuilder builder;
    final FingerprintBatch chunks = new FingerprintBatch(ChunkKind.DATA, 32);
    long sequence;
    @Nullable Promise<Integer> encoded;

    Block(BlockBuilder builder) {
      this.builder = builder;
    }
  }

  PipelineWriter(Upload upload, Scheduler scheduler, BlockShape shape) throws IOException {
    this.upload = upload;
    this.scheduler = scheduler;
    this.shape = shape;
    this.cutter = Cutter.of(upload.parameterSet());
    this.recipe = newRecipe();
    this.maxHashing = scheduler.cores() + 1;
    this.maxEncoding = 2 * scheduler.cores();
    var resumed = upload.resumedFrom();
    if (resumed.isPresent()) {
      recipe.splice(upload.nodes(), resumed.get().root(), 0, resumed.get().root().lengthBytes());
      positionBytes = resumed.get().root().lengthBytes();
    }
  }

  private RecipeBuilder newRecipe() {
    return new RecipeBuilder(upload.parameterSet(), upload::storeOwnNode);
  }

  @Override
  public Id uploadId() {
    return upload.uploadId();
  }

  @Override
  public long positionBytes() {
    return positionBytes;
  }

  @Override
  public long durableBytes() {
    return upload.durableBytes();
  }

  @Override
  public long newBytes() {
    return upload.newBytes();
  }

  // ---- the caller's end

  @Override
  public void write(byte[] source, int offset, int lengthBytes) throws IOException {
    java.util.Objects.checkFromIndexSize(offset, lengthBytes, source.length);
    guarded(() -> {
      int from = offset;
      int left = lengthBytes;
      while (left > 0) {
        Slab into = slab();
        int n = Math.min(left, SLAB_BYTES - into.filled);
        System.arraycopy(source, from, into.bytes, into.filled, n);
        into.filled += n;
        from += n;
        left -= n;
        positionBytes += n;
        if (into.filled == SLAB_BYTES) {
          turnOver(false);
        }
      }
    });
  }

  @Override
  public void cut() throws IOException {
    guarded(this::cutHere);
  }

  @Override
  public void hole(long lengthBytes) throws IOException {
    if (lengthBytes < 0) {
      throw new IllegalArgumentException("lengthBytes " + lengthBytes);
    }
    guarded(() -> append(new After.Hole(lengthBytes)));
  }

  /** Appends preallocated space, which reads as zeros. */
  void reserved(long lengthBytes) throws IOException {
    guarded(() -> append(new After.Reserved(lengthBytes)));
  }

  /**
   * As {@link #splice}, without waiting for what stands before: for recipes of many small parts.
   */
  void spliceLater(ObjectRoot source, long offsetBytes, long lengthBytes) throws IOException {
    guarded(() -> {
      upload.openSpliceSource(source);
      append(new After.Part(source, offsetBytes, lengthBytes));
    });
  }

  private void append(After after) throws IOException {
    cutHere();
    slab().after = after;
    positionBytes += after.lengthBytes();
    turnOver(true);
  }

  /**
   * Returns a root of the beginning, as far as it is stored; what follows is not cut for it.
   *
   * @param all whether to wait until all that can be cut is stored
   */
  ObjectRoot prefix(boolean all) throws IOException {
    ObjectRoot[] prefix = new ObjectRoot[1];
    guarded(() -> {
      if (all) {
        turnOver(false);
        finishBlocks();
      }
      prefix[0] = recipe.peek();
      upload.flushNodes();
    });
    return prefix[0];
  }

  /** Ends an object and begins another, without waiting for what is on its way. */
  void endObject() throws IOException {
    guarded(() -> append(new After.End()));
  }

  /** Ends the last of the objects that {@link #endObject} has ended, and returns them in order. */
  List<ObjectRoot> finishAll() throws IOException {
    guarded(this::drain);
    upload.flushNodes();
    finished = true;
    return List.copyOf(ended);
  }

  /** Ends the object without a commit. */
  ObjectRoot finish() throws IOException {
    guarded(this::end);
    upload.flushNodes();
    ObjectRoot whole = root;
    if (whole == null) {
      throw new IllegalStateException("finished without a root");
    }
    return whole;
  }

  private void end() throws IOException {
    if (!finished) {
      drain();
      root = recipe.finish();
      finished = true;
    }
  }

  @Override
  public void splice(ObjectRoot source, long offsetBytes, long lengthBytes) throws IOException {
    guarded(() -> {
      drain();
      upload.openSpliceSource(source);
      recipe.splice(upload.nodes(), source, offsetBytes, lengthBytes);
      positionBytes += lengthBytes;
      maybeCheckpoint();
    });
  }

  @Override
  public ItemRecord commit(CommitRequest request) throws IOException {
    guarded(this::end);
    ObjectRoot whole = root;
    if (whole == null) {
      throw new IllegalStateException("finished without a root");
    }
    return switch (upload.commit(whole, request)) {
      case CommitOutcome.Committed(ItemRecord item) -> item;
      case CommitOutcome.Lacking(FingerprintBatch nodes, FingerprintBatch data) ->
          throw new RefusedException(
              Reason.CONFLICT,
              (nodes.count() + data.count())
                  + " chunks that this upload shares were found damaged while it ran;"
                  + " send it again");
    };
  }

  @Override
  public void abort() throws IOException {
    settle();
    upload.abort();
  }

  @Override
  public void close() {
    settle();
    upload.close();
  }

  // ---- slabs

  private Slab slab() throws IOException {
    Slab current = slab;
    if (current == null) {
      current = freeSlabs.poll();
      if (current == null) {
        current = new Slab(new Fingerprinter(upload.parameterSet()));
      }
      slab = current;
    }
    return current;
  }

  /** Ends the chunk that is being gathered. */
  private void cutHere() throws IOException {
    Slab current = slab();
    while (current.cutEnd < current.filled) {
      cutInto(current, true);
      if (current.cutEnd < current.filled || current.chunkCount == SLAB_CHUNKS) {
        turnOver(true);
        current = slab();
      }
    }
  }

  private void cutInto(Slab current, boolean endOfStream) {
    int n =
        cutter.cut(
            current.bytes,
            current.cutEnd,
            current.filled,
            endOfStream,
            current.lengths,
            current.chunkCount);
    for (int i = 0; i < n; i++) {
      current.cutEnd += current.lengths[current.chunkCount++];
    }
  }

  /** Sends the slab on its way; what could not be cut begins the next one. */
  private void turnOver(boolean endOfStream) throws IOException {
    Slab full = slab();
    if (full.cutEnd < full.filled) {
      cutInto(full, endOfStream);
    }
    int rest = full.filled - full.cutEnd;
    slab = null;
    if (rest > 0) {
      Slab next = slab();
      System.arraycopy(full.bytes, full.cutEnd, next.bytes, 0, rest);
      next.filled = rest;
    }
    full.filled = full.cutEnd;
    hash(full);
    while (hashing.size() > maxHashing || (!hashing.isEmpty() && isDone(hashing.peek().hashed))) {
      lookUpOldest();
    }
  }

  private void hash(Slab full) {
    Run run = freeRuns.poll();
    if (run == null) {
      run = new Run();
    }
    run.chunks.setCount(full.chunkCount);
    System.arraycopy(full.lengths, 0, run.chunks.lengths(), 0, full.chunkCount);
    run.after = full.after;
    full.run = run;
    byte[] target = run.chunks.fingerprints();
    if (full.filled <= INLINE_BYTES && hashing.isEmpty()) {
      fingerprint(full, target);
    } else {
      full.hashed = scheduler.compute("fingerprint", () -> fingerprint(full, target));
    }
    hashing.add(full);
  }

  private static int fingerprint(Slab slab, byte[] target) {
    slab.fingerprinter.fingerprint(slab.bytes, 0, slab.lengths, 0, slab.chunkCount, target, 0);
    return slab.chunkCount;
  }

  // ---- blocks

  private void lookUpOldest() throws IOException {
    Slab hashed = hashing.remove();
    Promise<Integer> promise = hashed.hashed;
    if (promise != null) {
      promise.await();
    }
    Run run = hashed.run;
    if (run == null) {
      throw new IllegalStateException("slab without entries");
    }
    FingerprintBatch chunks = run.chunks;
    if (chunks.count() > 0) {
      upload.answer(chunks, places);
      gather(hashed, chunks);
    }
    run.neededSequence = block == null ? blockSequence : blockSequence + 1;
    intervalBytes += hashed.filled + (run.after == null ? 0 : run.after.lengthBytes());
    if (upload.checkpoints()
        && (intervalBytes >= IngestSession.CHECKPOINT_BYTES
            || upload.growingAnswers() >= IngestSession.MAX_HAVE_ANSWERS)) {
      run.checkpointAfter = upload.sealInterval();
      intervalBytes = 0;
    }
    waiting.add(run);
    hashed.reset();
    freeSlabs.add(hashed);
    if (waiting.size() > MAX_WAITING_RUNS || claims.size() > MAX_CLAIMS) {
      closeBlock();
      while (!encoding.isEmpty()) {
        appendOldest();
      }
      // All claimed chunks are in the index now, where the next slab will find them.
      claims.clear();
    }
    release();
  }

  private void gather(Slab source, FingerprintBatch chunks) throws IOException {
    byte[] fingerprints = chunks.fingerprints();
    int[] lengths = chunks.lengths();
    int at = 0;
    for (int i = 0; i < chunks.count(); i++) {
      int length = lengths[i];
      if (isNew(source, chunks, i, at)) {
        Block into = block;
        if (into != null
            && (into.builder.rawBytes() + length > shape.rawBytes()
                || !into.builder.fits(length))) {
          closeBlock();
          into = null;
        }
        if (into == null) {
          into = freeBlocks.poll();
          if (into == null) {
            into = new Block(shape.newBuilder(ChunkKind.DATA));
          }
          block = into;
        }
        into.builder.add(source.bytes, at, length);
        into.chunks.add(fingerprints, i * Fingerprint.BYTES, length);
      }
      at += length;
    }
  }

  /** Whether a chunk is to be stored; one that is not has been compared if that is wanted. */
  private boolean isNew(Slab source, FingerprintBatch chunks, int row, int at) throws IOException {
    boolean known = places.isPresent(row);
    if (known && (!upload.verifies() || upload.isStoredSame(chunks, row, source.bytes, at))) {
      return false;
    }
    if (claims.add(chunks.fingerprints(), row * Fingerprint.BYTES)) {
      return true;
    }
    if (!upload.verifies()) {
      return false;
    }
    // It is in a block on its way: compared when that is stored. The claims stay, because what this
    // slab was answered was true before.
    closeBlock();
    while (!encoding.isEmpty()) {
      appendOldest();
    }
    return !upload.isStoredSame(chunks, row, source.bytes, at);
  }

  private void closeBlock() throws IOException {
    Block full = block;
    if (full == null) {
      return;
    }
    block = null;
    full.sequence = ++blockSequence;
    full.encoded =
        full.builder.rawBytes() <= INLINE_BYTES
            ? null
            : scheduler.compute("compress", full.builder::encode);
    encoding.add(full);
    while (encoding.size() > maxEncoding
        || (!encoding.isEmpty() && isDone(encoding.peek().encoded))) {
      appendOldest();
    }
  }

  private void appendOldest() throws IOException {
    Block oldest = encoding.remove();
    Promise<Integer> promise = oldest.encoded;
    int length = promise == null ? oldest.builder.encode() : promise.await();
    upload.storeData(oldest.builder.bytes(), 0, length, oldest.chunks);
    appendedSequence = oldest.sequence;
    oldest.builder.reset();
    oldest.chunks.clear();
    oldest.encoded = null;
    freeBlocks.add(oldest);
    release();
  }

  /** Gives the recipe what no longer waits for a block. */
  private void release() throws IOException {
    Run run;
    while ((run = waiting.peek()) != null && run.neededSequence <= appendedSequence) {
      waiting.remove();
      FingerprintBatch chunks = run.chunks;
      for (int i = 0; i < chunks.count(); i++) {
        recipe.chunk(chunks.fingerprints(), i * Fingerprint.BYTES, chunks.lengths()[i]);
      }
      switch (run.after) {
        case null -> {}
        case After.Hole(long bytes) -> recipe.hole(bytes);
        case After.Reserved(long bytes) -> recipe.reserved(bytes);
        case After.Part(ObjectRoot source, long offset, long bytes) ->
            recipe.splice(upload.nodes(), source, offset, bytes);
        case After.End() -> {
          ended.add(recipe.finish());
          recipe = newRecipe();
        }
      }
      run.after = null;
      HaveList.Interval interval = run.checkpointAfter;
      run.checkpointAfter = null;
      chunks.clear();
      freeRuns.add(run);
      if (interval != null) {
        upload.checkpoint(recipe.peek(), interval);
      }
    }
  }

  /** Brings everything taken so far into the recipe. */
  private void drain() throws IOException {
    cutHere();
    turnOver(true);
    finishBlocks();
  }

  /** Brings everything cut so far into the recipe. */
  private void finishBlocks() throws IOException {
    while (!hashing.isEmpty()) {
      lookUpOldest();
    }
    closeBlock();
    while (!encoding.isEmpty()) {
      appendOldest();
    }
    release();
    if (!waiting.isEmpty()) {
      throw new IllegalStateException(waiting.size() + " slabs wait for no block");
    }
    claims.clear();
  }

  private void maybeCheckpoint() throws IOException {
    if (upload.checkpoints() && upload.growingAnswers() >= IngestSession.MAX_HAVE_ANSWERS) {
      upload.checkpoint(recipe.peek(), upload.sealInterval());
      intervalBytes = 0;
    }
  }

  private static boolean isDone(@Nullable Promise<Integer> promise) {
    return promise == null || promise.isDone();
  }

  // ---- failures

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  /** Runs a step; after a failure the pipeline's order is lost, so every later step fails alike. */
  private void guarded(Step step) throws IOException {
    if (broken != null) {
      throw new IOException("the upload has failed before: " + broken.getMessage(), broken);
    }
    if (finished && root != null) {
      return;
    }
    boolean done = false;
    try {
      step.run();
      done = true;
    } catch (IOException e) {
      broken = e;
      throw e;
    } finally {
      if (!done && broken == null) {
        broken = new IOException("an unexpected error ended the upload");
      }
    }
  }

  /** Waits for what runs on the pool, so that nothing of this upload goes on after it. */
  private void settle() {
    for (Slab running : hashing) {
      await(running.hashed);
    }
    for (Block running : encoding) {
      await(running.encoded);
    }
    hashing.clear();
    encoding.clear();
    if (broken == null && !finished) {
      broken = new IOException("the upload is closed");
    }
  }

  private static void await(@Nullable Promise<Integer> promise) {
    if (promise == null) {
      return;
    }
    try {
      promise.await();
    } catch (IOException | RuntimeException e) {
      // Its result is not wanted any more: the upload ends without it.
    }
  }
}
