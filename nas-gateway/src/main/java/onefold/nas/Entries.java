package onefold.nas;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import onefold.store.CorruptDataException;
import onefold.store.RefusedException;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareTree;
import onefold.store.StoreFullException;

/** A share's tree, with the store's errors in the words of the file layer. */
final class Entries {
  private final ShareTree tree;

  Entries(ShareTree tree) {
    this.tree = tree;
  }

  Optional<ShareEntry> find(byte[] key) throws IOException {
    try {
      return tree.find(key);
    } catch (IOException e) {
      throw translated(e);
    }
  }

  List<ShareEntry> scan(byte[] prefix, byte[] after, int limit) throws IOException {
    try {
      return tree.scan(prefix, after, limit);
    } catch (IOException e) {
      throw translated(e);
    }
  }

  /** Changes entries; visible when it returns, durable after {@link #await}. */
  CompletionStage<Void> change(List<ShareChange> changes) throws IOException {
    try {
      return tree.change(changes);
    } catch (IOException e) {
      throw translated(e);
    }
  }

  /** Waits until a change is durable; no lock may be held. */
  static void await(CompletionStage<Void> stage) throws IOException {
    try {
      stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      throw translated(e.getCause() instanceof IOException cause ? cause : new IOException(e));
    }
  }

  /** What the store's errors are for who uses files. */
  static FileException translated(IOException e) {
    return switch (e) {
      case FileException known -> known;
      case StoreFullException full -> new FileException(FileError.NO_SPACE, text(full), full);
      case CorruptDataException wrong -> new FileException(FileError.IO, text(wrong), wrong);
      case RefusedException refused ->
          new FileException(
              switch (refused.reason()) {
                case NOT_FOUND -> FileError.STALE;
                case READ_ONLY -> FileError.READ_ONLY;
                case QUOTA_EXCEEDED -> FileError.QUOTA;
                case LOCKED -> FileError.RETAINED;
                case SHUTTING_DOWN, CONFLICT -> FileError.DELAY;
                case EXISTS,
                    INVALID_NAME,
                    INVALID_REQUEST,
                    NOT_EMPTY,
                    TOO_MANY_UNFINISHED,
                    NOT_PERMITTED,
                    BYTES_NEEDED ->
                    FileError.IO;
              },
              text(refused),
              refused);
      default -> new FileException(FileError.IO, text(e), e);
    };
  }

  private static String text(IOException e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }
}
