package onefold.store.catalog;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.IOException;
import java.util.Optional;
import onefold.chunker.Fingerprint;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.catalog.CatalogValues.State;
import org.jspecify.annotations.Nullable;

/**
 * Everything that has a name: a deterministic state machine whose changes are {@link
 * CatalogCommand}s, over ordered copy-on-write trees of pages. The same commands in the same order
 * give the same answers and the same pages.
 *
 * <p>Changes lie in memory, above the pages, until a {@link CatalogFold} has brought them into new
 * pages. So the way of a change is: {@link #stage} it, append it to the journal, {@link #publish}
 * it when it is durable; after a crash, {@link #open} the last durable root and {@link #apply} what
 * the journal holds beyond its position.
 *
 * <p>One thread at a time, the applier, calls everything but {@link #view()}, which any thread may
 * call at any time.
 */
public final class Catalog {
  /** Commands whose first answers are remembered; the oldest are forgotten first. */
  public static final int MAX_REMEMBERED_COMMANDS = 16_384;

  /** Bytes of all remembered answers together; the oldest are forgotten first. */
  public static final long MAX_REMEMBERED_BYTES = 8 << 20;

  /**
   * Unfinished uploads of one store, unless {@link CatalogCommand.SetUnfinishedLimits} says
   * otherwise.
   */
  public static final long MAX_UNFINISHED_COUNT = 1_000;

  /**
   * Their logical bytes together, unless {@link CatalogCommand.SetUnfinishedLimits} says otherwise.
   */
  public static final long MAX_UNFINISHED_BYTES = 100L << 40;

  /** Most domains of an appliance. */
  public static final int MAX_DOMAINS = 1_000;

  /** Most stores of an appliance. */
  public static final int MAX_STORES = 10_000;

  /** Most shares of an appliance, without snapshots. */
  public static final int MAX_SHARES = 1_000;

  /** Bytes of unfolded changes, in memory, from which a fold is wanted. */
  public static final long FOLD_BYTES = 8 << 20;

  /** Bytes of unfolded changes beyond which new commands must wait for a fold. */
  public static final long MAX_UNFOLDED_BYTES = 64 << 20;

  /**
   * What the applier works on: a view, its state decoded, and where the answers of commands lie.
   */
  private record Tip(CatalogView view, State state, @Nullable PersistentMap<Id, Long> remembered) {}

  /** What readers see; everything in it is durable when the engine keeps the order above. */
  private volatile CatalogView published;

  /** What readers will see next, staged commands included. */
  private Tip tip;

  /** The tip as it was published, to go back to. */
  private Tip publishedTip;

  private long position;

  /** The fold that is under way, or the last one that failed. */
  private @Nullable CatalogFold folding;

  private Catalog(CatalogView view, State state, long position) {
    this.published = view;
    this.tip = new Tip(view, state, null);
    this.publishedTip = tip;
    this.position = position;
  }

  /**
   * Makes an empty catalog.
   *
   * @param cacheBytes how much memory the cache of pages may take
   */
  public static Catalog create(NodeStore nodes, long cacheBytes) {
    CatalogView view =
        new CatalogView(new PageTree(nodes, cacheBytes), null, Layer.EMPTY, Layer.EMPTY);
    return new Catalog(view, State.FIRST, -1);
  }

  /**
   * Opens a catalog as a fold has left it. Reads the pages on the way from the root page to the
   * catalog's state, and no others.
   *
   * @param cacheBytes how much memory the cache of pages may take
   * @throws CorruptDataException if the root page is damaged or is not that of {@code root}
   */
  public static Catalog open(NodeStore nodes, CatalogRoot root, long cacheBytes)
      throws IOException {
    PageTree.Root base = new PageTree.Root(root.page(), root.level());
    CatalogView view =
        new CatalogView(new PageTree(nodes, cacheBytes), base, Layer.EMPTY, Layer.EMPTY);
    State state = view.state();
    if (state.version() != root.version() || state.epoch() != root.epoch()) {
      throw new CorruptDataException(
          "catalog page " + root.page(),
          -1,
          "version " + root.version() + ", epoch " + root.epoch(),
          "version " + state.version() + ", epoch " + state.epoch());
    }
    return new Catalog(view, state, root.position());
  }

