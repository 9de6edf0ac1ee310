package onefold.store;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.store.RefusedException.Reason;
import org.jspecify.annotations.Nullable;

/**
 * The face of shares over maps and byte arrays: the model that a real store is compared with, and
 * what tests of the file layer stand on. One lock; nothing outlives the process.
 *
 * <p>Besides the face it lets a test do what otherwise needs bad luck: {@link #crash} loses what
 * was not durable, {@link #hold} lets changes of trees wait for {@link #release}, {@link
 * #failAfter} cuts the power between two changes, {@link #setFull} fills the disk.
 */
public final class MemoryShareStore implements ShareStore {
  private static final int PAGE_BYTES = 4096;

  /** Some bytes of a content; those that are neither data nor reserved are a hole. */
  private static final class Page {
    private final byte[] bytes = new byte[PAGE_BYTES];
    private final BitSet data = new BitSet();
    private final BitSet reserved = new BitSet();

    private Page copy() {
      Page copy = new Page();
      System.arraycopy(bytes, 0, copy.bytes, 0, PAGE_BYTES);
      copy.data.or(data);
      copy.reserved.or(reserved);
      return copy;
    }
  }

  private static final class Content {
    private final TreeMap<Long, Page> pages = new TreeMap<>();
    private long lengthBytes;

    private Content copy() {
      Content copy = new Content();
      pages.forEach((index, page) -> copy.pages.put(index, page.copy()));
      copy.lengthBytes = lengthBytes;
      return copy;
    }

    private long dataBytes() {
      return pages.values().stream().mapToLong(page -> page.data.cardinality()).sum();
    }

    private void clear(long from, long to) {
      List<Long> gone = new ArrayList<>();
      pages
          .subMap(from / PAGE_BYTES, true, (to - 1) / PAGE_BYTES, true)
          .forEach((index, page) -> {
            int start = (int) Math.max(0, from - index * PAGE_BYTES);
            int end = (int) Math.min(PAGE_BYTES, to - index * PAGE_BYTES);
            Arrays.fill(page.bytes, start, end, (byte) 0);
            page.data.clear(start, end);
            page.reserved.clear(start, end);
            if (page.data.isEmpty() && page.reserved.isEmpty()) {
              gone.add(index);
            }
          });
      gone.forEach(pages::remove);
    }

    private void put(long position, byte[] source, int offset, int length) {
      for (int done = 0; done < length; ) {
        long at = position + done;
        Page page = pages.computeIfAbsent(at / PAGE_BYTES, index -> new Page());
        int start = (int) (at % PAGE_BYTES);
        int count = Math.min(length - done, PAGE_BYTES - start);
        System.arraycopy(source, offset + done, page.bytes, start, count);
        page.data.set(start, start + count);
        page.reserved.clear(start, start + count);
        done += count;
      }
      lengthBytes = Math.max(lengthBytes, position + length);
    }

    private void get(long position, byte[] target, int offset, int length) {
      for (int done = 0; done < length; ) {
        long at = position + done;
        int start = (int) (at % PAGE_BYTES);
        int count = Math.min(length - done, PAGE_BYTES - start);
        Page page = pages.get(at / PAGE_BYTES);
        if (page == null) {
          Arrays.fill(target, offset + done, offset + done + count, (byte) 0);
        } else {
          System.arraycopy(page.bytes, start, target, offset + done, count);
        }
        done += count;
      }
    }
  }

  private static final class State {
    private final Id id;
    private Content content = new Content();
    private Content durable = new Content();
    private byte[] note = new byte[0];
    private byte[] durableNote = new byte[0];
    private long changes;
    private long durableChanges;
    private long folded;
    private int openers;

    private State(Id id) {
      this.id = id;
    }
  }

  private static final class Tree {
    private ShareRecord record;
    private final TreeMap<byte[], ShareEntry> entries = new TreeMap<>(Arrays::compareUnsigned);

    private Tree(ShareRecord record) {
      this.record = record;
    }
  }

  /** What takes back one change of a tree that is not durable. */
  private record Undo(Tree tree, byte[] key, @Nullable ShareEntry before, int batch) {}

  /** The model copies bytes, where the engine refers to what is stored. */
  private static final int MAX_COPY_BYTES = 8 << 20;

