package onefold.nas;

import java.util.ArrayList;
import java.util.List;

/**
 * Who may mount a share.
 *
 * @param hosts {@code *}, {@code localhost}, an address, a network ({@code 10.1.0.0/16}), or a
 *     host's name
 * @param readOnly whether they may only read
 */
public record ExportRule(String hosts, boolean readOnly) {
  private static final String READ_ONLY = "=ro";
  private static final String READ_WRITE = "=rw";

  /**
   * Reads rules as they are typed: {@code HOSTS[=ro],…}.
   *
   * @throws IllegalArgumentException with what is wrong
   */
  public static List<ExportRule> parse(String text) {
    List<ExportRule> rules = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      boolean readOnly = part.endsWith(READ_ONLY);
      boolean suffixed = readOnly || part.endsWith(READ_WRITE);
      String hosts = suffixed ? part.substring(0, part.length() - READ_ONLY.length()) : part;
      Exports.checkHosts(hosts);
      rules.add(new ExportRule(hosts, readOnly));
    }
    return rules;
  }

  /** As it is typed. */
  @Override
  public String toString() {
    return readOnly ? hosts + READ_ONLY : hosts;
  }
}
