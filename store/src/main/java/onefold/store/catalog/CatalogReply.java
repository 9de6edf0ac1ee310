package onefold.store.catalog;

import onefold.store.DomainRecord;
import onefold.store.ItemRecord;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.ShareRecord;
import onefold.store.StoreRecord;
import onefold.store.UnfinishedUpload;

/** What came of a command. */
public sealed interface CatalogReply {
  /** The command is done. */
  record Done(Result result) implements CatalogReply {}

  /**
   * The command has changed nothing.
   *
   * @param message for the asker as it is; names the value and the remedy
   */
  record Refused(Reason reason, String message) implements CatalogReply {}

  /** What a command that was done answers. */
  sealed interface Result {}

  /** There is nothing to tell. */
  record Nothing() implements Result {}

  /** A domain as it is now. */
  record DomainResult(DomainRecord domain) implements Result {}

  /** A store as it is now. */
  record StoreResult(StoreRecord store) implements Result {}

  /** A share as it is now. */
  record ShareResult(ShareRecord share) implements Result {}

  /** An item as it is now, or as it was before it was deleted. */
  record ItemResult(ItemRecord item) implements Result {}

  /** An unfinished upload as it is now. */
  record UploadResult(UnfinishedUpload upload) implements Result {}

  /**
   * Returns the result of a command that was done.
   *
   * @throws RefusedException if it was refused
   */
  default Result orThrow() throws RefusedException {
    return switch (this) {
      case Done(Result result) -> result;
      case Refused(Reason reason, String message) -> throw new RefusedException(reason, message);
    };
  }
}
