package onefold.appliance.cli;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;
import onefold.appliance.Size;

/**
 * A progress bar with rate and time left, on a terminal; nothing anywhere else. One thread at a
 * time.
 */
public final class Progress implements AutoCloseable {
  private static final long REDRAW_NANOS = 200_000_000L;
  private static final int BAR = 24;

  private final PrintStream target;
  private final boolean shown;
  private final String what;
  private final long totalBytes;
  private final LongSupplier nanoTime;
  private final long startNanos;
  private long lastDrawnNanos;
  private int lastWidth;

  /**
   * @param totalBytes what is to be done, or -1 if that is not known
   */
  public Progress(
      Terminal terminal, boolean wanted, String what, long totalBytes, LongSupplier nanoTime) {
    this.target = terminal.err();
    this.shown = wanted && terminal.isInteractive();
    this.what = what;
    this.totalBytes = totalBytes;
    this.nanoTime = nanoTime;
    this.startNanos = nanoTime.getAsLong();
    this.lastDrawnNanos = startNanos;
  }

  /** Says how much is done, in all. */
  public void at(long doneBytes) {
    if (!shown) {
      return;
    }
    long now = nanoTime.getAsLong();
    if (now - lastDrawnNanos >= REDRAW_NANOS) {
      lastDrawnNanos = now;
      draw(line(what, doneBytes, totalBytes, now - startNanos));
    }
  }

  static String line(String what, long doneBytes, long totalBytes, long nanos) {
    double rate = nanos <= 0 ? 0 : doneBytes * 1e9 / nanos;
    StringBuilder line = new StringBuilder(what).append(' ');
    if (totalBytes > 0) {
      double part = Math.min(1, (double) doneBytes / totalBytes);
      int full = (int) (part * BAR);
      line.append('[').append("#".repeat(full)).append(".".repeat(BAR - full)).append("] ");
      line.append(String.format(Locale.ROOT, "%3.0f %% ", part * 100));
    }
    line.append(Size.format(doneBytes)).append("  ").append(Size.format((long) rate)).append("/s");
    if (totalBytes > 0 && rate > 0 && doneBytes <= totalBytes) {
      line.append("  ETA ").append(clock((long) ((totalBytes - doneBytes) / rate)));
    }
    return line.toString();
  }

  private static String clock(long seconds) {
    return seconds >= 3600
        ? String.format(
            Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60)
        : String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60);
  }

  private void draw(String line) {
    target.print("\r" + line + " ".repeat(Math.max(0, lastWidth - line.length())));
    target.flush();
    lastWidth = line.length();
  }

  @Override
  public void close() {
    clear();
  }

  /** Takes the bar away, before something else is printed. */
  public void clear() {
    if (lastWidth > 0) {
      target.print("\r" + " ".repeat(lastWidth) + "\r");
      target.flush();
      lastWidth = 0;
    }
  }
}
