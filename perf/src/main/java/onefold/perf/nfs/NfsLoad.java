package onefold.perf.nfs;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import onefold.perf.nfs.Session.Open;

/**
 * Puts rows of load on servers in turn and prints a line of JSON for each row of each.
 *
 * <p>Arguments: {@code [--rows A,B] [--rounds N] [--megabytes M] [--files N] [--batches N]
 * [--connections N] [--slots N] [--settle SECONDS] [--seed S] --target NAME HOST PORT PATH PID
 * ...}.
 */
public final class NfsLoad {
  private static final int BLOCK_BYTES = 1 << 20;
  private static final int PAGE_BYTES = 4096;
  private static final int BATCH_WRITES = 64;
  private static final long TICKS_PER_SECOND = 100;

  private List<String> rows =
      List.of("first", "stored", "read-cold", "read", "random", "files", "files-one");
  private int rounds = 3;
  private int megabytes = 256;
  private int files = 10_000;
  private int batches = 100;
  private int connections = 2;
  private int slots = 8;
  private int settleSeconds = 8;
  private long seed = System.nanoTime();
  private final List<Target> targets = new ArrayList<>();
  private final Map<String, Integer> made = new HashMap<>();

  private record Target(String name, String host, int port, String path, long pid) {}

  /** What a row has done. */
  private record Work(double seconds, long bytes, long operations) {}

  private NfsLoad() {}

  public static void main(String[] arguments)
      throws IOException, InterruptedException, ExecutionException {
    new NfsLoad().take(arguments).run();
  }