  /**
   * Reads which root a page is, for whoever has lost the root itself.
   *
   * @param position of the journal that the root is to have
   * @return empty if it is no page of the tree of roots, or is damaged on the way to the catalog's
   *     state; a page below the root answers as if it were one, with a lower level
   */
  public static Optional<CatalogRoot> rootAt(NodeStore nodes, Fingerprint page, long position)
      throws IOException {
    try {
      byte[] bytes = nodes.get(page);
      if (!CatalogPageFormat.isPage(bytes, 0, bytes.length)
          || CatalogPageFormat.kind(bytes, 0) != CatalogKeys.ROOTS) {
        return Optional.empty();
      }
      int level = CatalogPageFormat.level(bytes, 0, bytes.length);
      CatalogView view =
          new CatalogView(
              new PageTree(nodes, 0), new PageTree.Root(page, level), Layer.EMPTY, Layer.EMPTY);
      State state = view.state();
      return Optional.of(new CatalogRoot(page, level, position, state.epoch(), state.version()));
    } catch (CorruptDataException e) {
      return Optional.empty();
    }
  }

  /** Returns the catalog as it is published now; any thread may call this. */
  public CatalogView view() {
    return published;
  }

  /** Returns the position of the last command published, or -1. */
  public long position() {
    return position;
  }

  /**
   * Answers what {@link #stage} would answer now, and changes nothing. A refusal found here is not
   * remembered: the command has not happened, and may be tried again with the same id.
   */
  public CatalogReply validate(CatalogCommand command) throws IOException {
    Tip before = tip;
    try {
      return stage(command);
    } finally {
      tip = before;
    }
  }

  /**
   * Applies a command on top of all others, not yet for readers to see. A command whose id is
   * remembered gives its first answer and changes nothing.
   *
   * @throws IOException if a page cannot be read; nothing has happened
   */
  public CatalogReply stage(CatalogCommand command) throws IOException {
    Id commandId = command.stamp().commandId();
    boolean remember = !commandId.equals(CatalogCommand.NO_ID);
    PersistentMap<Id, Long> remembered = tip.remembered;
    if (remember) {
      if (remembered == null) {
        remembered = remembered(tip.view);
        tip = new Tip(tip.view, tip.state, remembered);
      }
      Long sequence = remembered.get(commandId);
      if (sequence != null) {
        return CatalogValues.readAnswer(answer(tip.view, sequence));
      }
    }
    Applying applying = new Applying(tip.view, tip.state);
    CatalogReply reply = applying.apply(command);
    CatalogView view = applying.view();
    State state = applying.state();
    if (remember && remembered != null) {
      byte[] answer = CatalogValues.answer(commandId, reply);
      view = view.with(CatalogKeys.answer(state.nextSequence()), answer);
      remembered = remembered.put(commandId, state.nextSequence());
      long oldest = state.oldestSequence();
      long bytes = state.rememberedBytes() + answer.length;
      while (remembered.size() > MAX_REMEMBERED_COMMANDS || bytes > MAX_REMEMBERED_BYTES) {
        byte[] forgotten = answer(view, oldest);
        remembered = remembered.remove(CatalogValues.answeredCommand(forgotten));
        view = view.with(CatalogKeys.answer(oldest), Layer.REMOVED);
        bytes -= forgotten.length;
        oldest++;
      }
      state = state.remembering(state.nextSequence() + 1, oldest, bytes);
    }
    if (!state.equals(tip.state)) {
      view = view.with(CatalogKeys.state(), state.encode());
    }
    tip = new Tip(view, state, remembered);
    return reply;
  }

  /**
   * Lets readers see everything that is staged.
   *
   * @param newPosition of the last staged command in the journal, above the last published one;
   *     after a fold the catalog says so by {@link CatalogRoot#position()}
   */
  public void publish(long newPosition) {
    if (newPosition <= position) {
      throw new IllegalArgumentException("position " + newPosition + " is not above " + position);
    }
    position = newPosition;
    published = tip.view;
    publishedTip = tip;
  }

