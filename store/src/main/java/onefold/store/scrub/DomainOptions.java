package onefold.store.scrub;

import java.io.IOException;

/**
 * What a domain is to do beside storing; a small record of the catalog ({@code
 * docs/formats/scrub-record.md}).
 *
 * @param parity whether each container has a parity
 * @param verifiesMatches whether bytes are compared before a chunk is shared
 */
public record DomainOptions(boolean parity, boolean verifiesMatches) {
  /** Kind of the record; its key is the domain's id. */
  public static final String KIND = "domain-options";

  /** When nothing is said. */
  public static final DomainOptions NONE = new DomainOptions(false, false);

  /** The same but for the parity. */
  public DomainOptions withParity(boolean value) {
    return new DomainOptions(value, verifiesMatches);
  }

  /** The same but for the comparison. */
  public DomainOptions withVerifiesMatches(boolean value) {
    return new DomainOptions(parity, value);
  }

  /** Its bytes. */
  public byte[] encode() {
    return ScrubRecordFormat.encode(this);
  }

  /**
   * Reads its bytes.
   *
   * @throws onefold.store.CorruptDataException if they are none
   * @throws IOException if a newer release wrote them
   */
  public static DomainOptions decode(byte[] bytes) throws IOException {
    return ScrubRecordFormat.decodeOptions(bytes);
  }
}
