package onefold.store.simulation;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import onefold.store.simulation.SimulatedDevice.DirectoryNode;
import onefold.store.simulation.SimulatedDevice.FileNode;
import onefold.store.simulation.SimulatedDevice.Node;

/** Applies a choice of the pending changes to a copy of the durable state. */
final class CrashState {
  private static final int SECTOR_BYTES = SimulatedDevice.SECTOR_BYTES;

  private final CrashModel model;
  private final SplittableRandom random;
  private final Map<Node, Node> copies;

  /**
   * Takes the copy of the durable state.
   *
   * @param copies from the nodes of the old device to those of the new one; grows by nodes that
   *     only pending names reach
   */
  CrashState(CrashModel model, SplittableRandom random, Map<Node, Node> copies) {
    this.model = model;
    this.random = random;
    this.copies = copies;
  }

  /**
   * Applies what the model keeps.
   *
   * @param committedSequence the last change that a force of anything has seen: in a journalling
   *     file system the names up to here are durable
   */
  void apply(List<Pending> pending, long committedSequence) {
    switch (model) {
      case LOSE_ALL -> {}
      case KEEP_ALL -> pending.forEach(this::keep);
      case ORDERED_PREFIX -> applyPrefix(pending);
      case EXT4_LIKE -> applyLikeExt4(pending, committedSequence);
      case ANY_SUBSET -> {
        int keptOfEight = random.nextInt(1, 8);
        for (Pending change : pending) {
          if (random.nextInt(8) < keptOfEight) {
            keep(change);
          }
        }
      }
      case TORN_SECTORS, TORN_BYTES -> applyTorn(pending);
      case SIZES_WITHOUT_DATA, SIZES_WITH_GARBAGE -> {
        for (Pending change : pending) {
          if (change instanceof Pending.Write write) {
            growWithoutData(write);
          } else {
            keep(change);
          }
        }
      }
      case NAMES_WITHOUT_CONTENT -> {
        for (Pending change : pending) {
          if (!isContent(change)) {
            keep(change);
          }
        }
      }
      case CONTENT_WITHOUT_NAMES -> {
        for (Pending change : pending) {
          if (isContent(change)) {
            keep(change);
          }
        }
      }
    }
  }

  private static boolean isContent(Pending change) {
    return switch (change) {
      case Pending.Write write -> true;
      case Pending.Resize resize -> true;
      case Pending.Link link -> false;
      case Pending.Unlink unlink -> false;
      case Pending.Rename rename -> false;
    };
  }

  private void keep(Pending change) {
    switch (change) {
      case Pending.Write write ->
          file(write.file())
              .content
              .write(write.positionBytes(), write.bytes(), 0, write.bytes().length);
      case Pending.Resize resize -> file(resize.file()).content.resize(resize.sizeBytes());
      case Pending.Link link ->
          directory(link.directory()).mutableNames().put(link.name(), copy(link.node()));
      case Pending.Unlink unlink ->
          directory(unlink.directory()).mutableNames().remove(unlink.name(), copy(unlink.node()));
      case Pending.Rename rename -> {
        var names = directory(rename.directory()).mutableNames();
        names.remove(rename.from(), copy(rename.node()));
        names.put(rename.to(), copy(rename.node()));
      }
    }
  }

  private void applyPrefix(List<Pending> pending) {
    if (pending.isEmpty()) {
      return;
    }
    int count = random.nextInt(pending.size());
    pending.subList(0, count).forEach(this::keep);
    Pending torn = pending.get(count);
    if (torn instanceof Pending.Write write) {
      byte[] bytes = write.bytes();
      file(write.file())
          .content
          .write(write.positionBytes(), bytes, 0, random.nextInt(bytes.length + 1));
    } else if (random.nextBoolean()
        && count > 0
        && pending.get(count - 1).sequence() != torn.sequence()) {
      keep(torn);
    }
  }

