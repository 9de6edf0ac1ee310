package onefold.nas.nfs;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Who opens files at a client; the owner of share modes in the lock manager. */
final class OpenOwner extends StateOwner {
  /** Its open files; guarded by the client's lock. */
  final Map<FileKey, OpenState> opens = new HashMap<>();

  /** Whether OPEN_CONFIRM came, in 4.0; guarded by turn. */
  boolean confirmed;

  /** What it closed last, whose CLOSE may come again in 4.0; guarded by the client's lock. */
  @Nullable OpenState closedLast;

  OpenOwner(Client client, Bytes name) {
    super(client, name);
  }

  @Override
  public String toString() {
    return "an NFS client";
  }
}
