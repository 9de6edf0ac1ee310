package onefold.appliance.sample;

/** What made data looks like. */
public enum SampleKind {
  /**
   * A disk image: free space, text, records and compressed files in extents; a few percent change
   * in place.
   */
  VM(1),
  /** A tree of text files: edits inside files, new files, some gone. */
  FILES(2),
  /** Pages of rows, some updated in place, new ones appended. */
  DATABASE(3),
  /** Mailboxes that grow, with attachments that many mails share. */
  MAIL(4),
  /** Bytes that neither compress nor repeat within a generation. */
  RANDOM(5);

  private final int number;

  SampleKind(int number) {
    this.number = number;
  }

  /** Returns the number that goes into the seed; it never changes, or samples would. */
  int number() {
    return number;
  }
}
