package onefold.nas.nfs;

import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;
import onefold.nas.Security;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSException;
import org.ietf.jgss.MessageProp;

/**
 * What a client and the server share after a ticket was accepted: keys, and the numbers of the
 * calls that came, so that none is taken twice (RFC 2203, 5.3.3.1). For several threads.
 */
final class GssContext {
  /** Calls may come out of order by so many numbers. */
  static final int WINDOW = 128;

  private final GSSContext context; // guarded by lock
  private final Credential credential;
  private final long endNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final BitSet seen = new BitSet(WINDOW); // guarded by lock; bit n: number highest - n came
  private long highest; // guarded by lock

  /**
   * Takes a context over, which holds nothing but memory.
   *
   * @param credential of its calls, but for their security
   * @param endNanos when the ticket is no longer good
   */
  GssContext(GSSContext context, Credential credential, long endNanos) {
    this.context = context;
    this.credential = credential;
    this.endNanos = endNanos;
  }

  boolean isOver(long nanos) {
    return nanos - endNanos >= 0;
  }

  Credential credential(Security security) {
    return credential.with(security);
  }

  /** Takes a call's number; false if it came before, or is too old to tell. */
  boolean take(long number) {
    lock.lock();
    try {
      if (number > highest) {
        long steps = number - highest;
        if (steps >= WINDOW) {
          seen.clear();
        } else {
          for (int bit = WINDOW - 1; bit >= steps; bit--) {
            seen.set(bit, seen.get(bit - (int) steps));
          }
          seen.clear(0, (int) steps);
        }
        highest = number;
      }
      long back = highest - number;
      if (back >= WINDOW || seen.get((int) back)) {
        return false;
      }
      seen.set((int) back);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** A code over bytes that only the two sides can make. */
  byte[] code(byte[] bytes, int offset, int length) throws GSSException {
    lock.lock();
    try {
      return context.getMIC(bytes, offset, length, new MessageProp(0, false));
    } finally {
      lock.unlock();
    }
  }

  /** Checks a code over bytes. */
  void check(XdrReader.Range code, byte[] bytes, int offset, int length) throws GSSException {
    lock.lock();
    try {
      context.verifyMIC(
          code.array(),
          code.offset(),
          code.length(),
          bytes,
          offset,
          length,
          new MessageProp(0, false));
    } finally {
      lock.unlock();
    }
  }

  byte[] encrypt(byte[] bytes, int offset, int length) throws GSSException {
    lock.lock();
    try {
      return context.wrap(bytes, offset, length, new MessageProp(0, true));
    } finally {
      lock.unlock();
    }
  }

  /** Decrypts and checks; refuses what was only signed. */
  byte[] decrypt(XdrReader.Range sealed) throws GSSException {
    var how = new MessageProp(0, true);
    lock.lock();
    try {
      byte[] bytes = context.unwrap(sealed.array(), sealed.offset(), sealed.length(), how);
      if (!how.getPrivacy()) {
        throw new GSSException(GSSException.BAD_QOP, 0, "not encrypted");
      }
      return bytes;
    } finally {
      lock.unlock();
    }
  }
}
