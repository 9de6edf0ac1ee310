package onefold.store.simulator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.NodeReader;
import onefold.chunker.ObjectRoot;
import onefold.chunker.RecipeBuilder;
import onefold.store.Checkpoint;
import onefold.store.CommitOutcome;
import onefold.store.CommitRequest;
import onefold.store.Id;
import onefold.store.IngestSession;
import onefold.store.ItemRecord;
import onefold.store.RefusedException;
import org.jspecify.annotations.Nullable;

/** An upload by a source that cuts, asks, and sends what is lacking. */
final class SourceUpload implements OpenUpload {
  /** How often something may be asked for that was just sent. */
  private static final int MAX_TRIES = 6;

  private static final List<BlockCodec> CODECS = List.of(BlockCodec.values());

  private final IngestSession session;
  private final List<Plan.Segment> segments;
  private final List<Pieces.Piece> pieces;
  private final byte[] whole;
  private final boolean fromAbove;
  private final BooleanSupplier besideOthers;
  private final SplittableRandom random;
  private final RecipeBuilder recipe;
  private final Map<Fingerprint, byte[]> nodes = new HashMap<>();
  private final Map<Fingerprint, Pieces.Piece> chunks = new HashMap<>();
  private final Set<Fingerprint> answeredPresent = new HashSet<>();

  /**
   * How many checkpoints had been asked for when a chunk of data was last answered present, or was
   * stored.
   */
  private final Map<Fingerprint, Integer> keptSince = new HashMap<>();

  private int saveCount;
  private int takenBackCount;
  private int next;
  private int askedUntil;
  private int lackingCount;

  /**
   * Goes on from the session's checkpoint, if it has one.
   *
   * @param besideOthers whether others may send the same at this moment
   */
  SourceUpload(
      IngestSession session,
      List<Plan.Segment> segments,
      boolean fromAbove,
      long splitSeed,
      BooleanSupplier besideOthers)
      throws IOException {
    this.besideOthers = besideOthers;
    this.session = session;
    this.segments = segments;
    this.fromAbove = fromAbove;
    this.random = new SplittableRandom(splitSeed);
    this.whole = Plan.joined(segments);
    this.pieces = Pieces.of(segments, session.parameterSet());
    this.recipe =
        new RecipeBuilder(
            session.parameterSet(),
            (level, node, lengthBytes, fingerprint) -> {
              Fingerprint of = Fingerprint.of(fingerprint, 0);
              nodes.put(of, Arrays.copyOf(node, lengthBytes));
              if (!this.fromAbove) {
                putNode(of, level);
              }
            });
    for (Pieces.Piece piece : pieces) {
      if (piece.fingerprint() != null) {
        chunks.put(piece.fingerprint(), piece);
      }
    }
    long resumedBytes = session.resumedFrom().map(from -> from.root().lengthBytes()).orElse(0L);
    while (recipe.lengthBytes() < resumedBytes) {
      push(pieces.get(next++));
    }
    Wrong.unless(
        recipe.lengthBytes() == resumedBytes,
        () -> "resumed at " + resumedBytes + ", which is no border of a chunk");
  }

  private void push(Pieces.Piece piece) throws IOException {
    if (piece.fingerprint() == null) {
      recipe.hole(piece.lengthBytes());
    } else {
      recipe.chunk(piece.fingerprint().toBytes(), 0, Math.toIntExact(piece.lengthBytes()));
    }
  }

  @Override
  public Id uploadId() {
    return session.uploadId();
  }

  @Override
  public void feed(long untilBytes) throws IOException {
    while (next < pieces.size() && recipe.lengthBytes() < untilBytes) {
      int count = Math.min(pieces.size() - next, 1 + random.nextInt(1 << random.nextInt(7)));
      List<Pieces.Piece> batch = pieces.subList(next, next + count);
      if (!fromAbove) {
        sendLacking(batch);
        askAhead(next + count);
      }
      for (Pieces.Piece piece : batch) {
        push(piece);
      }
      next += count;
    }
  }

  /** Asks for what comes later, as a source with batches on their way; it is not asked again. */
  private void askAhead(int from) throws IOException {
    if (random.nextBoolean()) {
      return;
    }
    int start = Math.max(from, askedUntil);
    int end = Math.min(pieces.size(), start + random.nextInt(40));
    FingerprintBatch asked = askedFor(pieces.subList(Math.min(start, end), end));
    if (asked.count() == 0) {
      return;
    }
    askedUntil = end;
    long[] present = session.have(asked);
    for (int i = 0; i < asked.count(); i++) {
      if ((present[i >>> 6] >>> i & 1) == 1) {
        answeredPresent.add(asked.fingerprint(i));
        keptSince.put(asked.fingerprint(i), saveCount);
      }
    }
  }

