package onefold.appliance.sample;

/** What made data looks like. */
public enum SampleKind {
  /**
   * A disk image: free space, text, records and compressed files in extents; a few percent change
   * in place.
   */
  VM,
  /** A tree of text files: edits inside files, new files, some gone. */
  FILES,
  /** Pages of rows, some updated in place, new ones appended. */
  DATABASE,
  /** Mailboxes that grow, with attachments that many mails share. */
  MAIL,
  /** Bytes that neither compress nor repeat within a generation. */
  RANDOM
}
