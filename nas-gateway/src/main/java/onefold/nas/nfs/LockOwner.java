package onefold.nas.nfs;

/** Who locks ranges at a client; the owner of ranges in the lock manager. */
final class LockOwner extends StateOwner {
  /** Its locked files; guarded by the client's lock. */
  int stateCount;

  LockOwner(Client client, Bytes name) {
    super(client, name);
  }

  @Override
  public String toString() {
    return "an NFS client";
  }
}
