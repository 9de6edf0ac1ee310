package onefold.store.simulation;

import java.util.concurrent.atomic.AtomicLong;

/** Decides for each call of a simulated device whether it goes wrong, and how. */
@FunctionalInterface
public interface Faults {
  /** How a call ends. What makes no sense for a kind of call counts as {@link #NONE}. */
  enum Outcome {
    /** As it should. */
    NONE,
    /** There is no space; a write may have written a part. */
    FULL,
    /** The disk answers with an error; a write may have written a part; a force is fatal. */
    IO_ERROR,
    /** The power goes, before, after or in the middle of the call. */
    CRASH,
    /** A read gives the bytes of another place of the file. */
    MISDIRECTED_READ,
    /** A read gives what the disk has, not what was written since the last force. */
    STALE_READ,
    /** A read gives one wrong bit; the disk is right. */
    FLIPPED_READ,
    /** A write goes to another sector of the file and says it is well. */
    MISDIRECTED_WRITE,
    /** A write does nothing and says it is well. */
    LOST_WRITE,
    /** A force does nothing and says it is well. */
    LOST_FORCE
  }

  /** Called once for every call, before it is carried out. */
  Outcome decide(DeviceCall call);

  /** No faults. */
  static Faults none() {
    return call -> Outcome.NONE;
  }

  /** One fault, at the device's call of this number. */
  static Faults atCall(long number, Outcome outcome) {
    return call -> call.number() == number ? outcome : Outcome.NONE;
  }

  /** One fault, at the {@code count}-th call of a kind from now on, counted from 1. */
  static Faults atNth(DeviceCall.Kind kind, long count, Outcome outcome) {
    var seen = new AtomicLong();
    return call -> call.kind() == kind && seen.incrementAndGet() == count ? outcome : Outcome.NONE;
  }

  /** From the call of this number on every call of a kind goes wrong. */
  static Faults allFrom(long number, DeviceCall.Kind kind, Outcome outcome) {
    return call -> call.number() >= number && call.kind() == kind ? outcome : Outcome.NONE;
  }
}
