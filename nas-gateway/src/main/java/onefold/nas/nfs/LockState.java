package onefold.nas.nfs;

/** The ranges that one owner has locked through one open file. */
final class LockState extends State {
  private final OpenState open;
  private final LockOwner owner;

  LockState(long number, OpenState open, LockOwner owner) {
    super(number, open.client());
    this.open = open;
    this.owner = owner;
  }

  LockOwner owner() {
    return owner;
  }

  @Override
  OpenState open() {
    return open;
  }
}
