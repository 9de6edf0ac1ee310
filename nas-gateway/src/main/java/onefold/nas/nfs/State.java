package onefold.nas.nfs;

/** What a stateid stands for. */
abstract sealed class State permits OpenState, LockState {
  private final long number;
  private final Client client;
  private int sequence = 1; // guarded by the client's lock

  State(long number, Client client) {
    this.number = number;
    this.client = client;
  }

  long number() {
    return number;
  }

  Client client() {
    return client;
  }

  int sequence() {
    return sequence;
  }

  /** Counts a change; zero is left out when the number wraps. */
  void grow() {
    sequence++;
    if (sequence == 0) {
      sequence = 1;
    }
  }

  /** The open file it belongs to. */
  abstract OpenState open();
}
