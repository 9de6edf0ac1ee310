package onefold.store.simulator;

import java.util.List;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.LockKind;

/**
 * One step of a program. Steps say what is tried; whether it must succeed follows from the model at
 * the time, so that any of them can be left out.
 */
sealed interface Step {
  /** How bytes come in. */
  enum Road {
    /** Cut by the store. */
    STREAM,
    /** Cut by the source, which asks for chunks first and builds nodes from below. */
    SOURCE_FROM_BELOW,
    /** Cut by the source, which asks for the root first and goes down. */
    SOURCE_FROM_ABOVE
  }

  /** How a simulated life ends. */
  enum End {
    KILL,
    POWER_LOSS
  }

  /** What of an item becomes part of another. */
  record Part(Address from, int startOfSixteen, int lengthOfSixteen, int ownBytes) {}

  // ---- uploads

  /**
   * A whole upload.
   *
   * @param again whether the commit is asked for a second time with its command's id
   */
  record Put(
      Address to,
      Plan plan,
      Road road,
      Compression compression,
      CommitMode mode,
      int tags,
      long splitSeed,
      boolean again)
      implements Step {}

  /** Opens an upload and leaves it open in a slot of its lane. */
  record Begin(int slot, Address to, Plan plan, Road road, long splitSeed) implements Step {}

  /** Sends some eighths more of what the upload in a slot is to contain. */
  record Feed(int slot, int eighths) implements Step {}

  /** Asks for a checkpoint; a stream has no such request and checkpoints by itself. */
  record Save(int slot, boolean awaited) implements Step {}

  /** Sends the rest and commits. */
  record Finish(int slot, CommitMode mode, int tags) implements Step {}

  record Abort(int slot) implements Step {}

  /** Closes the session; the upload stays as its last checkpoint has it. */
  record Leave(int slot) implements Step {}

  /** Goes on with the unfinished upload of a name, if there is one. */
  record Resume(int slot, Address of, Road road, long splitSeed) implements Step {}

  /** An operator ends the unfinished upload of a name. */
  record EndUpload(Address of) implements Step {}

  record Splice(Address to, List<Part> parts, CommitMode mode) implements Step {}

  // ---- names

  record Clone(Address from, Address to, CommitMode mode, boolean again) implements Step {}

  record Delete(Address of, boolean again) implements Step {}

  /**
   * Sets tags, hold and lock.
   *
   * @param lockMillis from now, or 0 for no lock
   */
  record Update(Address of, int tags, boolean held, int lockMillis) implements Step {}

  /**
   * Locks an item, or tries to shorten or weaken its lock.
   *
   * @param millis until when, from now; into the past if negative
   * @param override whether somebody with the right to shorten locks asks
   */
  record Lock(Address of, LockKind kind, int millis, boolean override) implements Step {}

  /** The wall clock jumps, and nothing else. */
  record ClockJump(int days) implements Step {}

  record PassTime(int millis) implements Step {}

  /** Sets a store's quota to what it holds and so much more; negative is none. */
  record Quota(int store, int slackBytes) implements Step {}

  /** Sets for how many days a store keeps what is deleted or replaced. */
  record KeepDeleted(int store, int days) implements Step {}

  /**
   * Brings back one of the deleted items of a name.
   *
   * @param which of them
   * @param as number of the name it gets, in its lane
   */
  record Undelete(Address of, int which, int as, CommitMode mode, boolean again) implements Step {}

  /** Gives up one of the deleted items of a name, or tries to. */
  record Purge(Address of, int which, boolean override) implements Step {}

  /** Takes a snapshot of a store under one of a few names, or deletes the one of that name. */
  record Snapshot(int store, int name) implements Step {}

  /** Makes the store that may be missing as a copy of the first, or of a snapshot of that. */
  record CopyStore(int snapshot) implements Step {}

  /**
   * Changes entries of a share.
   *
   * @param lane whose keys
   * @param awaited whether until they are durable
   */
  record ShareChanges(int share, int lane, int count, long seed, boolean awaited) implements Step {}

  /** Takes a snapshot of a share under one of a few names, or deletes the one of that name. */
  record ShareSnapshot(int share, int name) implements Step {}

