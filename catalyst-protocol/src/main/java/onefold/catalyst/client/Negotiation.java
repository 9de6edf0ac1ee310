package onefold.catalyst.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import onefold.block.BlockCodec;
import onefold.catalyst.client.PendingNode.State;
import onefold.catalyst.wire.Bits;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.Frame;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.Slice;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireId;
import onefold.catalyst.wire.WireStream;
import onefold.chunker.ChunkKind;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.chunker.NodeReader;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;
import org.jspecify.annotations.Nullable;

/**
 * The talk of one low-bandwidth upload: builds the recipe from hashed segments, asks about nodes,
 * sends what is lacking, checkpoints, commits, and begins again where the appliance is when the
 * connection breaks.
 *
 * <p>Runs on a virtual thread of its own, which owns all its state; callers, workers and the event
 * loop put events into its queue. The queue's bound: segments of the ring, blocks at work, and one
 * answer for each question.
 *
 * <p>The work is in two halves, so that a broken connection leaves nothing half done: events only
 * change what is wanted; {@link #pump} sends what is wanted and can be sent. After a break
 * everything since the last durable checkpoint is wanted anew.
 */
final class Negotiation implements Runnable {
  /** Nodes asked about in one question. */
  private static final int ASK_NODES = 32;

  /** Questions under way. */
  private static final int MAX_QUESTIONS = 8;

  /** Nodes the appliance keeps for us until their chunks are there; it allows 256. */
  private static final int MAX_WAITING_NODES = 200;

  /**
   * Have-answers after which a checkpoint is due, counted as if everything not settled were
   * lacking. The protocol allows 32,768 between two checkpoints: those of two such intervals, since
   * the next one is under way when a checkpoint is sent, with a segment's answers each.
   */
  private static final int CHECKPOINT_ANSWERS = 10_000;

  /** Nodes and chunks remembered as being there, so that repetitions are not asked about again. */
  private static final int REMEMBERED_NODES = 16_384;

  private static final int REMEMBERED_CHUNKS = 65_536;

  /** How often the same thing may turn out to be lacking again. */
  private static final int MAX_ATTEMPTS = 4;

  private sealed interface Event {
    record Submitted(Segment segment) implements Event {}

    record Hashed(Segment segment, @Nullable RuntimeException failure) implements Event {}

    record Arrived(int generation, Frame frame) implements Event {}

    record Ended(int generation, IOException why) implements Event {}

    record BlockDone(BlockLine.Finished block) implements Event {}

    record Finish(long lengthBytes, SortedMap<String, String> tags) implements Event {}

    record Abort() implements Event {}

    record Close() implements Event {}

    record CallerWaits() implements Event {}
  }

  private final Connections connections;
  private final Workers workers;
  private final String store;
  private final String item;
  private final WriteOptions options;
  private final WireId command = WireId.random(new SecureRandom());
  private final SegmentRing ring;
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final CompletableFuture<CommittedItem> outcome = new CompletableFuture<>();

  private final ParameterSet set;
  private final RecipeBuilder builder;
  private final NodeReader nodeReader = new NodeReader();

  // ---- the connection
  private int generation;
  private volatile WireStream stream; // set by the thread, read for figures
  private volatile WireId upload;
  private final BlockCodec codec;
  private volatile BlockLine blocks;

  // ---- what the caller has handed over
  private final ArrayDeque<Segment> submitted = new ArrayDeque<>();
  private Event.@Nullable Finish finish;

  // ---- nodes
  private long nextNode;
  private boolean peeking;
  private long leafEndBytes;

  /** Where the last tree ends that was wholly there: its open leaf was, whatever becomes of it. */
  private long coveredBytes;

  /** All since the last durable checkpoint, for the case that the appliance loses them. */
  private final ArrayDeque<PendingNode> kept = new ArrayDeque<>();