  private final RandomGenerator random;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile int maxCopyBytes = MAX_COPY_BYTES;
  // All guarded by lock.
  private final Map<Id, Tree> trees = new HashMap<>();
  private final Map<Id, State> objects = new HashMap<>();
  private final Map<ObjectRoot, Content> roots = new HashMap<>();
  private final Deque<Undo> undo = new ArrayDeque<>();
  private final List<CompletableFuture<Void>> waiting = new ArrayList<>();
  private final Id domainId;
  private boolean held;
  private boolean full;

  private long changesLeft = Long.MAX_VALUE;
  private int batch;
  private int durableBatch;
  private long rootCount;
  private long startNumber = 1;
  private long storeTimeMillis = 1_700_000_000_000L;
  private long forceCount;

  public MemoryShareStore(RandomGenerator random) {
    this.random = random;
    this.domainId = Id.random(random);
  }

  // ---- what tests do to it

  /** The only domain. */
  public Id domainId() {
    return domainId;
  }

  /**
   * Loses what is not durable: of the trees' changes a part from the end, of contents all that was
   * not forced; and begins anew. Whatever was opened before must not be used any more.
   */
  public void crash() {
    lock.lock();
    try {
      int kept = durableBatch + random.nextInt(batch - durableBatch + 1);
      while (!undo.isEmpty() && undo.getLast().batch > kept) {
        Undo last = undo.removeLast();
        if (last.before == null) {
          last.tree.entries.remove(last.key);
        } else {
          last.tree.entries.put(last.key, last.before);
        }
      }
      undo.clear();
      durableBatch = batch;
      for (State state : objects.values()) {
        state.content = state.durable.copy();
        state.note = state.durableNote;
        state.changes = state.durableChanges;
        state.folded = Math.min(state.folded, state.changes);
        state.openers = 0;
      }
      IOException gone = new IOException("the store has crashed");
      waiting.forEach(stage -> stage.completeExceptionally(gone));
      waiting.clear();
      held = false;
      changesLeft = Long.MAX_VALUE;
      startNumber++;
    } finally {
      lock.unlock();
    }
  }

  /** Keeps changes of trees from becoming durable until {@link #release}. */
  public void hold() {
    lock.lock();
    try {
      held = true;
    } finally {
      lock.unlock();
    }
  }

  /** Makes all changes of trees durable. */
  public void release() {
    List<CompletableFuture<Void>> stages;
    lock.lock();
    try {
      held = false;
      stages = settle();
    } finally {
      lock.unlock();
    }
    stages.forEach(stage -> stage.complete(null));
  }

  /** Lets changes and forces fail after so many more of them. */
  public void failAfter(long changes) {
    lock.lock();
    try {
      changesLeft = changes;
    } finally {
      lock.unlock();
    }
  }

  /** Refuses splices of more bytes, which the model copies, and keeps no larger reservations. */
  public void limitCopies(int bytes) {
    maxCopyBytes = bytes;
  }

  /** Refuses what needs space, or no longer. */
  public void setFull(boolean full) {
    lock.lock();
    try {
      this.full = full;
    } finally {
      lock.unlock();
    }
  }

  /** Lets store time go by. */
  public void advance(long millis) {
    lock.lock();
    try {
      storeTimeMillis += millis;
    } finally {
      lock.unlock();
    }
  }

  /** Objects that somebody has open. */
  public int openObjects() {
    lock.lock();
    try {
      return (int) objects.values().stream().filter(state -> state.openers > 0).count();
    } finally {
      lock.unlock();
    }
  }

  /** Calls of {@link MutableObject#force} that were not refused. */
  public long forceCount() {
    lock.lock();
    try {
      return forceCount;
    } finally {
      lock.unlock();
    }
  }

  /** All entries of a share, for comparing. */
  public List<ShareEntry> entries(Id shareId) throws IOException {
    lock.lock();
    try {
      return List.copyOf(tree(shareId).entries.values());
    } finally {
      lock.unlock();
    }
  }

  // ---- shares

