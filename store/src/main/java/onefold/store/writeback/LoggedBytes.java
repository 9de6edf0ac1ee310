package onefold.store.writeback;

import java.io.IOException;
import onefold.store.writeback.Extent.Content;
import onefold.store.writeback.Extent.Logged;
import org.jspecify.annotations.Nullable;

/** Reads the log, once for neighbours that lie in one part of it. One thread at a time. */
final class LoggedBytes {
  private final Source log;
  private @Nullable Logged place;
  private byte[] bytes = {};

  /** Where the bytes come from. */
  @FunctionalInterface
  interface Source {
    byte[] read(Logged place) throws IOException;
  }

  LoggedBytes(Source log) {
    this.log = log;
  }

  /** The bytes of the part of the log that holds some data. */
  byte[] of(Content.Data data) throws IOException {
    Logged wanted = data.logged();
    if (wanted == null) {
      throw new IllegalStateException("data that is nowhere");
    }
    if (!wanted.equals(place)) {
      bytes = log.read(wanted);
      place = wanted;
    }
    return bytes;
  }
}