  /** Makes the share that may be missing as a copy of the first. */
  record CopyShare() implements Step {}

  record MakeShare(int share) implements Step {}

  record DropShare(int share, boolean withFiles) implements Step {}

  record DropStore(boolean withItems) implements Step {}

  record MakeStore() implements Step {}

  /** Sets a record, or removes it if {@code lengthBytes} is negative. */
  record PutRecord(int lane, int key, int lengthBytes) implements Step {}

  // ---- looking

  record Listing(int store, int lane, int prefixChars, int afterName, int limit) implements Step {}

  record Read(Address of, long seed) implements Step {}

  record OpenReader(int slot, Address of) implements Step {}

  record ReadOpen(int slot, long seed) implements Step {}

  record CloseReader(int slot) implements Step {}

  /** Reads everything there is. */
  record CheckAll(long seed) implements Step {}

  // ---- the store itself

  record Housekeeping(int domain) implements Step {}

  /** Writes all sealed containers anew. */
  record Recompress(int domain) implements Step {}

  record Pause(boolean paused) implements Step {}

  /** Stands for the catalog's own containers where a domain is meant. */
  int CATALOG = 2;

  /** Reads everything of a domain back, and makes good what can be. */
  record Scrub(int domain) implements Step {}

  /** Says whether a domain keeps a parity for each container. */
  record KeepParity(int domain, boolean parity) implements Step {}

  /**
   * One run of bytes of a container that has a parity is lost, and read back and made good.
   *
   * @param number which container it is
   */
  record LoseRun(int domain, int number, long seed) implements Step {}

  /** Leaves so much free space and no more. */
  record FillDisk(int freeBytes) implements Step {}

  record FreeDisk() implements Step {}

  /** A clean end and a start. */
  record Reopen() implements Step {}

  /**
   * The power goes, or the process is killed, while a step runs, or else right after it.
   *
   * @param calls at which call of the device, from 1
   * @param recoveryCalls at which call of the recovery it happens again, or 0
   * @param seed what the disk keeps
   */
  record Cut(Step during, End end, int calls, int recoveryCalls, long seed) implements Step {}

  /**
   * One call of the disk fails with an input/output error while a step runs; whatever comes of the
   * step, the process ends then.
   *
   * @param forces whether only forces count
   * @param calls which call it is, from 1
   * @param recovery whether it happens in the recovery that follows, too
   * @param seed what the disk keeps
   */
  record FailedCall(Step during, boolean forces, End end, int calls, boolean recovery, long seed)
      implements Step {}

  /**
   * One call of the disk finds no space while a step runs, though there is some before and after.
   *
   * @param calls which call it is, from 1
   * @param journal whether only calls for the journal's files count
   */
  record NoSpace(Step during, int calls, boolean journal) implements Step {}

  /** How data at rest, or on its way, is damaged. */
  enum Rot {
    /** One bit is another. */
    BIT,
    /** A sector is zeros. */
    ZEROS,
    /** A sector holds that of another place: a write went astray. */
    ASTRAY,
    /** A read answers one wrong bit; the disk is right. */
    WRONG_READ,
    /** A read answers what lies elsewhere in the file. */
    READ_ELSEWHERE,
    /** A read answers what was there before the last force. */
    OLD_READ,
    /** A write does nothing. */
    LOST_WRITE,
    /** A write goes to another place of the file. */
    WRITE_ELSEWHERE
  }

  /**
   * The bytes of a container with data are damaged, or those of one read or write of it while a
   * step runs. From then on the store may say so; it must never answer other bytes.
   *
   * @param number which container or call it is
   */
  record Damage(Step during, Rot how, int number, long seed) implements Step {}

  /** What cannot be read is sent again, after which all must be right. */
  record Heal(long seed) implements Step {}

  /**
   * The stored bytes of a document that only one item has are damaged in one place, and read.
   *
   * @param base of the document
   */
  record Hurt(Address of, int base, long seed) implements Step {}

  /** If that was the last damage, an item of the same document that was sent since is whole. */
  record MustRead(Address of, Plan plan, long seed) implements Step {}

  /** Lanes side by side, and housekeeping beside them. */
  record Together(List<List<Step>> lanes, int housekeepingRuns) implements Step {}
}