  private final TreeMap<Long, PendingNode> unsettled = new TreeMap<>();
  private final Map<Fingerprint, PendingNode> unsettledByFingerprint = new HashMap<>();
  private final Map<Fingerprint, List<PendingNode>> twins = new HashMap<>();
  private final ArrayDeque<PendingNode> toAsk = new ArrayDeque<>();
  private final ArrayDeque<List<PendingNode>> asked = new ArrayDeque<>();
  private final ArrayDeque<PendingNode> toSend = new ArrayDeque<>();
  private final Map<Integer, PendingNode> atServer = new HashMap<>();
  private int answersExpected;
  private final Map<Fingerprint, Boolean> knownNodes = bounded(REMEMBERED_NODES);
  private final Map<Fingerprint, Long> blockOfChunk = bounded(REMEMBERED_CHUNKS);

  // ---- checkpoints and the end
  private record PlannedCheckpoint(long number, ObjectRoot root, long lastNode) {}

  private @Nullable PlannedCheckpoint planned;
  private final ArrayDeque<PlannedCheckpoint> underWay = new ArrayDeque<>();
  private long checkpointNumber;
  private long checkpointedBytes;

  /** What the nodes after the last planned checkpoint may still cost in answers or have cost. */
  private int answersSincePlan;

  private long plannedNode;

  /** Checkpoints that must be durable after a break before more of the item is looked at. */
  private int checkpointsOwed;

  private boolean checkpointSent;
  private @Nullable ObjectRoot root;
  private boolean commitSent;
  private boolean commitUnderWay;
  private int commitAttempts;
  private boolean abortWanted;
  private boolean abortSent;
  private boolean over;

  // ---- figures, read by other threads
  private volatile long durableBytes;
  private volatile long settledBytes;
  private final AtomicLong sentBefore = new AtomicLong();
  private final AtomicLong receivedBefore = new AtomicLong();
  private final AtomicLong sentDataBefore = new AtomicLong();
  private final AtomicInteger reconnectCount = new AtomicInteger();

  Negotiation(
      Connections connections, Workers workers, String store, String item, WriteOptions options)
      throws IOException {
    this.connections = connections;
    this.workers = workers;
    this.store = store;
    this.item = item;
    this.options = options;
    this.ring =
        new SegmentRing(
            connections.settings().bufferBytes(), () -> events.add(new Event.CallerWaits()));
    OpenedUpload opened =
        connections.retrying(connection -> open(connection, options.resume(), options.replace()));
    this.stream = opened.stream();
    this.upload = opened.message().upload();
    this.codec = opened.codec();
    this.blocks = newLine();
    this.durableBytes = opened.message().durableBytes();
    this.checkpointSent = opened.message().resumedFrom() != null;
    this.set = parameterSet(opened.message().parameterSet());
    this.builder = new RecipeBuilder(set, this::node);
  }

  private static ParameterSet parameterSet(int number) throws CatalystException {
    try {
      return ParameterSet.of(number);
    } catch (IllegalArgumentException e) {
      throw new CatalystException(
          ErrorCode.VERSION_UNSUPPORTED, "the store needs a newer client: " + e.getMessage());
    }
  }

