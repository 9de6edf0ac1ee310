package onefold.perf;

import java.util.concurrent.TimeUnit;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.chunker.ChunkKind;
import onefold.chunker.Cutter;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The loops that every byte passes. Each works on 1 MiB a call, so that a score in operations per
 * second is MiB/s. The roofline of each stands beside it: a plain copy of the same bytes.
 *
 * <p>Run by {@code perf/java org.openjdk.jmh.Main HotLoops}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "--sun-misc-unsafe-memory-access=allow"
    })
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class HotLoops {
  private static final int CALL_BYTES = 1 << 20;
  private static final int CORPUS_BYTES = 64 << 20;

  /** Which codec the block loops use. */
  @Param({"LZ4", "ZSTD"})
  public BlockCodec codec = BlockCodec.LZ4;

  private final byte[] corpus = Corpus.made(CORPUS_BYTES, 1);
  private final byte[] copy = new byte[CALL_BYTES];
  private final int[] lengths = new int[4096];
  private final byte[] fingerprints = new byte[lengths.length * Fingerprint.BYTES];
  private final Cutter cutter = Cutter.of(ParameterSet.SET_1);
  private final Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.SET_1);
  private final BlockReader reader = new BlockReader();
  private BlockBuilder builder = new BlockBuilder(ChunkKind.DATA, BlockCodec.NONE, 1);
  private byte[] block = {};
  private int at;

  /** Makes the block that the read loop takes apart. */
  @Setup
  public void prepare() {
    builder.close();
    builder = new BlockBuilder(ChunkKind.DATA, codec, BlockBuilder.INLINE_ZSTD_LEVEL);
    encode();
    block = builder.bytes().clone();
  }

  /** Releases native memory. */
  @TearDown
  public void release() {
    builder.close();
    reader.close();
  }

  /** The roofline: moving the bytes once. */
  @Benchmark
  public byte[] copy() {
    System.arraycopy(corpus, next(), copy, 0, CALL_BYTES);
    return copy;
  }

  /** Finding the borders. */
  @Benchmark
  public int cut() {
    int start = next();
    return cutter.cut(corpus, start, start + CALL_BYTES, true, lengths, 0);
  }

  /** Finding the borders and the fingerprints: the whole of a duplicate's way. */
  @Benchmark
  public byte[] cutAndFingerprint() {
    int start = next();
    int count = cutter.cut(corpus, start, start + CALL_BYTES, true, lengths, 0);
    fingerprinter.fingerprint(corpus, start, lengths, 0, count, fingerprints, 0);
    return fingerprints;
  }

  /** Compressing blocks of the codec's wished size. */
  @Benchmark
  public int encode() {
    int start = next();
    int stored = 0;
    for (int done = 0; done < CALL_BYTES; done += 8 << 10) {
      if (builder.rawBytes() >= codec.wishedRawBytes()) {
        builder.reset();
      }
      builder.add(corpus, start + done, 8 << 10);
      if (builder.rawBytes() >= codec.wishedRawBytes()) {
        stored += builder.encode();
      }
    }
    return stored;
  }

  /** Checking and decompressing blocks. */
  @Benchmark
  public int decode() throws BlockFormatException {
    int done = 0;
    while (done < CALL_BYTES) {
      reader.parse(block, 0, BlockReader.totalBytes(block, 0, block.length));
      reader.decompress();
      done += reader.rawBytes();
    }
    return done;
  }

  private int next() {
    at = at + CALL_BYTES > CORPUS_BYTES - CALL_BYTES ? 0 : at + CALL_BYTES;
    return at;
  }
}
