package onefold.appliance.analyze;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import onefold.appliance.tree.Exclusions;
import onefold.appliance.tree.TreeProgress;
import onefold.appliance.tree.TreeSink;
import onefold.appliance.tree.TreeSummary;
import onefold.appliance.tree.TreeWriter;

/**
 * Runs generations through every chunk size at once. A generation is a file or a directory tree,
 * read once, as the stream that {@code backup} would send.
 */
public final class Analysis implements AutoCloseable {
  /** Bytes handed to all sizes at a time; two such buffers exist. */
  private static final int BUFFER_BYTES = 4 << 20;

  private static final int[] MEANS = {4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10};
  private static final int FIXED_BYTES = 2 << 20;

  /** Sizes other than the product's own compress one block in so many. */
  private static final int COMPRESSED_ONE_IN = 8;

  private final List<SizeAnalysis> sizes = new ArrayList<>();
  private final ExecutorService pool;

  /** Makes an analysis that uses {@code threads} threads besides the caller's. */
  public Analysis(int threads) {
    pool =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().name("analyze-", 0).daemon(true).factory());
    for (int mean : MEANS) {
      sizes.add(SizeAnalysis.ofMean(mean, mean == 8 << 10 ? 1 : COMPRESSED_ONE_IN));
    }
    sizes.add(SizeAnalysis.ofFixed(FIXED_BYTES, COMPRESSED_ONE_IN));
  }

  /**
   * One generation's figures.
   *
   * @param path what was read
   * @param tree files, bytes and gaps
   * @param alone what this generation added, per size
   * @param cumulative all generations so far, per size
   */
  public record Generation(
      Path path, TreeSummary tree, List<SizeFigures> alone, List<SizeFigures> cumulative) {}

  /**
   * Adds a generation.
   *
   * @throws IOException if the path does not exist or cannot be opened; unreadable files below it
   *     are gaps
   */
  public Generation add(Path path, TreeProgress progress) throws IOException {
    List<SizeFigures> before = figures();
    TreeSummary summary;
    Feed feed = new Feed();
    try (TreeWriter writer = new TreeWriter(feed, new Exclusions(List.of()), false, progress)) {
      summary = writer.write(List.of(path));
    }
    feed.flush(true);
    feed.await();
    for (SizeAnalysis size : sizes) {
      size.endGeneration();
    }
    List<SizeFigures> after = figures();
    List<SizeFigures> alone = new ArrayList<>();
    for (int i = 0; i < after.size(); i++) {
      alone.add(after.get(i).minus(before.get(i)));
    }
    return new Generation(path, summary, alone, after);
  }

  /** Figures of all generations so far, in order of size, the fixed one last. */
  public List<SizeFigures> figures() {
    return sizes.stream().map(SizeAnalysis::figures).toList();
  }

  @Override
  public void close() {
    pool.shutdownNow();
    sizes.forEach(SizeAnalysis::close);
  }

  /** Collects the stream and hands full buffers to the pool while the next one fills. */
  private final class Feed implements TreeSink {
    private byte[] filling = new byte[BUFFER_BYTES];
    private byte[] working = new byte[BUFFER_BYTES];
    private int filled;
    private List<Future<?>> tasks = List.of();

    @Override
    public void write(byte[] source, int offset, int lengthBytes) throws IOException {
      int done = 0;
      while (done < lengthBytes) {
        int part = Math.min(lengthBytes - done, filling.length - filled);
        System.arraycopy(source, offset + done, filling, filled, part);
        filled += part;
        done += part;
        if (filled == filling.length) {
          flush(false);
        }
      }
    }

    @Override
    public void cut() throws IOException {
      flush(true);
    }

    void flush(boolean end) throws IOException {
      await();
      byte[] full = filling;
      int length = filled;
      filling = working;
      working = full;
      filled = 0;
      List<Future<?>> started = new ArrayList<>();
      for (SizeAnalysis size : sizes) {
        Callable<Boolean> task =
            () -> {
              size.take(full, length, end);
              return true;
            };
        started.add(pool.submit(task));
      }
      tasks = started;
    }

    void await() throws IOException {
      for (Future<?> task : tasks) {
        try {
          task.get();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IOException("interrupted", e);
        } catch (ExecutionException e) {
          throw new IOException("analysis failed: " + e.getCause(), e);
        }
      }
      tasks = List.of();
    }
  }
}
