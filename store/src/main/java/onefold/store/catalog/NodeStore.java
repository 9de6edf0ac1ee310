package onefold.store.catalog;

import java.io.IOException;
import onefold.chunker.Fingerprint;

/**
 * Where the catalog's pages lie: node chunks of a domain of their own, by fingerprint. Many threads
 * may call {@link #get} at once; one fold at a time calls {@link #put}.
 */
public interface NodeStore {
  /**
   * Keeps a page; durable no later than the {@link CatalogRoot} that its fold ends with. Kept once
   * however often it is put.
   *
   * @param page read before the method returns
   * @param lengthBytes how much of {@code page} is the page, at most {@link
   *     CatalogPageFormat#MAX_PAGE_BYTES}
   * @return the fingerprint of the page as a chunk of kind node
   */
  Fingerprint put(byte[] page, int lengthBytes) throws IOException;

  /**
   * Returns a page, whose bytes have been checked against the fingerprint. The array belongs to the
   * caller.
   *
   * @throws onefold.store.CorruptDataException if it is not there or damaged
   */
  byte[] get(Fingerprint fingerprint) throws IOException;
}
