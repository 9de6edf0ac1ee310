package onefold.catalyst.client;

import java.util.ArrayDeque;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockReader;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import org.jspecify.annotations.Nullable;

/**
 * The pool that hashes, compresses and decompresses. Its queue is bounded by what its users hand
 * over: segments of a ring, a few blocks a writer, the look-ahead of a reader.
 */
final class Workers implements AutoCloseable {
  private static final long IDLE_SECONDS = 5;

  /** What one thread needs for its work; made once, used again by whichever thread is next. */
  static final class Tools implements AutoCloseable {
    private @Nullable Fingerprinter fingerprinter;
    private int parameterSet;
    private @Nullable BlockReader blockReader;
    private final @Nullable BlockBuilder[] builders =
        new @Nullable BlockBuilder[BlockCodec.values().length];

    Fingerprinter fingerprinter(ParameterSet set) {
      Fingerprinter there = fingerprinter;
      if (there == null || parameterSet != set.number()) {
        there = new Fingerprinter(set);
        fingerprinter = there;
        parameterSet = set.number();
      }
      return there;
    }

    BlockReader blockReader() {
      BlockReader there = blockReader;
      if (there == null) {
        there = new BlockReader();
        blockReader = there;
      }
      return there;
    }

    BlockBuilder blockBuilder(BlockCodec codec) {
      BlockBuilder there = builders[codec.code()];
      if (there == null) {
        there = new BlockBuilder(ChunkKind.DATA, codec, BlockBuilder.INLINE_ZSTD_LEVEL);
        builders[codec.code()] = there;
      }
      there.reset();
      return there;
    }

    @Override
    public void close() {
      if (blockReader != null) {
        blockReader.close();
      }
      for (BlockBuilder builder : builders) {
        if (builder != null) {
          builder.close();
        }
      }
    }
  }

  private final ThreadPoolExecutor threads;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Tools> idleTools = new ArrayDeque<>(); // guarded by lock
  private boolean closed; // guarded by lock

  Workers(int count) {
    var number = new AtomicInteger();
    threads =
        new ThreadPoolExecutor(
            count,
            count,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              var thread = new Thread(task, "catalyst-worker-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
  }

  int count() {
    return threads.getCorePoolSize();
  }

  /** Runs a job on the pool; jobs handle their own failures. */
  void run(Consumer<Tools> job) {
    threads.execute(() -> {
      Tools tools = borrow();
      try {
        job.accept(tools);
      } finally {
        giveBack(tools);
      }
    });
  }

  private Tools borrow() {
    lock.lock();
    try {
      Tools idle = idleTools.pollFirst();
      return idle == null ? new Tools() : idle;
    } finally {
      lock.unlock();
    }
  }

  private void giveBack(Tools tools) {
    lock.lock();
    try {
      if (!closed) {
        idleTools.addFirst(tools);
        return;
      }
    } finally {
      lock.unlock();
    }
    tools.close();
  }

  @Override
  public void close() {
    threads.shutdown();
    lock.lock();
    try {
      closed = true;
      idleTools.forEach(Tools::close);
      idleTools.clear();
    } finally {
      lock.unlock();
    }
  }
}