  private FingerprintBatch askedFor(List<Pieces.Piece> batch) {
    var asked = new FingerprintBatch(ChunkKind.DATA, 16);
    for (Pieces.Piece piece : batch) {
      Fingerprint fingerprint = piece.fingerprint();
      if (fingerprint != null && !answeredPresent.contains(fingerprint)) {
        asked.add(fingerprint, Math.toIntExact(piece.lengthBytes()));
      }
    }
    return asked;
  }

  private void sendLacking(List<Pieces.Piece> batch) throws IOException {
    FingerprintBatch asked = askedFor(batch);
    if (asked.count() == 0) {
      return;
    }
    long[] present = session.have(asked);
    boolean sendsAll = random.nextInt(8) == 0; // Then the store keeps the lacking part of a block.
    var lacking = new ArrayList<Pieces.Piece>();
    for (int i = 0; i < asked.count(); i++) {
      boolean found = (present[i >>> 6] >>> i & 1) == 1;
      if (found) {
        keptSince.put(asked.fingerprint(i), saveCount);
      }
      if (!found || sendsAll || random.nextInt(20) == 0) {
        lacking.add(chunk(asked.fingerprint(i)));
      }
    }
    sendBlocks(lacking);
  }

  private Pieces.Piece chunk(Fingerprint fingerprint) {
    Pieces.Piece piece = chunks.get(fingerprint);
    if (piece == null) {
      throw new Wrong("the store asks for chunk " + fingerprint + ", which nobody named");
    }
    return piece;
  }

  private void sendBlocks(List<Pieces.Piece> lacking) throws IOException {
    if (lacking.isEmpty()) {
      return;
    }
    BlockCodec codec = CODECS.get(random.nextInt(CODECS.size()));
    int wished = 1 << random.nextInt(12, 18);
    try (var builder = new BlockBuilder(ChunkKind.DATA, codec, 1)) {
      var inside = new ArrayList<Fingerprint>();
      for (Pieces.Piece piece : lacking) {
        Fingerprint fingerprint = piece.fingerprint();
        if (fingerprint != null) {
          builder.add(whole, piece.offset(), Math.toIntExact(piece.lengthBytes()));
          inside.add(fingerprint);
          if (builder.rawBytes() >= wished) {
            sendBlock(builder, inside);
          }
        }
      }
      if (builder.chunkCount() > 0) {
        sendBlock(builder, inside);
      }
    }
  }

  private void sendBlock(BlockBuilder builder, List<Fingerprint> inside) throws IOException {
    int length = builder.encode();
    FingerprintBatch answered = session.putBlock(builder.bytes(), 0, length);
    Wrong.unless(
        answered.count() == inside.size(), () -> "a block of " + answered.count() + " chunks");
    for (int i = 0; i < inside.size(); i++) {
      int at = i;
      Wrong.unless(
          answered.fingerprint(i).equals(inside.get(i)),
          () -> "chunk " + at + " of a block is another");
      keptSince.put(inside.get(i), saveCount);
    }
    builder.reset();
    inside.clear();
  }

  /** Sends a node and, as far as the store asks for it, what lies below. */
  private void putNode(Fingerprint fingerprint, int level) throws IOException {
    byte[] node = nodes.get(fingerprint);
    if (node == null) {
      throw new Wrong("the store asks for node " + fingerprint + ", which nobody named");
    }
    for (int tried = 0; tried < MAX_TRIES; tried++) {
      long[] lacking = session.putNode(level, node, 0, node.length);
      var reader = new NodeReader().reset(node, 0, node.length);
      var data = new ArrayList<Pieces.Piece>();
      var promised = new FingerprintBatch(ChunkKind.DATA, 16);
      boolean complete = true;
      while (reader.next()) {
        if ((lacking[reader.index() >>> 6] >>> reader.index() & 1) == 1) {
          complete = false;
          if (reader.entryType() == EntryType.CHILD) {
            putNode(reader.fingerprint(), level - 1);
          } else {
            Pieces.Piece piece = chunk(reader.fingerprint());
            data.add(piece);
            if (keptSince.getOrDefault(reader.fingerprint(), Integer.MIN_VALUE) >= saveCount - 1) {
              promised.add(reader.fingerprint(), Math.toIntExact(piece.lengthBytes()));
            }
          }
        }
      }
      if (complete) {
        return;
      }
      noteTakenBack(promised);
      sendBlocks(data);
    }
    throw new Wrong("the store asks again and again for what node " + fingerprint + " names");
  }

