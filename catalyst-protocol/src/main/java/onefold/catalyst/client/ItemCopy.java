package onefold.catalyst.client;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import onefold.catalyst.client.CopyNode.State;
import onefold.catalyst.wire.Bits;
import onefold.catalyst.wire.CompressionChoice;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.Frame;
import onefold.catalyst.wire.FrameFormat;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.Slice;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireId;
import onefold.catalyst.wire.WireStream;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.NodeReader;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Copies an object that is at hand in stored form to a peer as an item, sending only what the peer
 * lacks: the recipe is compared from its root down, and only nodes that the peer lacks are opened.
 *
 * <p>A node that is sent is the question for everything right below it: the answer says what is
 * lacking there. So many questions are under way that the line's latency costs about as many round
 * trips as the recipe has levels. Leaves that are lacking are turned into blocks by {@link
 * CopyBlocks}.
 *
 * <p>Every half second in which half a mebibyte was sent, the tree as far as it is there without a
 * gap is made durable with the peer, so that a peer that is killed costs about a second. After a
 * break of the line the walk begins at the root again and finds the nodes that are there.
 *
 * <p>One thread calls {@link #run}; others may ask for figures, or close it.
 */
public final class ItemCopy implements AutoCloseable {
  /** Leaves under way; each stands for about a mebibyte of the object. */
  private static final int MAX_LEAVES = 48;

  /** Inner nodes under way on each level; the peer keeps at most 256 nodes for us. */
  private static final int MAX_INNER_NODES = 4;

  /** A range of the object that is lacking is turned into blocks when it has grown to this. */
  private static final long MAX_RANGE_BYTES = 2 << 20;

  /** Have-answers after which a checkpoint is due; the protocol allows 32,768. */
  private static final int CHECKPOINT_ANSWERS = 16_000;

  /** Least time and least bytes between two checkpoints. */
  private static final long CHECKPOINT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private static final long CHECKPOINT_SENT_BYTES = 512 << 10;

  /** Nodes and chunks remembered as being there, so that repetitions are not sent again. */
  private static final int REMEMBERED_NODES = 16_384;

  private static final int REMEMBERED_CHUNKS = 65_536;

  /** How often the same node may turn out to lack something again. */
  private static final int MAX_ATTEMPTS = 16;

  /** How often a commit may find something gone. */
  private static final int MAX_COMMITS = 8;

  private sealed interface Event {
    record Arrived(int generation, Frame frame) implements Event {}

    record Ended(int generation, IOException why) implements Event {}

    record Closed() implements Event {}
  }

  /** The source cannot be read: no other connection helps. */
  private static final class SourceFailure extends IOException {
    private static final long serialVersionUID = 1L;

    private final IOException why;

    private SourceFailure(IOException why) {
      super(why);
      this.why = why;
    }
  }

  /** A range of the object that the peer lacks. */
  private static final class Lacking {
    private final long startBytes;
    private long endBytes;

    /** What can be settled when it and all ranges before it were sent. */
    private final List<CopyNode> leaves = new ArrayList<>();

    private Lacking(long startBytes) {
      this.startBytes = startBytes;
      this.endBytes = startBytes;
    }

    long lengthBytes() {
      return endBytes - startBytes;
    }
  }

  /** A tree up to a place, on its way to be a checkpoint. */
  private static final class Planned {
    private final long number;
    private final ObjectRoot root;
    private int answersOwed;
    private boolean failed;

    private Planned(long number, ObjectRoot root) {
      this.number = number;
      this.root = root;
    }
  }

  private final Connections connections;
  private final String store;
  private final String item;
  private final CopySource source;
  private final CopyOptions options;
  private final WireId command = WireId.random(new SecureRandom());
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final ParameterSet set;
  private final NodeReader reader = new NodeReader();

  // ---- the connection
  private final ReentrantLock figures = new ReentrantLock();
  private WireStream stream; // guarded by figures for other threads; the copy's own writes it
  private long sentBefore; // guarded by figures
  private long receivedBefore; // guarded by figures
  private int generation;
  private volatile WireId upload;
  private final CopyBlocks blocks;

  /** Whether it was the line that failed while the source was being read. */
  private boolean lineFailed;

  // ---- the walk
  private CopyNode root;
  private int nextNumber;
  private final List<ArrayDeque<CopyNode>> wanted = new ArrayList<>();
  private final int[] underWayCount = new int[ObjectRoot.MAX_LEVEL + 1];
  private final Map<Integer, CopyNode> atPeer = new LinkedHashMap<>();
  private final Map<Fingerprint, CopyNode> underWay = new HashMap<>();
  private final Map<Fingerprint, Boolean> knownNodes = bounded(REMEMBERED_NODES);
  private final Map<Fingerprint, Boolean> sentChunks = bounded(REMEMBERED_CHUNKS);
  private int answersOwed;

  /** Leaves that were sent, of which it is not known yet what the peer lacks. */
  private int leafAnswersOwed;

  /** Ranges of the object that are lacking, in order; the last one may still grow. */
  private final ArrayDeque<Lacking> ranges = new ArrayDeque<>();

  // ---- checkpoints and the end
  private final Map<Integer, Planned> spineNodes = new HashMap<>();
  private @Nullable Planned planned;
  private final ArrayDeque<Planned> checkpoints = new ArrayDeque<>();
  private long checkpointNumber;
  private long plannedNanos;
  private long plannedSentBytes;
  private int answersSincePlan;
  private boolean checkpointSent;
  private boolean commitSent;
  private boolean commitUnderWay;
  private int commitCount;
  private @Nullable CommittedCopy outcome;

  // ---- figures, read by other threads
  private volatile long settledBytes;
  private volatile long durableBytes;
  private final AtomicLong nodeCount = new AtomicLong();
  private final AtomicLong roundTripCount = new AtomicLong();
  private final AtomicLong reconnectCount = new AtomicLong();

  ItemCopy(
      Connections connections, String store, String item, CopySource source, CopyOptions options)
      throws IOException {
    this.connections = connections;
    this.store = store;
    this.item = item;
    this.source = source;
    this.options = options;
    try {
      this.set = ParameterSet.of(source.parameterSet());
    } catch (IllegalArgumentException e) {
      throw new CatalystException(ErrorCode.VERSION_UNSUPPORTED, String.valueOf(e.getMessage()));
    }
    for (int level = 0; level <= ObjectRoot.MAX_LEVEL; level++) {
      wanted.add(new ArrayDeque<>());
    }
    this.root = newRoot();
    OpenedUpload opened = connections.retrying(connection -> open(connection, options.resume()));
    this.stream = opened.stream();
    this.upload = opened.message().upload();
    this.durableBytes = opened.message().durableBytes();
    this.checkpointSent = opened.message().resumedFrom() != null;
    this.roundTripCount.set(1);
    boolean fits = false;
    try {
      if (opened.message().parameterSet() != set.number()) {
        throw new CatalystException(
            ErrorCode.INVALID_REQUEST,
            "store '%s' cuts by parameter set %d, the object was cut by set %d"
                .formatted(store, opened.message().parameterSet(), set.number()));
      }
      this.blocks = new CopyBlocks(opened.codec(), this::sendBlock);
      fits = true;
    } finally {
      if (!fits) {
        opened.stream().cancel();
      }
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
  private OpenedUpload open(Connection connection, WireId resume) throws IOException {
    int now = ++generation;
    return OpenedUpload.open(
        connection,
        new Message.OpenUpload(
            store, item, false, options.replace(), CompressionChoice.STORE_DEFAULT, resume),
        connections.settings().requestTime(),
        frame -> events.add(new Event.Arrived(now, frame)),
        why -> events.add(new Event.Ended(now, why)));
  }

  // ---- the face

  /** Returns the upload's id, by which it is resumed or aborted. */
  public WireId uploadId() {
    return upload;
  }

  /**
   * Sends what the peer lacks and commits; the copy is durable when it returns. May be called once.
   * Connects again by the client's retry policy when the line breaks.
   *
   * @throws CatalystException if the peer refuses, or the copy was closed meanwhile
   * @throws IOException of the source, or if the line breaks for good
   */
  public CommittedCopy run() throws IOException {
    try {
      want(root);
      while (true) {
        try {
          CommittedCopy done = outcome;
          if (done != null) {
            return done;
          }
          Event event = events.poll();
          if (event == null) {
            if (pump()) {
              continue; // Answers may have come meanwhile, and go first.
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
      throw new CatalystException(ErrorCode.CANCELLED, "interrupted");
    } catch (SourceFailure e) {
      throw e.why;
    } catch (IOException e) {
      throw Connections.shown(e);
    } finally {
      stream.cancel();
      blocks.close();
    }
  }

  /** Returns the figures so far. */
  public CopyStatistics statistics() {
    figures.lock();
    try {
      return new CopyStatistics(
          source.root().lengthBytes(),
          settledBytes,
          durableBytes,
          sentBefore + stream.sentBytes(),
          receivedBefore + stream.receivedBytes(),
          blocks.sentRawBytes(),
          nodeCount.get(),
          blocks.readCount(),
          blocks.storedCount(),
          blocks.packedCount(),
          roundTripCount.get(),
          reconnectCount.get());
    } finally {
      figures.unlock();
    }
  }

  /** Ends {@link #run}; what the last durable checkpoint covers stays as an unfinished upload. */
  @Override
  public void close() {
    events.add(new Event.Closed());
    figures.lock();
    try {
      stream.cancel();
    } finally {
      figures.unlock();
    }
  }

  // ---- events

  private Event next() throws InterruptedException, WireException {
    if (answersOwed == 0 && checkpoints.isEmpty() && !commitUnderWay) {
      throw new IllegalStateException("the copy waits for nothing: " + root);
    }
    roundTripCount.incrementAndGet();
    long seconds = connections.settings().requestTime().multipliedBy(10).toSeconds();
    Event event = events.poll(seconds, TimeUnit.SECONDS);
    if (event == null) {
      throw new WireException(
          ErrorCode.TIMED_OUT, "the appliance has not answered for " + seconds + " seconds");
    }
    return event;
  }

  private void handle(Event event) throws IOException {
    switch (event) {
      case Event.Arrived(int of, Frame frame) -> {
        if (of == generation) {
          take(frame.message());
        }
      }
      case Event.Ended(int of, IOException why) -> {
        if (of == generation && outcome == null) {
          throw why;
        }
      }
      case Event.Closed() ->
          throw new CatalystException(ErrorCode.CANCELLED, "the copy was called off");
    }
  }

  private void take(Message message) throws IOException {
    switch (message) {
      case Message.NodeAnswer(int number, Bits lacking) -> takeAnswer(number, lacking);
      case Message.Checkpointed(long number, long durable) -> {
        Planned done = checkpoints.pollFirst();
        if (done == null || done.number != number) {
          throw WireException.malformed("checkpoint " + number + " was not asked for");
        }
        durableBytes = durable;
      }
      case Message.Committed(ItemInfo made, long newBytes, String warning) ->
          committed(made, newBytes, warning);
      case Message.Lacking _ -> {
        commitUnderWay = false;
        walkAgain();
      }
      default -> throw WireException.malformed(message.type() + " in a copy");
    }
  }

  // ---- the walk

  private CopyNode newRoot() {
    ObjectRoot object = source.root();
    return new CopyNode(++nextNumber, object.level(), object.node(), 0, object.lengthBytes());
  }

  /** Puts a node in line, unless it is there or under way already. */
  private void want(CopyNode node) {
    if (knownNodes.containsKey(node.fingerprint)) {
      node.state = State.KNOWN;
      return;
    }
    CopyNode first = underWay.putIfAbsent(node.fingerprint, node);
    if (first == null || first == node) {
      node.state = State.WANTED;
      wanted.get(node.level).addLast(node);
    } else {
      node.twinOf = first;
    }
  }

  private void wantAgain(CopyNode node) throws CatalystException {
    if (++node.attempts > MAX_ATTEMPTS) {
      throw lackingAgain(node);
    }
    knownNodes.remove(node.fingerprint);
    node.twinOf = null;
    node.gathered = false;
    want(node);
  }

  private CatalystException lackingAgain(CopyNode node) {
    return new CatalystException(
        ErrorCode.CONFLICT, "the appliance lacks again and again what it was sent: " + node);
  }

  /** Begins at the root again, with nothing taken for known. */
  private void walkAgain() {
    wanted.forEach(ArrayDeque::clear);
    Arrays.fill(underWayCount, 0);
    atPeer.clear();
    underWay.clear();
    knownNodes.clear();
    sentChunks.clear();
    answersOwed = 0;
    leafAnswersOwed = 0;
    ranges.clear();
    blocks.drop();
    spineNodes.clear();
    planned = null;
    root = newRoot();
    want(root);
  }

  /** Sends what can be sent, and at most one range; returns whether it was one. */
  private boolean pump() throws IOException {
    sendNodes();
    Lacking range = ranges.peekFirst();
    // The last one grows as long as a leaf behind it may lengthen it.
    boolean sends = range != null && (ranges.size() > 1 || isDone(range));
    if (sends) {
      send(ranges.removeFirst());
    }
    if (ranges.isEmpty() && leafAnswersOwed == 0) {
      blocks.endOpen();
    }
    settle();
    sendNodes();
    checkpoint();
    commit();
    return sends;
  }

  private boolean isDone(Lacking range) {
    return leafAnswersOwed == 0 || range.lengthBytes() >= MAX_RANGE_BYTES;
  }

  private void sendNodes() throws IOException {
    for (int level = 0; level <= ObjectRoot.MAX_LEVEL; level++) {
      ArrayDeque<CopyNode> queue = wanted.get(level);
      int most = level == 0 ? MAX_LEAVES : MAX_INNER_NODES;
      while (!queue.isEmpty()
          && underWayCount[level] < most
          && answersSincePlan < CHECKPOINT_ANSWERS) {
        send(queue.removeFirst());
      }
    }
  }

  private void send(CopyNode node) throws IOException {
    node.bytes = nodeOf(node.fingerprint);
    reader.reset(node.bytes, 0, node.bytes.length);
    if (reader.level() != node.level || reader.coveredBytes() != node.lengthBytes) {
      throw new CatalystException(
          ErrorCode.CORRUPT_DATA,
          "a recipe says of its node that it has level %d over %d bytes, it has level %d over %d"
              .formatted(node.level, node.lengthBytes, reader.level(), reader.coveredBytes()));
    }
    node.entryCount = reader.entryCount();
    node.state = State.SENT;
    atPeer.put(node.number, node);
    underWayCount[node.level]++;
    answersOwed++;
    answersSincePlan += 2 * (node.entryCount + 1); // Now, and when it is settled.
    if (node.level == 0) {
      leafAnswersOwed++;
    }
    nodeCount.incrementAndGet();
    paced(node.bytes.length);
    stream.send(new Message.Node(node.number, node.level, Slice.of(node.bytes)));
  }

  private byte[] nodeOf(Fingerprint fingerprint) throws SourceFailure {
    try {
      return source.node(fingerprint);
    } catch (IOException e) {
      throw new SourceFailure(e);
    }
  }

  private void paced(int payloadBytes) throws IOException {
    try {
      options.pace().before(payloadBytes + FrameFormat.HEADER_BYTES);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WireException(ErrorCode.CANCELLED, "interrupted");
    }
  }

  private void rangeOf(long startBytes, long endBytes, CopySource.Taker taker) throws IOException {
    lineFailed = false;
    try {
      source.range(startBytes, endBytes, taker);
    } catch (IOException e) {
      throw lineFailed ? e : new SourceFailure(e);
    }
  }

  private void sendBlock(byte[] bytes, int offset, int lengthBytes) throws IOException {
    try {
      paced(lengthBytes);
      stream.send(new Message.Block(new Slice(bytes, offset, lengthBytes)));
    } catch (IOException e) {
      lineFailed = true;
      throw e;
    }
  }

  private void takeAnswer(int number, Bits lacking) throws IOException {
    Planned checkpoint = spineNodes.remove(number);
    if (checkpoint != null) {
      answersOwed--;
      checkpoint.answersOwed--;
      checkpoint.failed |= !lacking.allClear();
      return;
    }
    CopyNode node = atPeer.get(number);
    if (node == null
        || (node.state != State.SENT && node.state != State.SETTLING)
        || lacking.count() != node.entryCount) {
      throw WireException.malformed("an answer about node " + number + " that fits none");
    }
    answersOwed--;
    if (node.level == 0 && node.state == State.SENT) {
      leafAnswersOwed--;
    }
    if (lacking.allClear()) {
      known(node);
      return;
    }
    boolean again = node.state == State.SETTLING;
    if (again && ++node.attempts > MAX_ATTEMPTS) {
      throw lackingAgain(node);
    }
    if (again) {
      answersSincePlan += node.entryCount + 1;
    }
    node.state = State.LACKING;
    node.lacking = lacking;
    if (node.level == 0) {
      gather(node, lacking, again);
    } else {
      open(node, lacking);
    }
  }

  private void known(CopyNode node) {
    node.state = State.KNOWN;
    node.bytes = new byte[0];
    node.lacking = null;
    node.children.clear();
    atPeer.remove(node.number);
    underWayCount[node.level]--;
    underWay.remove(node.fingerprint, node);
    knownNodes.put(node.fingerprint, true);
    settledBytes = prefixBytes(root);
  }

  /** Puts the children that the peer lacks in line. */
  private void open(CopyNode parent, Bits lacking) throws IOException {
    reader.reset(parent.bytes, 0, parent.bytes.length);
    long at = parent.startBytes;
    for (int i = 0; reader.next(); i++) {
      long length = reader.lengthBytes();
      if (lacking.get(i)) {
        CopyNode there = parent.children.get(i);
        if (there == null) {
          CopyNode child =
              new CopyNode(++nextNumber, parent.level - 1, reader.fingerprint(), at, length);
          parent.children.put(i, child);
          want(child);
        } else if (there.progress() == State.KNOWN) {
          wantAgain(there); // It was there, and is gone.
        }
      }
      at += length;
    }
  }

  // ---- what leaves lack

  /** Adds what a leaf lacks to the last range, or begins another. */
  private void gather(CopyNode leaf, Bits lacking, boolean again) throws WireException {
    reader.reset(leaf.bytes, 0, leaf.bytes.length);
    long at = leaf.startBytes;
    leaf.gathered = false;
    Lacking last = ranges.peekLast();
    for (int i = 0; reader.next(); i++) {
      long length = reader.lengthBytes();
      if (lacking.get(i)) {
        if (reader.entryType() != EntryType.CHUNK && reader.entryType() != EntryType.SLICE) {
          throw WireException.malformed("a " + reader.entryType() + " cannot be lacking");
        }
        if (sentChunks.put(reader.fingerprint(), true) == null || again) {
          if (last == null || last.endBytes != at || last.lengthBytes() >= MAX_RANGE_BYTES) {
            last = new Lacking(at);
            ranges.addLast(last);
          }
          last.endBytes = at + length;
        }
      }
      at += length;
    }
    if (last == null) {
      last = new Lacking(at); // Everything it lacks was sent for others.
      ranges.addLast(last);
    }
    last.leaves.add(leaf);
  }

  /** Sends or packs a range; its leaves can be settled when the packed block was sent. */
  private void send(Lacking range) throws IOException {
    if (range.lengthBytes() > 0) {
      blocks.send(this::rangeOf, range.startBytes, range.endBytes);
    }
    for (CopyNode leaf : range.leaves) {
      leaf.gathered = true;
      leaf.packedNumber = blocks.lastNumber();
    }
  }

  private void settle() throws IOException {
    // Children come to the peer before their parents, and SETTLE needs no answer for the next one.
    List<CopyNode> waiting = new ArrayList<>(atPeer.values());
    waiting.sort((a, b) -> Integer.compare(a.level, b.level));
    for (CopyNode node : waiting) {
      if (node.state == State.LACKING && isReady(node)) {
        node.state = State.SETTLING;
        answersOwed++;
        stream.send(new Message.Settle(node.number));
      }
    }
  }

  private boolean isReady(CopyNode node) {
    if (node.level == 0) {
      return node.gathered && node.packedNumber <= blocks.sentNumber();
    }
    for (CopyNode child : node.children.values()) {
      State state = child.progress();
      if (state != State.KNOWN && state != State.SETTLING) {
        return false;
      }
    }
    return true;
  }

  // ---- checkpoints and the end

  /** Returns up to where everything is there, from the object's beginning. */
  private static long prefixBytes(CopyNode node) {
    if (node.progress() == State.KNOWN) {
      return node.startBytes + node.lengthBytes;
    }
    if (node.level == 0 || node.lacking == null) {
      return node.startBytes;
    }
    for (CopyNode child : node.children.values()) {
      if (child.progress() != State.KNOWN) {
        CopyNode first = child.twinOf;
        return first == null ? prefixBytes(child) : child.startBytes;
      }
    }
    return node.startBytes + node.lengthBytes;
  }

  private void checkpoint() throws IOException {
    Planned due = planned;
    if (due != null) {
      if (due.answersOwed == 0) {
        planned = null;
        if (due.failed) {
          walkAgain(); // Something that was there is gone.
          sendNodes();
          return;
        }
        checkpoints.addLast(due);
        checkpointSent = true;
        stream.send(new Message.Checkpoint(due.number, due.root));
      }
      return;
    }
    if (root.state == State.KNOWN || commitUnderWay || checkpoints.size() >= 2) {
      return;
    }
    long prefix = prefixBytes(root);
    boolean byAnswers = answersSincePlan >= CHECKPOINT_ANSWERS;
    boolean byBytes =
        stream.sentBytes() - plannedSentBytes >= CHECKPOINT_SENT_BYTES
            && System.nanoTime() - plannedNanos >= CHECKPOINT_NANOS
            && prefix > durableBytes;
    if (byAnswers || byBytes) {
      plan(prefix);
    }
  }

  /** Sends the nodes of the tree up to a place; most of them are there. */
  private void plan(long prefixBytes) throws IOException {
    var spine = new ArrayList<byte[]>();
    var builder =
        new RecipeBuilder(
            set,
            (level, bytes, length, fingerprint) -> {
              if (!knownNodes.containsKey(Fingerprint.of(fingerprint, 0))) {
                spine.add(Arrays.copyOf(bytes, length));
              }
            });
    builder.splice(
        (fingerprints, offset) -> nodeOf(Fingerprint.of(fingerprints, offset)),
        source.root(),
        0,
        prefixBytes);
    ObjectRoot soFar = builder.finish();
    var due = new Planned(++checkpointNumber, soFar);
    planned = due;
    plannedNanos = System.nanoTime();
    answersSincePlan = 0;
    for (byte[] node : spine) {
      reader.reset(node, 0, node.length);
      spineNodes.put(++nextNumber, due);
      due.answersOwed++;
      answersOwed++;
      answersSincePlan += reader.entryCount() + 1;
      nodeCount.incrementAndGet();
      paced(node.length);
      stream.send(new Message.Node(nextNumber, reader.level(), Slice.of(node)));
    }
    plannedSentBytes = stream.sentBytes();
    checkpoint();
  }

  private void commit() throws IOException {
    if (root.state != State.KNOWN || commitUnderWay) {
      return;
    }
    if (++commitCount > MAX_COMMITS) {
      throw new CatalystException(
          ErrorCode.CONFLICT, "the appliance lost what it had again and again");
    }
    commitSent = true;
    commitUnderWay = true;
    stream.send(
        new Message.Commit(
            command, source.root(), options.replace(), options.tags(), options.lockDays()));
  }

  private void committed(ItemInfo made, long newBytes, String warning) {
    durableBytes = made.lengthBytes();
    settledBytes = made.lengthBytes();
    stream.finish();
    outcome = new CommittedCopy(made, newBytes, statistics(), warning);
  }

  // ---- when the connection breaks

  private void recover(IOException first) throws IOException {
    IOException failure = first;
    for (int failures = 0; ; failures++) {
      if (failure instanceof SourceFailure
          || !Connections.isWorthRetrying(failure)
          || failures >= connections.settings().retry().attempts()) {
        throw failure;
      }
      try {
        connections.pause(connections.settings().retry().delay(failures));
        if (!commitSent || !wasCommitted()) {
          reopen();
        }
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
    // An item has the id of its upload.
    if (answer instanceof Message.Item(ItemInfo made) && made.id().equals(upload)) {
      committed(made, made.newBytes(), "");
      return true;
    }
    return false;
  }

  private void reopen() throws IOException {
    Connection connection = connections.get();
    OpenedUpload opened;
    try {
      opened = open(connection, checkpointSent ? upload : WireId.NONE);
    } catch (WireException e) {
      if (e.code() != ErrorCode.NOT_FOUND || !checkpointSent) {
        throw e;
      }
      // Nothing of it had become durable, or somebody has ended it: what is there is found again.
      checkpointSent = false;
      durableBytes = 0;
      opened = open(connection, WireId.NONE);
    }
    figures.lock();
    try {
      sentBefore += stream.sentBytes();
      receivedBefore += stream.receivedBytes();
      stream = opened.stream();
    } finally {
      figures.unlock();
    }
    upload = opened.message().upload();
    durableBytes = opened.message().durableBytes();
    reconnectCount.incrementAndGet();
    plannedSentBytes = 0;
    answersSincePlan = 0;
    checkpoints.clear();
    commitUnderWay = false;
    walkAgain();
  }
}
