package onefold.nas;

import java.time.Instant;

/** What becomes of a time. */
public sealed interface TimeChange {
  /** The server's time; who may write may set it. */
  TimeChange NOW = new Now();

  /** The server's time. */
  record Now() implements TimeChange {}

  /** A time of the client's; only the owner and root may set it. */
  record At(Instant time) implements TimeChange {}

  static TimeChange at(Instant time) {
    return new At(time);
  }
}
