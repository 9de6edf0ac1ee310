package onefold.appliance.tree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Bounds of trees that a test does not reach with real files. */
class TreeLimitsTest {
  @Test
  void gapsBeyondTheBoundAreCounted() {
    Gaps gaps = new Gaps();
    for (int i = 0; i < TreeSummary.MAX_GAPS + 5; i++) {
      gaps.add(("file-" + i).getBytes(StandardCharsets.UTF_8), "unreadable");
    }
    assertEquals(TreeSummary.MAX_GAPS + 5, gaps.count());
    assertEquals(TreeSummary.MAX_GAPS, gaps.kept().size());
    assertEquals("file-0", gaps.kept().getFirst().path());
  }

  @Test
  void anIndexBeyondTheBoundIsRefusedBeforeItIsRead() throws IOException {
    long most = TreeIndexFormat.MAX_INDEX_BYTES;
    long item = most + TreeIndexFormat.TRAILER_BYTES;
    byte[] greatest = TreeIndexFormat.encode(new TreeIndexFormat.Trailer(0, most, 1, 0, 0));
    assertEquals(most, TreeIndexFormat.decode(greatest, item).indexBytes());
    byte[] greater = TreeIndexFormat.encode(new TreeIndexFormat.Trailer(0, most + 1, 1, 0, 0));
    IOException refused =
        assertThrows(IOException.class, () -> TreeIndexFormat.decode(greater, item + 1));
    assertTrue(
        String.valueOf(refused.getMessage()).contains(Long.toString(most + 1)), refused + "");
  }
}
