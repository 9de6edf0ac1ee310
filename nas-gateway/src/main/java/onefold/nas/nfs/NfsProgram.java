package onefold.nas.nfs;

/** Program 100003: hands calls to version 3 or 4. */
final class NfsProgram implements RpcProgram {
  static final int NUMBER = 100003;

  private final Nfs3 version3;
  private final Nfs4 version4;

  NfsProgram(Nfs3 version3, Nfs4 version4) {
    this.version3 = version3;
    this.version4 = version4;
  }

  @Override
  public int number() {
    return NUMBER;
  }

  @Override
  public int lowestVersion() {
    return 3;
  }

  @Override
  public int highestVersion() {
    return 4;
  }

  @Override
  public int maxReplyBytes() {
    return NfsLimits.MAX_REPLY_BYTES;
  }

  @Override
  public Outcome serve(RpcCall call, XdrReader arguments, XdrWriter reply) throws XdrException {
    return call.version() == 3
        ? version3.serve(call, arguments, reply)
        : version4.serve(call, arguments, reply);
  }
}
