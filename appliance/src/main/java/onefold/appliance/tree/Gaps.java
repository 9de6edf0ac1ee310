package onefold.appliance.tree;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Counts gaps and keeps the first {@link TreeSummary#MAX_GAPS}. */
final class Gaps {
  private final List<Gap> kept = new ArrayList<>();
  private long count;

  void add(byte[] path, @Nullable String reason) {
    count++;
    if (kept.size() < TreeSummary.MAX_GAPS) {
      kept.add(new Gap(PathBytes.printable(path), String.valueOf(reason)));
    }
  }

  long count() {
    return count;
  }

  List<Gap> kept() {
    return List.copyOf(kept);
  }
}
