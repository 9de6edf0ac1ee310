package onefold.nas.nfs;

import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * What is kept over a restart of clients that hold something: only who is in here may reclaim what
 * he held (RFC 8881, 8.4.2.1). Changes are durable when the methods return.
 */
public interface ClientRecords {
  /** Most bytes of a key. */
  int MAX_KEY_CHARACTERS = 80;

  /** Keys of all records. */
  Set<String> keys() throws IOException;

  /** Sets a record, or removes it if there is no value. */
  void put(String key, Optional<byte[]> value) throws IOException;
}
