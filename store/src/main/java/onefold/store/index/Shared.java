package onefold.store.index;

/**
 * Something that several versions of the index use: it is disposed of when the last of them is
 * gone.
 */
abstract class Shared {
  private int users; // guarded by the index's lock

  final void retain() {
    users++;
  }

  /** Says whether that was the last user. */
  final boolean release() {
    if (users < 1) {
      throw new IllegalStateException("released too often");
    }
    return --users == 0;
  }

  /** Frees what it owns. Called once, when nobody uses it; no lock is held. */
  abstract void dispose();
}