  private void applyTorn(List<Pending> pending) {
    int keptOfEight = random.nextInt(1, 8);
    for (Pending change : pending) {
      if (change instanceof Pending.Write write) {
        tear(write, keptOfEight);
      } else if (random.nextInt(8) < keptOfEight) {
        keep(change);
      }
    }
  }

  /**
   * Keeps some sectors of a write; what lies beyond the end is seen only if the new size is kept
   * too.
   */
  private void tear(Pending.Write write, int keptOfEight) {
    PagedBytes content = file(write.file()).content;
    long start = write.positionBytes();
    long end = start + write.bytes().length;
    if (end > content.sizeBytes() && random.nextInt(8) < keptOfEight) {
      content.resize(end);
    }
    for (long at = start; at < end; ) {
      long sectorEnd = Math.min(end, (at / SECTOR_BYTES + 1) * SECTOR_BYTES);
      if (random.nextInt(8) < keptOfEight) {
        long from = at;
        long to = sectorEnd;
        if (model == CrashModel.TORN_BYTES && random.nextInt(4) == 0) {
          long middle = at + random.nextLong(sectorEnd - at);
          if (random.nextBoolean()) {
            from = middle;
          } else {
            to = middle;
          }
        }
        int length = (int) (Math.min(to, content.sizeBytes()) - from);
        if (length > 0) {
          content.write(from, write.bytes(), (int) (from - start), length);
        }
      }
      at = sectorEnd;
    }
  }

  private void growWithoutData(Pending.Write write) {
    PagedBytes content = file(write.file()).content;
    long before = content.sizeBytes();
    long end = write.positionBytes() + write.bytes().length;
    if (end <= before) {
      return;
    }
    content.resize(end);
    if (model == CrashModel.SIZES_WITH_GARBAGE) {
      byte[] garbage = new byte[Math.toIntExact(end - before)];
      random.nextBytes(garbage);
      content.write(before, garbage, 0, garbage.length);
    }
  }

  private void applyLikeExt4(List<Pending> pending, long committedSequence) {
    long last = pending.isEmpty() ? 0 : pending.getLast().sequence();
    long cut = last <= committedSequence ? last : random.nextLong(committedSequence, last + 1);
    Map<FileNode, Long> appendedUntil = new HashMap<>();
    for (Pending change : pending) {
      switch (change) {
        case Pending.Write write -> {
          PagedBytes content = file(write.file()).content;
          if (write.positionBytes() + write.bytes().length > content.sizeBytes()) {
            // Appended: allocated and written out in order, up to a point of its own for each file.
            long until =
                appendedUntil.computeIfAbsent(write.file(), file -> random.nextLong(last + 1));
            if (write.sequence() <= until) {
              keep(write);
            }
          } else {
            keepPages(write, content);
          }
        }
        case Pending.Resize resize -> {
          if (resize.sequence() <= cut) {
            keep(resize);
          }
        }
        case Pending.Link link -> keepUpTo(cut, link);
        case Pending.Unlink unlink -> keepUpTo(cut, unlink);
        case Pending.Rename rename -> keepUpTo(cut, rename);
      }
    }
  }

  private void keepUpTo(long cut, Pending change) {
    if (change.sequence() <= cut) {
      keep(change);
    }
  }

  /** Overwrites in place go out page by page, in any order. */
  private void keepPages(Pending.Write write, PagedBytes content) {
    long start = write.positionBytes();
    long end = start + write.bytes().length;
    for (long at = start; at < end; ) {
      long pageEnd = Math.min(end, (at / PagedBytes.PAGE_BYTES + 1) * PagedBytes.PAGE_BYTES);
      if (random.nextBoolean()) {
        byte[] page =
            Arrays.copyOfRange(write.bytes(), (int) (at - start), (int) (pageEnd - start));
        content.write(at, page, 0, page.length);
      }
      at = pageEnd;
    }
  }

  private FileNode file(FileNode old) {
    return (FileNode) copy(old);
  }

  private DirectoryNode directory(DirectoryNode old) {
    return (DirectoryNode) copy(old);
  }

  private Node copy(Node old) {
    return SimulatedDevice.durableCopy(old, copies);
  }
}
