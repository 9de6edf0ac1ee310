package onefold.nas;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** How a client proves who its users are, and what protects its calls on the way. */
public enum Security {
  /** Not at all: users are who the client says (AUTH_SYS). */
  SYS(1),
  /** By Kerberos tickets. */
  KRB5(2),
  /** By Kerberos tickets; nobody on the way can change a call or its reply. */
  KRB5I(4),
  /** By Kerberos tickets; nobody on the way can change or read a call or its reply. */
  KRB5P(8);

  private final int bit;

  Security(int bit) {
    this.bit = bit;
  }

  /** The bit in formats. */
  public int bit() {
    return bit;
  }

  /** Its name in options and documents. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Reads kinds as they are typed: with commas, at least one.
   *
   * @throws IllegalArgumentException with what is wrong
   */
  public static Set<Security> parse(String text) {
    Set<Security> found = EnumSet.noneOf(Security.class);
    for (String part : text.split(",", -1)) {
      found.add(
          Arrays.stream(values())
              .filter(each -> each.label().equals(part))
              .findFirst()
              .orElseThrow(() ->
                  new IllegalArgumentException(
                      "security '"
                          + part
                          + "' does not exist; there are sys, krb5, krb5i and krb5p")));
    }
    return found;
  }

  /** As they are typed. */
  public static String text(Set<Security> kinds) {
    return kinds.stream().sorted().map(Security::label).collect(Collectors.joining(","));
  }
}
