package onefold.appliance.tree;

/** Told as a tree is written or restored; called on the working thread, must be quick. */
@FunctionalInterface
public interface TreeProgress {
  /**
   * Told now and then.
   *
   * @param fileCount files finished
   * @param bytes bytes of files finished
   */
  void at(long fileCount, long bytes);
}