  /** Forgets everything that is staged and not published, because it did not become durable. */
  public void discard() {
    tip = publishedTip;
  }

  /** Stages and publishes one command, as when the journal is replayed. */
  @CanIgnoreReturnValue
  public CatalogReply apply(CatalogCommand command, long newPosition) throws IOException {
    if (newPosition <= position) {
      throw new IllegalArgumentException("position " + newPosition + " is not above " + position);
    }
    CatalogReply reply = stage(command);
    publish(newPosition);
    return reply;
  }

  /** Returns about how many bytes of memory the changes take that are not yet in pages. */
  public long unfoldedBytes() {
    return tip.view.frozen().bytes() + tip.view.active().bytes();
  }

  /** Tells whether a fold should begin: none is under way and there is enough to fold. */
  public boolean foldWanted() {
    return folding == null && unfoldedBytes() >= FOLD_BYTES;
  }

  /** Tells whether new commands must wait until a fold has ended. */
  public boolean isFull() {
    return unfoldedBytes() >= MAX_UNFOLDED_BYTES;
  }

  /**
   * Begins a fold of everything published so far. Any thread may then run {@link
   * CatalogFold#write}, while commands go on; when it has ended and its root is durable, the
   * applier calls {@link #finish}. If writing fails, another fold takes its changes along with the
   * newer ones.
   *
   * @throws IllegalStateException if commands are staged and not published, or nothing has ever
   *     been applied
   */
  public CatalogFold fold() {
    if (tip.view != published) {
      throw new IllegalStateException("a fold cannot begin while commands are staged");
    }
    if (position < 0 && published.base() == null && published.active().isEmpty()) {
      throw new IllegalStateException("there is nothing to fold");
    }
    CatalogView view = published.freeze();
    published = view;
    tip = new Tip(view, tip.state, tip.remembered);
    publishedTip = tip;
    CatalogFold fold = new CatalogFold(view, tip.state, position);
    folding = fold;
    return fold;
  }

  /**
   * Puts the catalog on the pages of a fold, which takes its changes out of memory.
   *
   * @throws IllegalArgumentException if it is not the last one begun, or its pages are not written
   */
  public void finish(CatalogFold fold) {
    if (fold != folding) {
      throw new IllegalArgumentException("not the fold that was begun last");
    }
    PageTree.Root base = fold.base();
    CatalogView view = published.onto(base);
    boolean staged = tip.view != published;
    published = view;
    publishedTip = new Tip(view, publishedTip.state, publishedTip.remembered);
    tip = staged ? new Tip(tip.view.onto(base), tip.state, tip.remembered) : publishedTip;
    folding = null;
  }

  /**
   * Gives up a fold that could not be written or whose root could not be made durable. The catalog
   * is as it was; the next fold takes the changes of this one along.
   *
   * @throws IllegalArgumentException if it is not the last one begun
   */
  public void abandon(CatalogFold fold) {
    if (fold != folding) {
      throw new IllegalArgumentException("not the fold that was begun last");
    }
    folding = null;
  }

  /** Reads where the remembered answers lie, once; their number and bytes are bounded. */
  private static PersistentMap<Id, Long> remembered(CatalogView view) throws IOException {
    PersistentMap<Id, Long> remembered = PersistentMap.empty(Id::compareTo);
    byte[] prefix = CatalogKeys.answers();
    CatalogView.Walk walk = view.walk(prefix, null);
    while (walk.next()) {
      long sequence =
          new ByteReader("key of an answer", walk.key(), prefix.length, walk.key().length)
              .u64BigEndian();
      remembered = remembered.put(CatalogValues.answeredCommand(walk.value()), sequence);
    }
    return remembered;
  }

  private static byte[] answer(CatalogView view, long sequence) throws IOException {
    byte[] answer = view.get(CatalogKeys.answer(sequence));
    if (answer == null) {
      throw new CorruptDataException("catalog", -1, "the remembered answer " + sequence, "none");
    }
    return answer;
  }
}
