package onefold.catalyst.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import onefold.catalyst.server.ServerLimits;
import onefold.catalyst.server.TestAppliance;
import onefold.catalyst.wire.TlsProvider;
import onefold.chunker.FingerprintBatch;
import onefold.store.ChunkStore;
import onefold.store.IngestSession;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** An appliance whose disk is slow holds an upload back; it is never a reason to refuse it. */
class CheckpointPaceTest {
  /** Forced, so that there are many answers to few bytes. */
  private static final int CHUNK_BYTES = 64;

  private static final int CHUNKS = 120_000;

  /** A store that tells of checkpoints late and counts the answers that it has to keep. */
  private static final class SlowStore {
    private final Executor late = CompletableFuture.delayedExecutor(300, TimeUnit.MILLISECONDS);
    private final AtomicInteger sinceCheckpoint = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();
    private final AtomicInteger checkpoints = new AtomicInteger();

    ChunkStore around(ChunkStore store) {
      return wrap(ChunkStore.class, store);
    }

    private <T> T wrap(Class<T> face, T inner) {
      return face.cast(
          Proxy.newProxyInstance(
              face.getClassLoader(),
              new Class<?>[] {face},
              (proxy, method, arguments) -> call(inner, method, arguments)));
    }

    private @Nullable Object call(Object inner, Method method, Object @Nullable [] arguments)
        throws Throwable {
      if (method.getName().equals("checkpoint")) {
        sinceCheckpoint.set(0);
        checkpoints.incrementAndGet();
      }
      Object result;
      try {
        result = method.invoke(inner, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause() == null ? e : e.getCause();
      }
      return switch (result) {
        case IngestSession session -> wrap(IngestSession.class, session);
        case long[] bits when method.getName().equals("have") -> answered(bits, arguments, 0);
        case long[] bits -> answered(bits, arguments, 1);
        case FingerprintBatch stored -> {
          count(stored.count());
          yield stored;
        }
        case CompletionStage<?> checkpoint -> checkpoint.thenApplyAsync(made -> made, late);
        case null, default -> result;
      };
    }

    private long[] answered(long[] bits, Object @Nullable [] arguments, int own) {
      int count = own;
      if (arguments != null && arguments[0] instanceof FingerprintBatch batch) {
        count += batch.count();
      } else if (arguments != null && arguments[1] instanceof byte[] node) {
        int offset = (int) arguments[2];
        count += (node[offset + 4] & 0xff) | (node[offset + 5] & 0xff) << 8;
      }
      count(count);
      return bits;
    }

    private void count(int answers) {
      int now = sinceCheckpoint.addAndGet(answers);
      most.accumulateAndGet(now, Math::max);
    }
  }

  @Test
  void anUploadNeverHasMoreAnswersBetweenCheckpointsThanTheProtocolAllows() throws Exception {
    var slow = new SlowStore();
    byte[] content = new byte[CHUNKS * CHUNK_BYTES];
    new SplittableRandom(1).nextBytes(content);
    try (TestAppliance appliance =
            TestAppliance.start(
                slow.around(TestAppliance.memory()), ServerLimits.DEFAULT, TlsProvider.JDK);
        CatalystClient client = appliance.client()) {
      try (ItemWriter writer =
          client.openWriter("default", "many", WriteOptions.DEFAULT.withBandwidth(Bandwidth.LOW))) {
        for (int at = 0; at < content.length; at += CHUNK_BYTES) {
          writer.write(content, at, CHUNK_BYTES);
          writer.cut();
        }
        writer.commit();
      }
      var read = new ByteArrayOutputStream();
      try (ItemReader reader = client.openReader("default", "many")) {
        reader.inputStream().transferTo(read);
      }
      assertArrayEquals(content, read.toByteArray());
    }
    assertTrue(slow.checkpoints.get() > 3, slow.checkpoints + " checkpoints");
    assertTrue(
        slow.most.get() <= IngestSession.MAX_HAVE_ANSWERS,
        slow.most + " answers between two checkpoints");
  }
}
