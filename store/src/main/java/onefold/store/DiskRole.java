package onefold.store;

/** What a disk beside the data directory is for. The names stand in the format. */
public enum DiskRole {
  /** Containers of data chunks: more disks of this role share them. */
  DATA,
  /** Indexes; at most one disk. */
  INDEX,
  /** The journal; at most one disk. */
  JOURNAL
}
