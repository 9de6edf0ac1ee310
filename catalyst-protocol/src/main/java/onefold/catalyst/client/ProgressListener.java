package onefold.catalyst.client;

/** Is told how an upload goes. Called on the writer's or the caller's thread; must be quick. */
@FunctionalInterface
public interface ProgressListener {
  /** Called when something has changed, at most once for a mebibyte or so, and at the end. */
  void progress(UploadStatistics statistics);
}
