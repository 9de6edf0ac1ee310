package onefold.chunker;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Cuts with the plain form until the process has cut {@link #WARM_BYTES}, then with vectors where
 * they pay. Loading and compiling the vector form costs 0.6 s of CPU, which it earns back in some
 * gigabytes: a short command must not pay that, a server must not notice it.
 */
final class AdaptiveCutter implements Cutter {
  static final long WARM_BYTES = 4L << 30;

  // The one piece of static state: how warm the process is, no more than the compiler's own
  // counters.
  private static final AtomicLong BYTES_CUT = new AtomicLong();

  private final CutRule rule;
  private final long warmBytes;
  private Cutter current;
  private boolean decided;

  AdaptiveCutter(CutRule rule) {
    this(rule, WARM_BYTES);
  }

  AdaptiveCutter(CutRule rule, long warmBytes) {
    this.rule = rule;
    this.warmBytes = warmBytes;
    this.current = new PlainCutter(rule);
  }

  @Override
  public int cut(byte[] source, int start, int end, boolean endOfStream, int[] lengths, int at) {
    if (!decided && BYTES_CUT.get() >= warmBytes) {
      decided = true;
      if (CutterForm.vectorsPay()) {
        current = new VectorCutter(rule);
      }
    }
    int count = current.cut(source, start, end, endOfStream, lengths, at);
    if (!decided) {
      long bytes = 0;
      for (int i = 0; i < count; i++) {
        bytes += lengths[at + i];
      }
      BYTES_CUT.addAndGet(bytes);
    }
    return count;
  }
}
