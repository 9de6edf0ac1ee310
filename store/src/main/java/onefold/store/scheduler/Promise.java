package onefold.store.scheduler;

import java.io.IOException;
import java.util.concurrent.CompletionStage;

/**
 * A value that somebody will give, or the reason why not. The first {@link #complete} or {@link
 * #fail} counts; later ones do nothing.
 *
 * @param <T> what is promised
 */
public interface Promise<T extends @org.jspecify.annotations.Nullable Object> {
  /**
   * Gives the value.
   *
   * @return false if the promise was done already
   */
  boolean complete(T value);

  /**
   * Gives the reason why there will be no value.
   *
   * @return false if the promise was done already
   */
  boolean fail(Throwable failure);

  /** Whether it was completed or failed. */
  boolean isDone();

  /**
   * Waits for the value.
   *
   * @throws IOException the failure, if it is one, or one around it if it is another checked
   *     exception; unchecked failures are thrown as they are
   */
  T await() throws IOException;

  /**
   * This promise for callers above the store's face. Its dependents run on the thread that
   * completes it, or on that which adds them.
   */
  CompletionStage<T> toCompletionStage();
}
