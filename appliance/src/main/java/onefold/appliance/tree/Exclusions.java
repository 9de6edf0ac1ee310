package onefold.appliance.tree;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Glob patterns of what a backup leaves out. {@code *} and {@code ?} stop at slashes, {@code **}
 * does not, {@code [abc]} is a set. A pattern without a slash is held against the last name of each
 * path, one with a slash against the whole path within the tree. A directory that is left out takes
 * everything below it along.
 */
public final class Exclusions {
  private record Rule(Pattern pattern, boolean lastNameOnly) {}

  private final List<Rule> rules;

  /**
   * Compiles the patterns.
   *
   * @throws IllegalArgumentException naming a pattern that is malformed
   */
  public Exclusions(List<String> globs) {
    this.rules =
        globs.stream()
            .map(glob -> {
              String trimmed = glob.startsWith("/") ? glob.substring(1) : glob;
              return new Rule(compile(trimmed), !glob.contains("/"));
            })
            .toList();
  }

  /** Whether a path within the tree is left out. */
  boolean matches(byte[] path) {
    if (rules.isEmpty()) {
      return false;
    }
    // Latin-1 maps every byte to one character, so that names of any encoding can be matched.
    String whole = new String(path, StandardCharsets.ISO_8859_1);
    String last = whole.substring(whole.lastIndexOf('/') + 1);
    for (Rule rule : rules) {
      if (rule.pattern().matcher(rule.lastNameOnly() ? last : whole).matches()) {
        return true;
      }
    }
    return false;
  }

  private static Pattern compile(String glob) {
    String bytes = new String(glob.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < bytes.length(); i++) {
      char c = bytes.charAt(i);
      switch (c) {
        case '*' -> {
          if (bytes.startsWith("**", i)) {
            i++;
            // "**/" also stands for no directory at all.
            if (bytes.startsWith("/", i + 1)) {
              i++;
              regex.append("(?:.*/)?");
            } else {
              regex.append(".*");
            }
          } else {
            regex.append("[^/]*");
          }
        }
        case '?' -> regex.append("[^/]");
        case '[' -> {
          int end = bytes.indexOf(']', i + 2);
          if (end < 0) {
            throw new IllegalArgumentException("exclude pattern '" + glob + "': '[' without ']'");
          }
          String set =
              bytes
                  .substring(i + 1, end)
                  .replace("\\", "\\\\")
                  .replace("&", "\\&")
                  .replace("[", "\\[");
          regex.append('[').append(set.startsWith("!") ? "^" + set.substring(1) : set).append(']');
          i = end;
        }
        default -> regex.append(Pattern.quote(String.valueOf(c)));
      }
    }
    return Pattern.compile(regex.toString(), Pattern.DOTALL);
  }
}
