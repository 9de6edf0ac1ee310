package onefold.nas.nfs;

/**
 * What a client shows for what it has opened or locked (RFC 8881, 8.2).
 *
 * @param sequence grows with each change of the state; 0 for the latest in 4.1
 * @param start of the server's run that gave it
 * @param number of the state in that run
 */
record Stateid(int sequence, int start, long number) {
  static final Stateid ANONYMOUS = new Stateid(0, 0, 0);

  /** Of reads that no share mode stops. */
  static final Stateid BYPASS = new Stateid(-1, -1, -1);

  /** Stands for the last one of the same compound. */
  static final Stateid CURRENT = new Stateid(1, 0, 0);

  /** What nothing is accepted for. */
  static final Stateid INVALID = new Stateid(-1, 0, 0);

  static Stateid read(XdrReader in) throws XdrException {
    return new Stateid(in.readInt(), in.readInt(), in.readLong());
  }

  void write(XdrWriter out) {
    out.writeInt(sequence).writeInt(start).writeLong(number);
  }

  boolean isSpecial() {
    return (start == 0 && number == 0) || (start == -1 && number == -1);
  }
}
