package onefold.store.catalog;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import onefold.chunker.Fingerprint;
import onefold.store.CorruptDataException;

/** Pages in a map, counting what is read and written. */
public final class MapNodeStore implements NodeStore {
  final Map<Fingerprint, byte[]> pages = new ConcurrentHashMap<>();
  final AtomicLong reads = new AtomicLong();
  final AtomicLong writes = new AtomicLong();

  static Fingerprint fingerprint(byte[] page, int length) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(page, 0, length);
      return Fingerprint.of(digest.digest(), 0);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public Fingerprint put(byte[] page, int lengthBytes) {
    writes.incrementAndGet();
    Fingerprint fingerprint = fingerprint(page, lengthBytes);
    pages.put(fingerprint, Arrays.copyOf(page, lengthBytes));
    return fingerprint;
  }

  @Override
  public byte[] get(Fingerprint fingerprint) throws CorruptDataException {
    reads.incrementAndGet();
    byte[] page = pages.get(fingerprint);
    if (page == null) {
      throw new CorruptDataException("chunk " + fingerprint, -1, "a page", "none");
    }
    return page.clone();
  }
}