  private static <V> Map<Fingerprint, V> bounded(int most) {
    return new LinkedHashMap<>() {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<Fingerprint, V> eldest) {
        return size() > most;
      }
    };
  }

  /** Opens the upload; its frames come as events of the next generation. */
  private OpenedUpload open(Connection connection, WireId resume, boolean replace)
      throws IOException {
    int now = ++generation;
    return OpenedUpload.open(
        connection,
        new Message.OpenUpload(store, item, false, replace, options.compression(), resume),
        connections.settings().requestTime(),
        frame -> events.add(new Event.Arrived(now, frame)),
        why -> events.add(new Event.Ended(now, why)));
  }

  private BlockLine newLine() {
    return new BlockLine(
        stream, workers, codec, finished -> events.add(new Event.BlockDone(finished)));
  }

  // ---- called by the writer

  SegmentRing ring() {
    return ring;
  }

  ParameterSet parameterSet() {
    return set;
  }

  WireId uploadId() {
    return upload;
  }

  /** Takes a segment with at least one chunk; it is hashed at once and used in its turn. */
  void submit(Segment segment) throws IOException {
    ring.add(segment);
    events.add(new Event.Submitted(segment));
    workers.run(tools -> {
      try {
        segment.hash(tools.fingerprinter(set));
        events.add(new Event.Hashed(segment, null));
      } catch (RuntimeException e) {
        events.add(new Event.Hashed(segment, e));
      }
    });
  }

  void requestCommit(long lengthBytes, SortedMap<String, String> tags) {
    events.add(new Event.Finish(lengthBytes, tags));
  }

  void requestAbort() {
    events.add(new Event.Abort());
  }

  void requestClose() {
    events.add(new Event.Close());
  }

  /** Completes with the item, with null after an abort, or with what went wrong. */
  CompletableFuture<CommittedItem> outcome() {
    return outcome;
  }

  UploadStatistics statistics(long logicalBytes, long newBytes) {
    WireStream now = stream;
    return new UploadStatistics(
        logicalBytes,
        Math.min(settledBytes, logicalBytes),
        durableBytes,
        sentDataBefore.get() + blocks.sentRawBytes(),
        sentBefore.get() + now.sentBytes(),
        receivedBefore.get() + now.receivedBytes(),
        newBytes,
        reconnectCount.get());
  }

  // ---- the thread

  @Override
  public void run() {
    try {
      while (!over) {
        try {
          Event event = events.poll();
          if (event == null) {
            pump();
            if (over) {
              break;
            }
            event = next();
          }
          handle(event);
        } catch (IOException e) {
          recover(e);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      fail(new CatalystException(ErrorCode.CANCELLED, "interrupted"));
    } catch (IOException e) {
      fail(Connections.shown(e));
    } catch (RuntimeException e) {
      fail(new IOException("the upload failed: " + e, e));
    } finally {
      leave();
    }
  }

  /** Waits for an event; not for ever when the appliance owes an answer. */
  private Event next() throws InterruptedException, WireException {
    if (asked.isEmpty() && answersExpected == 0 && !commitUnderWay && !abortSent) {
      return events.take();
    }
    long seconds = connections.settings().requestTime().multipliedBy(10).toSeconds();
    Event event = events.poll(seconds, TimeUnit.SECONDS);
    if (event == null) {
      throw new WireException(
          ErrorCode.TIMED_OUT, "the appliance has not answered for " + seconds + " seconds");
    }
    return event;
  }

  private void fail(IOException why) {
    ring.fail(why);
    outcome.completeExceptionally(why);
  }

  private void leave() {
    over = true;
    ring.fail(new IOException("the writer is closed"));
    outcome.completeExceptionally(new IOException("the writer was closed"));
    stream.cancel();
    blocks.drop();
    for (Event event = events.poll(); event != null; event = events.poll()) {
      if (event instanceof Event.BlockDone(BlockLine.Finished block)) {
        block.release();
      }
    }
  }

  private void handle(Event event) throws IOException {
    switch (event) {
      case Event.Submitted(Segment segment) -> submitted.addLast(segment);
      case Event.Hashed(Segment segment, RuntimeException failure) -> {
        if (failure != null) {
          throw failure;
        }
        segment.hashed = true;
      }
      case Event.Arrived(int of, Frame frame) -> {
        if (of == generation) {
          take(frame.message());
        }
      }
      case Event.Ended(int of, IOException why) -> {
        if (of == generation && !over) {
          throw why;
        }
      }
      case Event.BlockDone(BlockLine.Finished block) -> {
        if (block.line() == blocks) {
          blocks.take(block);
        } else {
          block.release();
        }
      }
      case Event.Finish request -> finish = request;
      case Event.Abort() -> abortWanted = true;
      case Event.Close() -> over = true;
      case Event.CallerWaits() -> {}
    }
  }

  // ---- the recipe

  private void feed() throws IOException {
    while (!submitted.isEmpty() && submitted.getFirst().hashed && mayFeed()) {
      Segment segment = submitted.removeFirst();
      for (int i = 0; i < segment.chunkCount; i++) {
        builder.hole(segment.offsets[i] - builder.lengthBytes());
        builder.chunk(segment.fingerprints, i * Fingerprint.BYTES, segment.lengths[i]);
      }
    }
    Event.Finish request = finish;
    if (request != null && submitted.isEmpty() && root == null) {
      builder.hole(request.lengthBytes - builder.lengthBytes());
      root = builder.finish();
    }
  }

  /** Plans the checkpoint that is due; false as long as one is due that cannot be planned. */
  private boolean mayFeed() throws IOException {
    boolean canPlan = planned == null && underWay.size() < 2;
    if (checkpointsOwed > 0) {
      if (unsettled.isEmpty() && planned == null && underWay.isEmpty()) {
        plan();
      }
      return false;
    }
    if (answersSincePlan >= CHECKPOINT_ANSWERS) {
      if (!canPlan) {
        return false;
      }
      plan();
    } else if (canPlan
        && builder.lengthBytes() - checkpointedBytes >= connections.settings().checkpointBytes()) {
      plan();
    }
    return true;
  }

  private void plan() throws IOException {
    peeking = true;
    ObjectRoot soFar = builder.peek();
    peeking = false;
    planned = new PlannedCheckpoint(++checkpointNumber, soFar, nextNode);
    checkpointedBytes = soFar.lengthBytes();
    plannedNode = nextNode;
    answersSincePlan = 0;
  }

  /** Takes a node from the builder; sends nothing. */
  private void node(int level, byte[] bytes, int lengthBytes, byte[] fingerprint) {
    byte[] copy = Arrays.copyOf(bytes, lengthBytes);
    nodeReader.reset(copy, 0, lengthBytes);
    var pending =
        new PendingNode(
            ++nextNode,
            level,
            copy,
            Fingerprint.of(fingerprint, 0),
            nodeReader.entryCount(),
            level == 0 ? leafEndBytes : 0,
            peeking);
    if (level == 0 && !peeking) {
      leafEndBytes += nodeReader.coveredBytes();
    }
    kept.addLast(pending);
    want(pending);
  }

  private void want(PendingNode node) {
    if (knownNodes.containsKey(node.fingerprint)) {
      node.state = State.KNOWN;
      return;
    }
    unsettled.put(node.number, node);
    PendingNode twin = unsettledByFingerprint.putIfAbsent(node.fingerprint, node);
    if (twin == null || twin == node) {
      node.state = State.NEW;
      answersSincePlan += node.mostAnswers();
      toAsk.addLast(node);
    } else {
      node.state = State.TWIN;
      twins.computeIfAbsent(node.fingerprint, f -> new ArrayList<>()).add(node);
    }
  }

  private void known(PendingNode node) {
    node.state = State.KNOWN;
    unsettled.remove(node.number);
    unsettledByFingerprint.remove(node.fingerprint, node);
    knownNodes.put(node.fingerprint, true);
    List<PendingNode> same = twins.remove(node.fingerprint);
    if (same != null) {
      for (PendingNode twin : same) {
        twin.state = State.KNOWN;
        unsettled.remove(twin.number);
      }
    }
    tellSettled();
  }

  private void tellSettled() {
    long upTo = Math.max(leafEndBytes, coveredBytes);
    for (PendingNode node : unsettled.values()) {
      if (node.level == 0) {
        upTo = Math.min(upTo, node.startBytes);
        break;
      }
    }
    settledBytes = upTo;
    ring.settled(upTo);
  }

  // ---- sending what is wanted

  private void pump() throws IOException {
    if (abortWanted) {
      if (!abortSent) {
        abortSent = true;
        stream.send(new Message.Abort());
      }
      return;
    }
    feed();
    boolean callerWaits = ring.isCallerWaiting();
    if (callerWaits && unsettled.isEmpty() && submitted.isEmpty() && planned == null) {
      // The open leaf covers more than the buffer holds (long runs of great chunks): settle it as
      // it is.
      plan();
    }
    boolean urgent = finish != null || planned != null || callerWaits || checkpointsOwed > 0;
    ask(urgent || submitted.isEmpty());
    sendNodes();
    if (urgent && blocks.hasOpen() && noMoreLackingIsComing()) {
      blocks.endOpen();
    }
    blocks.start();
    blocks.send();
    settle();
    sendCheckpoint();
    sendCommit();
  }

  /** Nothing under way can add to the open block, so waiting for more would be in vain. */
  private boolean noMoreLackingIsComing() {
    return (asked.isEmpty() && toAsk.isEmpty() && answersExpected == 0)
        || atServer.size() >= MAX_WAITING_NODES;
  }

  private void ask(boolean few) throws IOException {
    while (asked.size() < MAX_QUESTIONS
        && (toAsk.size() >= ASK_NODES || (few && !toAsk.isEmpty()))) {
      int n = Math.min(ASK_NODES, toAsk.size());
      var batch = new ArrayList<PendingNode>(n);
      byte[] fingerprints = new byte[n * Fingerprint.BYTES];
      for (int i = 0; i < n; i++) {
        PendingNode node = toAsk.removeFirst();
        node.fingerprint.writeTo(fingerprints, i * Fingerprint.BYTES);
        node.state = State.ASKED;
        batch.add(node);
      }
      asked.addLast(batch);
      stream.send(new Message.Have(ChunkKind.NODE, n, fingerprints));
    }
  }

  private void sendNodes() throws IOException {
    while (!toSend.isEmpty() && atServer.size() < MAX_WAITING_NODES) {
      send(toSend.removeFirst());
    }
    // An inner node is sent when everything made before it, its children among it, is there.
    Map.Entry<Long, PendingNode> first = unsettled.firstEntry();
    if (first != null && first.getValue().level > 0 && first.getValue().state == State.ABSENT) {
      send(first.getValue());
    }
  }

  private void send(PendingNode node) throws IOException {
    node.state = State.SENT;
    atServer.put(node.wireNumber(), node);
    answersExpected++;
    stream.send(new Message.Node(node.wireNumber(), node.level, Slice.of(node.node)));
  }

  private void settle() throws IOException {
    for (PendingNode node : List.copyOf(atServer.values())) {
      boolean ready =
          node.state == State.LACKING
              && (node.level == 0
                  ? node.lastBlock <= blocks.sentNumber()
                  : unsettled.firstKey() == node.number);
      if (ready) {
        node.state = State.SETTLING;
        answersExpected++;
        stream.send(new Message.Settle(node.wireNumber()));
      }
    }
  }

  private void sendCheckpoint() throws IOException {
    PlannedCheckpoint due = planned;
    if (due != null && (unsettled.isEmpty() || unsettled.firstKey() > due.lastNode)) {
      planned = null;
      underWay.addLast(due);
      coveredBytes = due.root.lengthBytes();
      tellSettled();
      checkpointSent = true;
      stream.send(new Message.Checkpoint(due.number, due.root));
    }
  }

  private void sendCommit() throws IOException {
    Event.Finish request = finish;
    ObjectRoot whole = root;
    if (request == null
        || whole == null
        || commitUnderWay
        || !unsettled.isEmpty()
        || !blocks.isEmpty()) {
      return;
    }
    if (++commitAttempts > MAX_ATTEMPTS * 4) {
      throw new CatalystException(
          ErrorCode.CONFLICT, "the appliance lost what it had again and again");
    }
    commitSent = true;
    commitUnderWay = true;
    stream.send(
        new Message.Commit(command, whole, options.replace(), request.tags, options.lockDays()));
  }

  // ---- taking answers

  private void take(Message message) throws IOException {
    switch (message) {
      case Message.HaveAnswer(Bits present) -> takeHave(present);
      case Message.NodeAnswer(int number, Bits lacking) -> takeNodeAnswer(number, lacking);
      case Message.Checkpointed(long number, long durable) -> takeCheckpoint(number, durable);
      case Message.Committed(ItemInfo made, long newBytes, String warning) ->
          committed(made, newBytes, warning);
      case Message.Lacking lacking -> takeLacking(lacking);
      case Message.Done() -> {
        stream.finish();
        outcome.complete(null);
        over = true;
      }
      default -> throw WireException.malformed(message.type() + " in a low-bandwidth upload");
    }
  }

  private void takeHave(Bits present) throws WireException {
    List<PendingNode> batch = asked.pollFirst();
    if (batch == null || present.count() != batch.size()) {
      throw WireException.malformed("an answer of " + present.count() + " that fits no question");
    }
    for (int i = 0; i < batch.size(); i++) {
      PendingNode node = batch.get(i);
      if (present.get(i)) {
        if (node.number > plannedNode) {
          answersSincePlan -= node.mostAnswers() - 1;
        }
        known(node);
      } else {
        absent(node);
      }
    }
  }

  private void absent(PendingNode node) {
    node.state = State.ABSENT;
    if (node.level == 0) {
      toSend.addLast(node);
    }
  }

  private void takeNodeAnswer(int number, Bits lacking) throws IOException {
    PendingNode node = atServer.get(number);
    if (node == null
        || (node.state != State.SENT && node.state != State.SETTLING)
        || lacking.count() != node.entryCount) {
      throw WireException.malformed("an answer about node " + number + " that fits none");
    }
    answersExpected--;
    if (lacking.allClear()) {
      atServer.remove(number);
      known(node);
      return;
    }
    node.state = State.LACKING;
    if (++node.attempts > MAX_ATTEMPTS) {
      throw new CatalystException(
          ErrorCode.CONFLICT, "the appliance lacks again and again what it was sent: " + node);
    }
    if (node.level == 0) {
      sendChunks(node, lacking, node.attempts > 1);
    } else {
      wantChildren(node, lacking);
    }
  }

  /** Puts what a leaf lacks into blocks. */
  private void sendChunks(PendingNode leaf, Bits lacking, boolean again) throws IOException {
    nodeReader.reset(leaf.node, 0, leaf.node.length);
    long offset = leaf.startBytes;
    for (int i = 0; nodeReader.next(); i++) {
      if (lacking.get(i)) {
        if (nodeReader.entryType() != EntryType.CHUNK) {
          throw WireException.malformed("a " + nodeReader.entryType() + " cannot be lacking");
        }
        Fingerprint fingerprint = nodeReader.fingerprint();
        Long block = again ? null : blockOfChunk.get(fingerprint);
        if (block == null) {
          block = blocks.add(bytesOf(offset, nodeReader.chunkLengthBytes(), fingerprint));
          blockOfChunk.put(fingerprint, block);
        }
        leaf.lastBlock = Math.max(leaf.lastBlock, block);
      }
      offset += nodeReader.lengthBytes();
    }
  }

  /** Finds a chunk in the buffer, else reads it again. */
  private SegmentRing.ChunkBytes bytesOf(long offset, int lengthBytes, Fingerprint fingerprint)
      throws IOException {
    SegmentRing.ChunkBytes there = ring.find(offset, lengthBytes);
    if (there != null) {
      return there;
    }
    RereadableSource source = options.source();
    if (source == null) {
      throw new CatalystException(
          ErrorCode.CONFLICT,
          "the appliance lost the item's bytes from "
              + offset
              + " on, they are no longer in this client's buffer, and the source cannot be read"
              + " again");
    }
    byte[] again = new byte[lengthBytes];
    source.read(offset, ByteBuffer.wrap(again));
    if (!new Fingerprinter(set).fingerprint(again, 0, lengthBytes).equals(fingerprint)) {
      throw new CatalystException(
          ErrorCode.CONFLICT,
          "the source has changed at " + offset + " since it was read the first time");
    }
    return new SegmentRing.ChunkBytes(again, 0, lengthBytes);
  }

  /** An inner node whose child was there is told that it is gone: the child is wanted again. */
  private void wantChildren(PendingNode parent, Bits lacking) throws CatalystException {
    nodeReader.reset(parent.node, 0, parent.node.length);
    Set<Fingerprint> gone = new HashSet<>();
    for (int i = 0; nodeReader.next(); i++) {
      if (lacking.get(i)) {
        gone.add(nodeReader.fingerprint());
      }
    }
    wantAgain(gone);
  }

  private void wantAgain(Set<Fingerprint> gone) throws CatalystException {
    Set<Fingerprint> missing = new HashSet<>(gone);
    for (PendingNode node : kept) {
      if (node.state == State.KNOWN && missing.remove(node.fingerprint)) {
        knownNodes.remove(node.fingerprint);
        want(node);
        if (node.state == State.NEW) {
          toAsk.remove(node);
          absent(node);
        }
      } else if (node.state != State.KNOWN) {
        missing.remove(node.fingerprint);
      }
    }
    if (!missing.isEmpty()) {
      throw new CatalystException(
          ErrorCode.CONFLICT, "the appliance lost nodes that a durable checkpoint covered");
    }
    tellSettled();
  }

  private void takeCheckpoint(long number, long durable) throws WireException {
    PlannedCheckpoint done = underWay.pollFirst();
    if (done == null || done.number != number) {
      throw WireException.malformed("checkpoint " + number + " was not asked for");
    }
    durableBytes = durable;
    checkpointsOwed = Math.max(0, checkpointsOwed - 1);
    while (!kept.isEmpty() && kept.getFirst().number <= done.lastNode) {
      kept.removeFirst();
    }
    ProgressListener listener = options.progress();
    if (listener != null) {
      listener.progress(statistics(builder.lengthBytes(), -1));
    }
  }

  /** At the commit something turns out to be gone that had been there. */
  private void takeLacking(Message.Lacking lacking) throws IOException {
    commitUnderWay = false;
    Set<Fingerprint> data = fingerprints(lacking.data(), lacking.dataCount());
    if (!data.isEmpty()) {
      sendLost(data);
    }
    wantAgain(fingerprints(lacking.nodes(), lacking.nodeCount()));
  }

  private static Set<Fingerprint> fingerprints(byte[] slots, int count) {
    Set<Fingerprint> all = new HashSet<>();
    for (int i = 0; i < count; i++) {
      all.add(Fingerprint.of(slots, i * Fingerprint.BYTES));
    }
    return all;
  }

  private void sendLost(Set<Fingerprint> gone) throws IOException {
    for (PendingNode leaf : kept) {
      if (leaf.level > 0 || leaf.provisional || gone.isEmpty()) {
        continue;
      }
      nodeReader.reset(leaf.node, 0, leaf.node.length);
      long offset = leaf.startBytes;
      while (nodeReader.next()) {
        if (nodeReader.entryType() == EntryType.CHUNK && gone.remove(nodeReader.fingerprint())) {
          Fingerprint fingerprint = nodeReader.fingerprint();
          blockOfChunk.put(
              fingerprint, blocks.add(bytesOf(offset, nodeReader.chunkLengthBytes(), fingerprint)));
        }
        offset += nodeReader.lengthBytes();
      }
    }
    if (!gone.isEmpty()) {
      throw new CatalystException(
          ErrorCode.CONFLICT, "the appliance lost chunks that a durable checkpoint covered");
    }
    blocks.endOpen();
  }

  private void committed(ItemInfo made, long newBytes, String warning) {
    durableBytes = made.lengthBytes();
    settledBytes = made.lengthBytes();
    stream.finish();
    UploadStatistics last = statistics(made.lengthBytes(), newBytes);
    ProgressListener listener = options.progress();
    if (listener != null) {
      listener.progress(last);
    }
    outcome.complete(new CommittedItem(made, last, warning));
    over = true;
  }

  // ---- when the connection breaks

  private void recover(IOException first) throws IOException {
    IOException failure = first;
    for (int failures = 0; ; failures++) {
      if (!Connections.isWorthRetrying(failure)
          || failures >= connections.settings().retry().attempts()) {
        throw failure;
      }
      try {
        connections.pause(connections.settings().retry().delay(failures));
        if (commitSent && wasCommitted()) {
          return;
        }
        reopen();
        return;
      } catch (IOException e) {
        failure = e;
      }
    }
  }

  /** Finds out whether the commit whose answer was lost had been done. */
  private boolean wasCommitted() throws IOException {
    Message answer;
    try {
      answer = connections.request(new Message.FindItem(store, item));
    } catch (WireException e) {
      if (e.code() == ErrorCode.NOT_FOUND) {
        return false;
      }
      throw e;
    }
    // An item has the id of its upload. An equal root under a name that had to be free is ours too.
    if (answer instanceof Message.Item(ItemInfo made)
        && (made.id().equals(upload) || (!options.replace() && made.root().equals(root)))) {
      committed(made, made.newBytes(), "");
      return true;
    }
    return false;
  }

  private void reopen() throws IOException {
    Connection connection = connections.get();
    OpenedUpload opened;
    try {
      opened = open(connection, checkpointSent ? upload : WireId.NONE, options.replace());
    } catch (WireException e) {
      if (e.code() == ErrorCode.NOT_FOUND && abortWanted) {
        outcome.complete(null);
        over = true;
        return;
      }
      boolean nothingDurable = durableBytes == 0;
      if (e.code() != ErrorCode.NOT_FOUND || !checkpointSent || !nothingDurable) {
        throw e;
      }
      opened = open(connection, WireId.NONE, options.replace());
    }
    sentBefore.addAndGet(stream.sentBytes());
    receivedBefore.addAndGet(stream.receivedBytes());
    sentDataBefore.addAndGet(blocks.sentRawBytes());
    reconnectCount.incrementAndGet();
    blocks.drop();
    stream = opened.stream();
    upload = opened.message().upload();
    blocks = newLine();
    wantEverythingAgain();
  }

  /**
   * The appliance may have lost all that is not durable: everything since then is asked about
   * again.
   */
  private void wantEverythingAgain() {
    unsettled.clear();
    unsettledByFingerprint.clear();
    twins.clear();
    toAsk.clear();
    asked.clear();
    toSend.clear();
    atServer.clear();
    answersExpected = 0;
    knownNodes.clear();
    blockOfChunk.clear();
    planned = null;
    underWay.clear();
    coveredBytes = 0;
    abortSent = false;
    checkpointedBytes = durableBytes;
    plannedNode = 0;
    answersSincePlan = 0;
    commitUnderWay = false;
    kept.removeIf(node -> node.provisional);
    for (PendingNode node : kept) {
      node.attempts = 0;
      node.lastBlock = 0;
      want(node);
    }
    // With all these answered anew in one interval there is no room for the next ones, until a
    // second checkpoint lets go of what the first has covered.
    checkpointsOwed = answersSincePlan >= CHECKPOINT_ANSWERS ? 2 : 0;
    tellSettled();
  }
}
