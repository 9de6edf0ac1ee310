package onefold.nas.nfs;

/** A program of ONC RPC: serves its procedures, each call on a virtual thread of its own. */
interface RpcProgram {
  int number();

  int lowestVersion();

  int highestVersion();

  /** Most bytes of a reply, its header included. */
  int maxReplyBytes();

  /**
   * Serves a call.
   *
   * @param arguments what follows the header; good until this returns
   * @param reply takes the results
   * @return {@code SUCCESS}, or why not; what was written counts only for {@code SUCCESS}
   * @throws XdrException if the arguments are malformed
   */
  Outcome serve(RpcCall call, XdrReader arguments, XdrWriter reply) throws XdrException;

  /** How a call ended, RFC 5531, 9. */
  enum Outcome {
    SUCCESS,
    PROCEDURE_UNAVAILABLE,
    GARBAGE_ARGUMENTS,
    SYSTEM_ERROR,
    /** No reply at all: the first of two equal calls will answer. */
    DROPPED
  }
}
