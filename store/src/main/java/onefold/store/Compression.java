package onefold.store;

/** Which codec a store's new blocks get. Incompressible blocks are stored raw whatever is set. */
public enum Compression {
  LZ4,
  ZSTD,
  NONE
}
