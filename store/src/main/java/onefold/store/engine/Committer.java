package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.catalog.CatalogCommand;
import onefold.store.catalog.CatalogCommandFormat;
import onefold.store.catalog.CatalogReply;
import onefold.store.scheduler.BoundedQueue;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.TaskHandle;
import org.jspecify.annotations.Nullable;

/**
 * The one task that changes the catalog. It takes all commands that wait, makes durable whatever
 * they may refer to, appends them to the journal as one record, applies them in that order, and
 * answers.
 *
 * <p>Two barriers a group: all touched containers in parallel, then the journal. A group whose
 * containers have grown by less than {@value #REDO_BYTES} bytes puts those bytes into the journal
 * instead and needs one.
 *
 * <p>Bounds: {@value #QUEUE} commands wait, then their senders do; a group takes at most {@value
 * #GROUP} commands and {@value #GROUP_BYTES} bytes of them.
 */
final class Committer {
  static final int QUEUE = 1024;
  static final int GROUP = 256;
  static final int GROUP_BYTES = 1 << 20;
  static final int REDO_BYTES = 256 << 10;

  /** For checkpoints that nobody asked for; the engine shows their failures itself. */
  private static final Listener IGNORED =
      new Listener() {
        @Override
        public void replied(CatalogReply reply) {}

        @Override
        public void failed(Throwable failure) {}
      };

  private final Scheduler scheduler;
  private final Ground ground;
  private final BoundedQueue<Work> queue;
  private final TaskHandle task;

  /** Why nothing can be committed any more; written by the task. */
  private volatile @Nullable Throwable failure;

  /** Hears what came of a command, on the committer's task; must not wait. */
  interface Listener {
    void replied(CatalogReply reply);

    void failed(Throwable failure);
  }

  /** What the committer works on. */
  interface Ground {
    /**
     * Makes one record durable that carries these commands and names how far the domains'
     * containers reach, and applies the commands.
     *
     * @return one outcome for each command
     * @throws IOException if the record is not durable and never will be; nothing has happened
     */
    List<Outcome> commit(Set<Domain> touched, List<CatalogCommand> commands) throws IOException;

    /**
     * Folds the catalog and moves the superblock.
     *
     * @throws IOException if it could not; the old superblock stands
     */
    void checkpoint() throws IOException;

    /** Whether enough has been journalled for a checkpoint. */
    boolean checkpointDue();

    /** Hears that nothing can be committed any more. */
    void broken(Throwable failure);
  }

  /** What came of one command of a group. */
  sealed interface Outcome {
    /** It was applied, or refused. */
    record Replied(CatalogReply reply) implements Outcome {}

    /** What it needed could not be read; it has not happened. */
    record Failed(IOException failure) implements Outcome {}
  }

  private sealed interface Work {
    Listener listener();

    /** A command; with a domain if it refers to chunks. */
    record Change(@Nullable Domain domain, CatalogCommand command, int bytes, Listener listener)
        implements Work {}

    /** A checkpoint that somebody waits for. */
    record Fold(Listener listener) implements Work {}
  }

  Committer(Scheduler scheduler, Ground ground) {
    this.scheduler = scheduler;
    this.ground = ground;
    this.queue = scheduler.queue("commits", QUEUE);
    this.task = scheduler.start("committer", this::run);
  }

  /**
   * Hands in a command.
   *
   * @param domain whose chunks it refers to; null if to none
   */
  void submit(@Nullable Domain domain, CatalogCommand command, Listener listener)
      throws IOException {
    put(new Work.Change(domain, command, CatalogCommandFormat.encode(command).length, listener));
  }

  /** As the other {@code submit}, with a promise. */
  Promise<CatalogReply> submit(@Nullable Domain domain, CatalogCommand command) throws IOException {
    Promise<CatalogReply> promise = scheduler.promise();
    submit(domain, command, keeping(promise));
    return promise;
  }

  /** Asks for a checkpoint and waits for it. */
  void checkpoint() throws IOException {
    Promise<CatalogReply> promise = scheduler.promise();
    put(new Work.Fold(keeping(promise)));
    promise.await();
  }

  private void put(Work work) throws IOException {
    checkNotStopped();
    try {
      queue.put(work);
    } catch (IllegalStateException e) {
      checkNotStopped(); // The queue was closed, maybe while this waited for room in it.
      throw new RefusedException(Reason.SHUTTING_DOWN, "the store is closing");
    }
  }

  private void checkNotStopped() throws IOException {
    Throwable reason = failure;
    if (reason != null) {
      throw new IOException("the store has stopped: " + reason.getMessage(), reason);
    }
  }

  private static Listener keeping(Promise<CatalogReply> promise) {
    return new Listener() {
      @Override
      public void replied(CatalogReply reply) {
        promise.complete(reply);
      }

      @Override
      public void failed(Throwable failure) {
        promise.fail(failure);
      }
    };
  }

  /** Whether nothing can be committed any more. */
  boolean isBroken() {
    return failure != null;
  }

  /** Finishes what waits and ends the task. */
  void close() {
    queue.close();
    task.join();
  }

  private void run() {
    Work work;
    while ((work = queue.take()) != null) {
      List<Work> waiting = new ArrayList<>();
      waiting.add(work);
      queue.drainTo(waiting, GROUP - 1);
      try {
        process(waiting);
      } catch (RuntimeException | Error e) {
        // Nobody knows what of the group is durable: the only way on is recovery.
        fail(e, waiting);
        return;
      }
    }
  }

  private void process(List<Work> waiting) {
    int at = 0;
    while (at < waiting.size()) {
      if (waiting.get(at) instanceof Work.Fold fold) {
        fold(fold.listener());
        at++;
      } else {
        at = commitGroup(waiting, at);
      }
    }
    if (ground.checkpointDue()) {
      fold(IGNORED);
    }
  }

  private void fold(Listener listener) {
    try {
      ground.checkpoint();
      listener.replied(new CatalogReply.Done(new CatalogReply.Nothing()));
    } catch (IOException e) {
      listener.failed(e);
    }
  }

  private int commitGroup(List<Work> waiting, int from) {
    List<CatalogCommand> commands = new ArrayList<>();
    List<Listener> listeners = new ArrayList<>();
    Set<Domain> touched = new LinkedHashSet<>();
    int bytes = 0;
    int at = from;
    while (at < waiting.size()
        && waiting.get(at) instanceof Work.Change change
        && (commands.isEmpty() || bytes + change.bytes() <= GROUP_BYTES)) {
      commands.add(change.command());
      listeners.add(change.listener());
      bytes += change.bytes();
      if (change.domain() != null) {
        touched.add(change.domain());
      }
      at++;
    }
    try {
      List<Outcome> outcomes = ground.commit(touched, commands);
      for (int i = 0; i < listeners.size(); i++) {
        switch (outcomes.get(i)) {
          case Outcome.Replied(CatalogReply reply) -> listeners.get(i).replied(reply);
          case Outcome.Failed(IOException failed) -> listeners.get(i).failed(failed);
        }
      }
    } catch (IOException e) {
      for (Listener listener : listeners) {
        listener.failed(e);
      }
    }
    return at;
  }

  private void fail(Throwable reason, List<Work> waiting) {
    failure = reason;
    ground.broken(reason);
    queue.close();
    List<Work> rest = new ArrayList<>(waiting);
    Work work;
    while ((work = queue.take()) != null) {
      rest.add(work);
    }
    for (Work left : rest) {
      left.listener().failed(reason);
    }
  }
}
