package onefold.store.simulator;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * An engine that is broken on purpose, as a small patch of its sources.
 *
 * <p>A patch lies beside the tests' resources as {@code variants/NAME.patch}: first what is broken,
 * in words; then for each file a line {@code --- path} below {@code src/main/java}, or of the
 * simulated disk below {@code src/test/java}, and hunks that begin with {@code @@}. The lines of a
 * hunk begin with a blank, {@code -} or {@code +} as in a unified diff, but a hunk says no line
 * numbers: what it keeps and takes away must stand in the file exactly once, so that a patch which
 * does not fit any more is noticed.
 *
 * <p>A line {@code Test: onefold.store.engine.SomeTest#promise} before that names the test that
 * finds it, where programs would meet it too rarely.
 *
 * @param name of the file, without its end
 * @param what is broken
 * @param test that finds it, or empty if programs do
 * @param hunks of each file
 */
record Variant(String name, String what, String test, Map<String, List<Hunk>> hunks) {
  private static final String TEST = "Test: ";
  private static final String SUFFIX = ".patch";

  /** One change of a file. */
  record Hunk(String before, String after) {}

  /** All there are, in order of name. */
  static List<Variant> all() throws IOException {
    URL where = Variant.class.getResource("variants");
    if (where == null) {
      throw new IOException("there is no directory 'variants' beside " + Variant.class);
    }
    List<Path> files;
    try (Stream<Path> found = Files.list(Path.of(where.toURI()))) {
      files = found.filter(file -> file.toString().endsWith(SUFFIX)).sorted().toList();
    } catch (URISyntaxException e) {
      throw new IOException("no path: " + where, e);
    }
    var all = new ArrayList<Variant>();
    for (Path file : files) {
      String name = String.valueOf(file.getFileName());
      all.add(parse(name.substring(0, name.length() - SUFFIX.length()), Files.readAllLines(file)));
    }
    return all;
  }

  static Variant parse(String name, List<String> lines) {
    var what = new StringBuilder();
    String test = "";
    var hunks = new LinkedHashMap<String, List<Hunk>>();
    List<Hunk> ofFile = null;
    int at = 0;
    while (at < lines.size()) {
      String line = lines.get(at++);
      if (line.startsWith("--- ")) {
        ofFile = new ArrayList<>();
        hunks.put(line.substring(4).strip(), ofFile);
      } else if (ofFile == null && line.startsWith(TEST)) {
        test = line.substring(TEST.length()).strip();
      } else if (ofFile == null) {
        what.append(what.isEmpty() ? "" : " ").append(line.strip());
      } else if (line.startsWith("@@")) {
        var before = new StringBuilder();
        var after = new StringBuilder();
        while (at < lines.size() && isOfHunk(lines.get(at))) {
          String of = lines.get(at++);
          String text = of.isEmpty() ? "" : of.substring(1);
          if (!of.startsWith("+")) {
            before.append(text).append('\n');
          }
          if (!of.startsWith("-")) {
            after.append(text).append('\n');
          }
        }
        ofFile.add(new Hunk(before.toString(), after.toString()));
      } else {
        throw new IllegalArgumentException(name + ", line " + at + ": '" + line + "'");
      }
    }
    if (what.isEmpty() || hunks.isEmpty()) {
      throw new IllegalArgumentException(name + " does not say what it breaks, or breaks nothing");
    }
    return new Variant(name, what.toString(), test, hunks);
  }

  private static boolean isOfHunk(String line) {
    return !line.startsWith("@@") && !line.startsWith("--- ");
  }

  /**
   * A file's source as it is in this variant.
   *
   * @throws IllegalArgumentException if a hunk does not fit
   */
  String patched(String path, String source) {
    String text = source;
    for (Hunk hunk : hunks.getOrDefault(path, List.of())) {
      int found = text.indexOf(hunk.before());
      boolean once = found >= 0 && text.indexOf(hunk.before(), found + 1) < 0;
      if (hunk.before().isEmpty() || !once) {
        throw new IllegalArgumentException(
            "variant "
                + name
                + " does not fit "
                + path
                + " any more, where this must stand once:\n"
                + hunk.before());
      }
      text =
          text.substring(0, found) + hunk.after() + text.substring(found + hunk.before().length());
    }
    return text;
  }
}