  private NfsLoad take(String[] arguments) {
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--rows" -> rows = List.of(arguments[++i].split(",", -1));
        case "--rounds" -> rounds = Integer.parseInt(arguments[++i]);
        case "--megabytes" -> megabytes = Integer.parseInt(arguments[++i]);
        case "--files" -> files = Integer.parseInt(arguments[++i]);
        case "--batches" -> batches = Integer.parseInt(arguments[++i]);
        case "--connections" -> connections = Integer.parseInt(arguments[++i]);
        case "--slots" -> slots = Integer.parseInt(arguments[++i]);
        case "--settle" -> settleSeconds = Integer.parseInt(arguments[++i]);
        case "--seed" -> seed = Long.parseLong(arguments[++i]);
        case "--target" ->
            targets.add(
                new Target(
                    arguments[++i],
                    arguments[++i],
                    Integer.parseInt(arguments[++i]),
                    arguments[++i],
                    Long.parseLong(arguments[++i])));
        default -> throw new IllegalArgumentException(arguments[i]);
      }
    }
    return this;
  }

  private void run() throws IOException, InterruptedException, ExecutionException {
    System.err.println("seed " + seed);
    for (int round = 0; round < rounds; round++) {
      for (String row : rows) {
        for (int i = 0; i < targets.size(); i++) {
          Target target = targets.get((i + round) % targets.size());
          measure(round, row, target);
        }
      }
    }
  }

  private void measure(int round, String row, Target target)
      throws IOException, InterruptedException, ExecutionException {
    try (Session session = new Session(target.host, target.port, connections, slots, target.path)) {
      if (row.equals("read-cold")) {
        Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "3\n");
      }
      double server = cpuSeconds(target.pid);
      double client = ownCpuSeconds();
      Work work = work(round, row, target, session);
      client = ownCpuSeconds() - client;
      double serverDuring = cpuSeconds(target.pid) - server;
      settle(target.pid);
      double serverLater = cpuSeconds(target.pid) - server - serverDuring;
      System.out.println(
          String.format(
              Locale.ROOT,
              "{\"round\": %d, \"row\": \"%s\", \"target\": \"%s\", \"seconds\": %.3f, "
                  + "\"bytes\": %d, \"operations\": %d, \"client_cpu\": %.2f, "
                  + "\"server_cpu\": %.2f, \"server_cpu_later\": %.2f}",
              round,
              row,
              target.name,
              work.seconds,
              work.bytes,
              work.operations,
              client,
              serverDuring,
              serverLater));
      System.out.flush();
    }
  }

  /** Waits until a server has done what it puts off. */
  private void settle(long pid) throws IOException, InterruptedException {
    double before = cpuSeconds(pid);
    int quiet = 0;
    for (int i = 0; quiet < settleSeconds && i < 120; i++) {
      Thread.sleep(1000);
      double now = cpuSeconds(pid);
      quiet = now - before < 0.05 ? quiet + 1 : 0;
      before = now;
    }
  }

  private static double cpuSeconds(long pid) throws IOException {
    String text = Files.readString(Path.of("/proc/" + pid + "/stat"));
    String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / (double) TICKS_PER_SECOND;
  }

  private static double ownCpuSeconds() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getProcessCpuTime() / 1e9
        : 0;
  }

  private Work work(int round, String row, Target target, Session session)
      throws IOException, InterruptedException, ExecutionException {
    // Of another seed for each target, should they ever share a store.
    long content = seed + round * 1_000_003L + target.name.hashCode();
    String file = "load-" + Long.toHexString(seed) + "-" + round;
    return switch (row) {
      case "first" -> write(session, file, content);
      case "stored" -> write(session, file + "-again", content);
      case "read", "read-cold" -> read(session, file, content);
      case "random" -> random(session, file + "-again", content);
      case "files" -> files(session, target, file, content, connections * slots);
      case "files-one" -> files(session, target, file, content, 1);
      default -> throw new IllegalArgumentException("row " + row);
    };
  }

  // ---- content: nothing of it repeats, and any of it can be told without the rest

  private static long word(long content, long index) {
    long z = (content + index) * 0x9e37_79b9_7f4a_7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58_476d_1ce4_e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d0_49bb_1331_11ebL;
    return z ^ (z >>> 31);
  }

  private static ByteBuffer fill(ByteBuffer target, long content, long position) {
    target.clear();
    long index = position / Long.BYTES;
    for (int at = 0; at < target.limit(); at += Long.BYTES) {
      target.putLong(at, word(content, index++));
    }
    return target;
  }

  private static void check(ByteBuffer found, long content, long position) throws IOException {
    for (int at = 0; at + Long.BYTES <= found.limit(); at += PAGE_BYTES) {
      if (found.getLong(at) != word(content, (position + at) / Long.BYTES)) {
        throw new IOException("other bytes at " + (position + at) + " than were written");
      }
    }
  }

  // ---- rows

  private interface Part {
    void run(Lane lane) throws IOException;
  }

  /** Runs a part on each connection, each on a thread of its own. */
  private static void onEach(Session session, Part part)
      throws IOException, InterruptedException, ExecutionException {
    try (ExecutorService threads = Executors.newFixedThreadPool(session.lanes().size())) {
      List<Future<?>> parts = new ArrayList<>();
      for (Lane lane : session.lanes()) {
        parts.add(
            threads.submit(() -> {
              part.run(lane);
              return null;
            }));
      }
      for (Future<?> each : parts) {
        each.get();
      }
    }
  }

  private static Open open(Session session, String name, boolean make) throws IOException {
    Lane lane = session.lanes().getFirst();
    Open[] opened = new Open[1];
    session.open(lane, session.root(), name, make, file -> opened[0] = file);
    lane.drain();
    return opened[0];
  }

  private Work write(Session session, String name, long content)
      throws IOException, InterruptedException, ExecutionException {
    long bytes = (long) megabytes << 20;
    final long start = System.nanoTime();
    Open file = open(session, name, true);
    AtomicLong next = new AtomicLong();
    onEach(
        session,
        lane -> {
          ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
          long at;
          while ((at = next.getAndAdd(BLOCK_BYTES)) < bytes) {
            fill(block, content, at);
            session.write(lane, file, at, Session.UNSTABLE, block, () -> {});
          }
          lane.drain();
        });
    Lane lane = session.lanes().getFirst();
    session.commit(lane, file, () -> {});
    lane.drain();
    session.close(lane, file, () -> {});
    lane.drain();
    return new Work((System.nanoTime() - start) / 1e9, bytes, bytes / BLOCK_BYTES);
  }

  private Work read(Session session, String name, long content)
      throws IOException, InterruptedException, ExecutionException {
    long bytes = (long) megabytes << 20;
    final long start = System.nanoTime();
    Open file = open(session, name, false);
    AtomicLong next = new AtomicLong();
    onEach(
        session,
        lane -> {
          long at;
          while ((at = next.getAndAdd(BLOCK_BYTES)) < bytes) {
            long position = at;
            session.read(
                lane,
                file,
                position,
                BLOCK_BYTES,
                (data, end) -> {
                  if (data.limit() != BLOCK_BYTES) {
                    throw new IOException(data.limit() + " bytes read at " + position);
                  }
                  check(data, content, position);
                });
          }
          lane.drain();
        });
    Lane lane = session.lanes().getFirst();
    session.close(lane, file, () -> {});
    lane.drain();
    return new Work((System.nanoTime() - start) / 1e9, bytes, bytes / BLOCK_BYTES);
  }

  /** Pages of a file that is there, in no order, and a COMMIT behind so many of them. */
  private Work random(Session session, String name, long content) throws IOException {
    long pages = ((long) megabytes << 20) / PAGE_BYTES;
    Lane lane = session.lanes().getFirst();
    ByteBuffer page = ByteBuffer.allocateDirect(PAGE_BYTES);
    long writes = 0;
    final long start = System.nanoTime();
    Open file = open(session, name, false);
    for (int batch = 0; batch < batches; batch++) {
      for (int i = 0; i < BATCH_WRITES; i++) {
        long at = Long.remainderUnsigned(word(content + 7, writes), pages) * PAGE_BYTES;
        fill(page, content + 1 + writes, at);
        session.write(lane, file, at, Session.UNSTABLE, page, () -> {});
        writes++;
      }
      lane.drain();
      session.commit(lane, file, () -> {});
      lane.drain();
    }
    session.close(lane, file, () -> {});
    lane.drain();
    return new Work((System.nanoTime() - start) / 1e9, writes * PAGE_BYTES, writes);
  }

  /** Small files, each made, written so that it is durable, and closed; so many at a time. */
  private Work files(Session session, Target target, String name, long content, int writers)
      throws IOException, InterruptedException, ExecutionException {
    int directoryNumber = made.merge(target.name, 1, Integer::sum);
    byte[] directory = session.makeDirectory(session.root(), name + "-files-" + directoryNumber);
    long own = content + 31L * directoryNumber;
    AtomicLong next = new AtomicLong();
    final long start = System.nanoTime();
    if (writers == 1) {
      makeFiles(session, session.lanes().getFirst(), 1, directory, own, next);
    } else {
      onEach(session, lane -> makeFiles(session, lane, slots, directory, own, next));
    }
    return new Work((System.nanoTime() - start) / 1e9, (long) files * PAGE_BYTES, files);
  }

  private void makeFiles(
      Session session, Lane lane, int writers, byte[] directory, long content, AtomicLong next)
      throws IOException {
    ByteBuffer page = ByteBuffer.allocateDirect(PAGE_BYTES);
    for (int i = 0; i < writers; i++) {
      makeFile(session, lane, directory, content, next, page);
    }
    lane.drain();
  }

  /** Makes the next file; when it is closed, the one after it. */
  private void makeFile(
      Session session, Lane lane, byte[] directory, long content, AtomicLong next, ByteBuffer page)
      throws IOException {
    long number = next.getAndIncrement();
    if (number >= files) {
      return;
    }
    session.open(
        lane,
        directory,
        "file-" + number,
        true,
        file -> {
          fill(page, content, number * PAGE_BYTES);
          session.write(
              lane,
              file,
              0,
              Session.FILE_SYNC,
              page,
              () ->
                  session.close(
                      lane, file, () -> makeFile(session, lane, directory, content, next, page)));
        });
  }
}
