package onefold.catalyst.server;

import java.io.IOException;
import onefold.catalyst.wire.ConnectionLostException;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.WireException;
import onefold.store.CorruptDataException;
import onefold.store.RefusedException;
import onefold.store.StoreFullException;

/** Says what went wrong in the protocol's words. */
final class Refusals {
  private static final System.Logger LOG = System.getLogger(Refusals.class.getName());

  private Refusals() {}

  /** Returns the error to tell the client; what is this server's own fault is logged, once. */
  static WireException of(Exception failure, String session) {
    String message = String.valueOf(failure.getMessage());
    return switch (failure) {
      case WireException e -> e;
      case RefusedException e -> new WireException(ErrorCode.of(e.reason().code()), message);
      case StoreFullException e ->
          new WireException(ErrorCode.FULL, String.valueOf(e.getMessage()));
      case CorruptDataException e -> {
        LOG.log(System.Logger.Level.ERROR, () -> session + ": damaged: " + e.getMessage());
        yield new WireException(ErrorCode.CORRUPT_DATA, message);
      }
      case ConnectionLostException e ->
          new WireException(ErrorCode.CANCELLED, String.valueOf(e.getMessage()));
      case IllegalArgumentException e ->
          new WireException(ErrorCode.INVALID_REQUEST, String.valueOf(e.getMessage()));
      case IOException e -> {
        LOG.log(System.Logger.Level.ERROR, session + " failed", e);
        yield new WireException(ErrorCode.INTERNAL, "the appliance failed: " + message);
      }
      default -> {
        LOG.log(System.Logger.Level.ERROR, session + " failed", failure);
        yield new WireException(
            ErrorCode.INTERNAL, "the appliance failed: " + failure.getClass().getSimpleName());
      }
    };
  }
}