  @Override
  public List<ShareRecord> shares() {
    lock.lock();
    try {
      return records(record -> !record.snapshot());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<ShareRecord> findShare(String name) {
    lock.lock();
    try {
      return records(record -> record.name().equals(name)).stream().findFirst();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ShareRecord createShare(Id commandId, String name, Id domain, byte[] settings)
      throws IOException {
    lock.lock();
    try {
      Names.checkStoreName(name);
      if (!domain.equals(domainId)) {
        throw new RefusedException(Reason.NOT_FOUND, "domain " + domain + " does not exist");
      }
      return make(name, settings.clone(), false).record;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ShareRecord updateShare(Id commandId, Id shareId, byte[] settings) throws IOException {
    lock.lock();
    try {
      Tree tree = tree(shareId);
      ShareRecord old = tree.record;
      if (old.snapshot()) {
        throw new RefusedException(Reason.INVALID_REQUEST, old.name() + " is a snapshot");
      }
      tree.record =
          new ShareRecord(
              old.id(), old.name(), old.domainId(), old.createdAtMillis(), settings.clone(), false);
      return tree.record;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void deleteShare(Id commandId, Id shareId, boolean withFiles) throws IOException {
    lock.lock();
    try {
      Tree tree = tree(shareId);
      boolean kept =
          !tree.record.snapshot()
              && ((!withFiles && !tree.entries.isEmpty())
                  || !records(r -> r.name().startsWith(tree.record.name() + "@")).isEmpty());
      if (kept) {
        throw new RefusedException(Reason.NOT_EMPTY, "share " + tree.record.name());
      }
      trees.remove(shareId);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ShareRecord copyShare(Id commandId, Id sourceId, String name, boolean snapshot)
      throws IOException {
    lock.lock();
    try {
      Tree source = tree(sourceId);
      Names.checkStoreName(name);
      Tree copy =
          make(
              snapshot ? source.record.name() + "@" + name : name,
              source.record.settings(),
              snapshot);
      for (ShareEntry entry : source.entries.values()) {
        ShareEntry as = entry;
        if (entry.object().isPresent()) {
          // Another id, so that the copies go their own ways.
          ShareObject folded = fold(state(entry.object().get()));
          as =
              new ShareEntry(
                  entry.key(),
                  Optional.of(
                      new ShareObject(
                          Id.random(random), folded.root(), 0, folded.dataBytes(), folded.note())),
                  entry.value());
        }
        copy.entries.put(as.key(), as);
      }
      return copy.record;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<ShareRecord> shareSnapshots(Id shareId) throws IOException {
    lock.lock();
    try {
      String prefix = tree(shareId).record.name() + "@";
      return records(record -> record.snapshot() && record.name().startsWith(prefix));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ShareTree shareTree(Id shareId) throws IOException {
    lock.lock();
    try {
      return new TreeView(tree(shareId));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public MutableObject openObject(Id shareId, byte[] key) throws IOException {
    lock.lock();
    try {
      Tree tree = tree(shareId);
      ShareEntry entry = tree.entries.get(key);
      if (entry == null || entry.object().isEmpty()) {
        throw new RefusedException(Reason.NOT_FOUND, "no object under this key");
      }
      State state = state(entry.object().get());
      state.openers++;
      return new OpenObject(tree, key.clone(), state);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<Unfolded> unfolded(Id shareId, Id objectId) {
    lock.lock();
    try {
      State state = objects.get(objectId);
      return state == null || state.changes == state.folded
          ? Optional.empty()
          : Optional.of(new Unfolded(state.content.lengthBytes, state.note.clone()));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long storeTimeMillis() {
    lock.lock();
    try {
      return storeTimeMillis;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long startNumber() {
    lock.lock();
    try {
      return startNumber;
    } finally {
      lock.unlock();
    }
  }

  // ---- inside, under the lock

  private List<ShareRecord> records(Predicate<ShareRecord> wanted) {
    return trees.values().stream()
        .map(tree -> tree.record)
        .filter(wanted)
        .sorted(Comparator.comparing(ShareRecord::name))
        .toList();
  }

  private Tree make(String name, byte[] settings, boolean snapshot) throws RefusedException {
    if (!records(record -> record.name().equals(name)).isEmpty()) {
      throw new RefusedException(Reason.EXISTS, "share " + name + " exists");
    }
    Tree tree =
        new Tree(
            new ShareRecord(
                Id.random(random), name, domainId, storeTimeMillis, settings, snapshot));
    trees.put(tree.record.id(), tree);
    return tree;
  }

  private Tree tree(Id shareId) throws RefusedException {
    Tree tree = trees.get(shareId);
    if (tree == null) {
      throw new RefusedException(Reason.NOT_FOUND, "share " + shareId + " does not exist");
    }
    return tree;
  }

  private State state(ShareObject object) {
    return objects.computeIfAbsent(
        object.id(),
        id -> {
          State state = new State(id);
          if (object.root().lengthBytes() > 0) {
            state.content = content(object.root()).copy();
            state.durable = state.content.copy();
          }
          state.note = object.note().clone();
          state.durableNote = state.note;
          state.changes = object.folded();
          state.durableChanges = object.folded();
          state.folded = object.folded();
          return state;
        });
  }

  private Content content(ObjectRoot root) {
    Content content = roots.get(root);
    if (content == null) {
      throw new IllegalArgumentException("no such recipe: " + root);
    }
    return content;
  }

  private ShareObject fold(State state) {
    ObjectRoot root = ShareObject.empty(state.id, ParameterSet.SET_1).root();
    if (state.content.lengthBytes > 0) {
      root = new ObjectRoot(new Fingerprint(0, 0, 0, ++rootCount), 0, state.content.lengthBytes);
      roots.put(root, state.content.copy());
    }
    state.durable = state.content.copy();
    state.durableNote = state.note;
    state.durableChanges = state.changes;
    state.folded = state.changes;
    return new ShareObject(
        state.id, root, state.folded, state.content.dataBytes(), state.note.clone());
  }

  private void count() throws IOException {
    if (changesLeft <= 0) {
      throw new IOException("the power is off");
    }
    changesLeft--;
  }

  private List<CompletableFuture<Void>> settle() {
    durableBatch = batch;
    undo.clear();
    List<CompletableFuture<Void>> stages = List.copyOf(waiting);
    waiting.clear();
    return stages;
  }

  private final class TreeView implements ShareTree {
    private final Tree tree;

    private TreeView(Tree tree) {
      this.tree = tree;
    }

    @Override
    public Optional<ShareEntry> find(byte[] key) throws IOException {
      lock.lock();
      try {
        tree(tree.record.id());
        return Optional.ofNullable(tree.entries.get(key));
      } finally {
        lock.unlock();
      }
    }

    @Override
    public List<ShareEntry> scan(byte[] prefix, byte[] after, int limit) throws IOException {
      if (limit < 1 || limit > MAX_CHANGES) {
        throw new IllegalArgumentException("limit " + limit);
      }
      lock.lock();
      try {
        tree(tree.record.id());
        boolean fromPrefix = Arrays.compareUnsigned(after, prefix) < 0;
        List<ShareEntry> found = new ArrayList<>();
        for (ShareEntry entry :
            tree.entries.tailMap(fromPrefix ? prefix : after, fromPrefix).values()) {
          byte[] key = entry.key();
          boolean begins =
              key.length >= prefix.length
                  && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
          if (!begins || found.size() == limit) {
            break;
          }
          found.add(entry);
        }
        return found;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public CompletionStage<Void> change(List<ShareChange> changes) throws IOException {
      if (changes.isEmpty() || changes.size() > MAX_CHANGES) {
        throw new IllegalArgumentException(changes.size() + " changes");
      }
      for (ShareChange change : changes) {
        check(change);
      }
      lock.lock();
      try {
        tree(tree.record.id());
        if (tree.record.snapshot()) {
          throw new RefusedException(Reason.READ_ONLY, tree.record.name() + " is a snapshot");
        }
        if (full && changes.stream().noneMatch(change -> change instanceof ShareChange.Remove)) {
          throw new StoreFullException("the disk is full");
        }
        count();
        batch++;
        for (ShareChange change : changes) {
          byte[] key = change.key().clone();
          ShareEntry before = tree.entries.get(key);
          undo.add(new Undo(tree, key, before, batch));
          apply(change, key, before);
        }
        if (held) {
          CompletableFuture<Void> stage = new CompletableFuture<>();
          waiting.add(stage);
          return stage;
        }
        settle();
        return CompletableFuture.completedStage(null);
      } finally {
        lock.unlock();
      }
    }

    private void apply(ShareChange change, byte[] key, @Nullable ShareEntry before) {
      switch (change) {
        case ShareChange.SetValue(byte[] _, byte[] value) ->
            tree.entries.put(
                key,
                new ShareEntry(
                    key, before == null ? Optional.empty() : before.object(), value.clone()));
        case ShareChange.SetEntry(ShareEntry entry) ->
            tree.entries.put(key, new ShareEntry(key, entry.object(), entry.value().clone()));
        case ShareChange.SetObject(byte[] _, ShareObject object) -> {
          if (before != null
              && before.object().isPresent()
              && before.object().get().id().equals(object.id())
              && before.object().get().folded() < object.folded()) {
            tree.entries.put(key, new ShareEntry(key, Optional.of(object), before.value()));
          }
        }
        case ShareChange.Remove(byte[] _) -> tree.entries.remove(key);
      }
    }

    private void check(ShareChange change) {
      int keyBytes = change.key().length;
      if (keyBytes < 1 || keyBytes > MAX_KEY_BYTES) {
        throw new IllegalArgumentException("key of " + keyBytes + " bytes");
      }
      int valueBytes =
          switch (change) {
            case ShareChange.SetValue set -> set.value().length;
            case ShareChange.SetEntry set -> set.entry().value().length;
            case ShareChange.SetObject _ -> 0;
            case ShareChange.Remove _ -> 0;
          };
      if (valueBytes > MAX_VALUE_BYTES) {
        throw new IllegalArgumentException("value of " + valueBytes + " bytes");
      }
    }
  }

  private final class OpenObject implements MutableObject {
    private final Tree tree;
    private final byte[] key;
    private final State state;
    private boolean closed; // guarded by lock

    private OpenObject(Tree tree, byte[] key, State state) {
      this.tree = tree;
      this.key = key;
      this.state = state;
    }

    @Override
    public Id objectId() {
      return state.id;
    }

    @Override
    public long lengthBytes() {
      lock.lock();
      try {
        return state.content.lengthBytes;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public long dataBytes() {
      lock.lock();
      try {
        return state.content.dataBytes();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public byte[] note() {
      lock.lock();
      try {
        return state.note.clone();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public int read(long positionBytes, byte[] target, int offset, int lengthBytes) {
      lock.lock();
      try {
        checkOpen();
        if (positionBytes >= state.content.lengthBytes) {
          return -1;
        }
        int count = (int) Math.min(lengthBytes, state.content.lengthBytes - positionBytes);
        // Short now and then, as the face allows.
        if (count > 1 && random.nextInt(8) == 0) {
          count = 1 + random.nextInt(count - 1);
        }
        state.content.get(positionBytes, target, offset, count);
        return count;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void write(long positionBytes, byte[] source, int offset, int lengthBytes)
        throws IOException {
      if (positionBytes < 0 || lengthBytes < 0 || lengthBytes > MAX_WRITE_BYTES) {
        throw new IllegalArgumentException(lengthBytes + " bytes at " + positionBytes);
      }
      change(() -> state.content.put(positionBytes, source, offset, lengthBytes));
    }

    @Override
    public void setLength(long lengthBytes) throws IOException {
      change(() -> {
        if (lengthBytes < state.content.lengthBytes) {
          state.content.clear(lengthBytes, state.content.lengthBytes);
        }
        state.content.lengthBytes = lengthBytes;
      });
    }

    @Override
    public void punch(long positionBytes, long lengthBytes) throws IOException {
      change(() -> {
        long end = Math.min(state.content.lengthBytes, positionBytes + lengthBytes);
        if (end > positionBytes) {
          state.content.clear(positionBytes, end);
        }
      });
    }

    @Override
    public void reserve(long positionBytes, long lengthBytes) throws IOException {
      change(() -> {
        // The model keeps only the length of a large reservation.
        long end = positionBytes + lengthBytes;
        if (lengthBytes <= Math.min(1 << 20, maxCopyBytes)) {
          for (long at = positionBytes; at < end; at++) {
            Page page = state.content.pages.computeIfAbsent(at / PAGE_BYTES, index -> new Page());
            if (!page.data.get((int) (at % PAGE_BYTES))) {
              page.reserved.set((int) (at % PAGE_BYTES));
            }
          }
        }
        state.content.lengthBytes = Math.max(state.content.lengthBytes, end);
      });
    }

    @Override
    public void splice(
        long positionBytes, ObjectRoot source, long sourcePositionBytes, long lengthBytes)
        throws IOException {
      if (lengthBytes > maxCopyBytes) {
        throw new StoreFullException(lengthBytes + " bytes are more than the model copies");
      }
      change(() -> {
        Content from = content(source);
        if (sourcePositionBytes + lengthBytes > from.lengthBytes) {
          throw new IllegalArgumentException("beyond the source's end");
        }
        byte[] bytes = new byte[(int) lengthBytes];
        from.get(sourcePositionBytes, bytes, 0, bytes.length);
        state.content.put(positionBytes, bytes, 0, bytes.length);
        for (int i = 0; i < bytes.length; i++) {
          long at = sourcePositionBytes + i;
          Page page = from.pages.get(at / PAGE_BYTES);
          if (page == null || !page.data.get((int) (at % PAGE_BYTES))) {
            state.content.clear(positionBytes + i, positionBytes + i + 1);
          }
        }
      });
    }

    @Override
    public long nextData(long positionBytes) {
      lock.lock();
      try {
        for (var entry : state.content.pages.tailMap(positionBytes / PAGE_BYTES).entrySet()) {
          long start = entry.getKey() * PAGE_BYTES;
          int bit = entry.getValue().data.nextSetBit((int) Math.max(0, positionBytes - start));
          if (bit >= 0) {
            return start + bit;
          }
        }
        return -1;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public long nextHole(long positionBytes) {
      lock.lock();
      try {
        long at = positionBytes;
        while (at < state.content.lengthBytes) {
          Page page = state.content.pages.get(at / PAGE_BYTES);
          if (page == null) {
            return at;
          }
          int bit = page.data.nextClearBit((int) (at % PAGE_BYTES));
          if (bit < PAGE_BYTES) {
            return Math.min(state.content.lengthBytes, at / PAGE_BYTES * PAGE_BYTES + bit);
          }
          at = (at / PAGE_BYTES + 1) * PAGE_BYTES;
        }
        return state.content.lengthBytes;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void force(byte[] note) throws IOException {
      if (note.length > ShareObject.MAX_NOTE_BYTES) {
        throw new IllegalArgumentException("note of " + note.length + " bytes");
      }
      lock.lock();
      try {
        checkOpen();
        if (full) {
          throw new StoreFullException("the disk is full");
        }
        count();
        forceCount++;
        state.note = note.clone();
        // A note alone is a change too: it must come back.
        state.changes++;
        state.durable = state.content.copy();
        state.durableNote = state.note;
        state.durableChanges = state.changes;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public ShareObject fold() throws IOException {
      lock.lock();
      try {
        checkOpen();
        count();
        ShareObject folded = MemoryShareStore.this.fold(state);
        ShareEntry before = tree.entries.get(key);
        if (before != null
            && before.object().isPresent()
            && before.object().get().id().equals(state.id)) {
          tree.entries.put(key, new ShareEntry(key, Optional.of(folded), before.value()));
        }
        return folded;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() throws IOException {
      lock.lock();
      try {
        if (closed) {
          return;
        }
        closed = true;
        state.openers--;
        if (state.openers == 0 && changesLeft > 0) {
          state.durable = state.content.copy();
          state.durableChanges = state.changes;
          if (random.nextBoolean()) {
            closed = false;
            fold();
            closed = true;
          }
        }
      } finally {
        lock.unlock();
      }
    }

    private void checkOpen() {
      if (closed) {
        throw new IllegalStateException("object " + state.id + " was closed");
      }
    }

    private void change(Runnable change) throws IOException {
      lock.lock();
      try {
        checkOpen();
        if (full) {
          throw new StoreFullException("the disk is full");
        }
        if (changesLeft <= 0) {
          throw new IOException("the power is off");
        }
        change.run();
        state.changes++;
      } finally {
        lock.unlock();
      }
    }
  }
}