  /**
   * What was answered or stored since the checkpoint before the last must still be there. For a
   * moment a sweep may say that it is not, though it has stored it elsewhere: so it is asked for
   * once more.
   */
  private void noteTakenBack(FingerprintBatch promised) throws IOException {
    if (promised.count() > 0) {
      long[] present = session.have(promised);
      for (int i = 0; i < promised.count(); i++) {
        takenBackCount += (present[i >>> 6] >>> i & 1) == 0 ? 1 : 0;
      }
    }
  }

  /** How often a node lacked what had been answered present, or stored, and not long before. */
  int takenBackCount() {
    return takenBackCount;
  }

  private boolean has(ObjectRoot root) throws IOException {
    var one = new FingerprintBatch(ChunkKind.NODE, 1);
    byte[] node = nodes.get(root.node());
    one.add(root.node(), node == null ? 0 : node.length);
    return session.have(one)[0] == 1;
  }

  @Override
  public long sentBytes() {
    return recipe.lengthBytes();
  }

  @Override
  public ObjectRoot root() throws IOException {
    ObjectRoot root = recipe.peek();
    if (fromAbove && !has(root)) {
      putNode(root.node(), root.level());
    }
    return root;
  }

  @Override
  public CompletionStage<Checkpoint> save(ObjectRoot root) {
    saveCount++;
    return session.checkpoint(root);
  }

  @Override
  public ItemRecord commit(CommitRequest request) throws IOException {
    if (fromAbove && random.nextInt(4) == 0) {
      ItemRecord item = commitTooEarly(request);
      if (item != null) {
        return item;
      }
    }
    ObjectRoot root = root();
    for (int tried = 0; tried < MAX_TRIES; tried++) {
      switch (session.commit(root, request)) {
        case CommitOutcome.Committed(ItemRecord item) -> {
          return item;
        }
        case CommitOutcome.Lacking(FingerprintBatch lackingNodes, FingerprintBatch lackingData) -> {
          lackingCount++;
          var data = new ArrayList<Pieces.Piece>();
          for (int i = 0; i < lackingData.count(); i++) {
            data.add(chunk(lackingData.fingerprint(i)));
          }
          sendBlocks(data);
          for (int i = 0; i < lackingNodes.count(); i++) {
            Fingerprint node = lackingNodes.fingerprint(i);
            byte[] bytes = nodes.get(node);
            if (bytes != null) {
              putNode(node, new NodeReader().reset(bytes, 0, bytes.length).level());
            }
          }
        }
      }
    }
    throw new Wrong("the commit lacks again and again what was sent");
  }

  /**
   * Wants a name for what it has not sent: that must be refused, or said to be lacking. Answers the
   * item if another lane has sent it meanwhile.
   */
  private @Nullable ItemRecord commitTooEarly(CommitRequest request) throws IOException {
    ObjectRoot root = recipe.peek();
    byte[] node = nodes.get(root.node());
    if (node == null || has(root)) {
      return null;
    }
    boolean complete = true;
    for (long bits : session.putNode(root.level(), node, 0, node.length)) {
      complete &= bits == 0;
    }
    if (complete) {
      return null;
    }
    try {
      CommitOutcome outcome = session.commit(root, request);
      if (outcome instanceof CommitOutcome.Committed(ItemRecord item)) {
        Wrong.unless(
            besideOthers.getAsBoolean(),
            () -> "something was committed that had not been sent: " + item);
        return item;
      }
    } catch (RefusedException e) {
      Wrong.unless(
          e.reason() != RefusedException.Reason.QUOTA_EXCEEDED
              && e.reason() != RefusedException.Reason.EXISTS,
          "what was not sent is looked at by name: " + e);
    }
    return null;
  }

  /** How often a commit said that something had gone. */
  int lackingCount() {
    return lackingCount;
  }

  @Override
  public long newBytes() {
    return session.newBytes();
  }

  @Override
  public void abort() throws IOException {
    session.abort();
  }

  @Override
  public void close() {
    session.close();
  }

  @Override
  public List<Plan.Segment> segments() {
    return segments;
  }
}
