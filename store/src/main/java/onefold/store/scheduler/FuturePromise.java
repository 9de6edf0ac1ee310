package onefold.store.scheduler;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A promise over the JDK's future. */
final class FuturePromise<T extends @Nullable Object> implements Promise<T> {
  private final CompletableFuture<T> future = new CompletableFuture<>();

  @Override
  public boolean complete(T value) {
    return future.complete(value);
  }

  @Override
  public boolean fail(Throwable failure) {
    return future.completeExceptionally(failure);
  }

  @Override
  public boolean isDone() {
    return future.isDone();
  }

  @Override
  public T await() throws IOException {
    try {
      return future.join(); // not ended by an interrupt, which it keeps
    } catch (CompletionException e) {
      Throwable failure = e.getCause();
      switch (failure) {
        case IOException checked -> throw checked;
        case RuntimeException unchecked -> throw unchecked;
        case Error error -> throw error;
        case null, default -> throw new IOException(e.getMessage(), e);
      }
    }
  }

  @Override
  public CompletionStage<T> toCompletionStage() {
    return future.minimalCompletionStage();
  }
}
