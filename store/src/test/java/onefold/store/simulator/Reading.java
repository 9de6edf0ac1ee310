package onefold.store.simulator;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import onefold.block.BlockReader;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.store.ChunkStore;
import onefold.store.Id;
import onefold.store.ObjectReader;
import onefold.store.StoredChunks;
import onefold.store.StoredChunks.Step;

/** Reads objects in every way there is and compares each byte with what it must be. */
final class Reading {
  private Reading() {}

  /** Opens an object and reads it by the seed: whole, in ranges, or in stored form. */
  static void check(
      ChunkStore store, Id domainId, ObjectRoot root, byte[] expected, long seed, String what)
      throws IOException {
    try (ObjectReader reader = store.openReader(domainId, root)) {
      check(reader, expected, seed, what);
    }
  }

  /** Reads from an open reader, as the other one. */
  static void check(ObjectReader reader, byte[] expected, long seed, String what)
      throws IOException {
    var random = new SplittableRandom(seed);
    if (reader.lengthBytes() != expected.length) {
      throw new Wrong(
          what + ": " + reader.lengthBytes() + " bytes long, expected " + expected.length);
    }
    switch (random.nextInt(4)) {
      case 0 -> range(reader, expected, 0, expected.length, random, what);
      case 1 -> {
        for (int i = 0; i < 4; i++) {
          int from = random.nextInt(expected.length + 1);
          int to = from + random.nextInt(expected.length - from + 1);
          range(reader, expected, from, to, random, what);
        }
      }
      case 2 -> walk(reader, expected, 0, expected.length, what);
      default -> {
        int from = random.nextInt(expected.length + 1);
        int to = from + random.nextInt(expected.length - from + 1);
        walk(reader, expected, from, to, what);
        range(reader, expected, 0, expected.length, random, what);
      }
    }
    byte[] one = new byte[1];
    if (reader.read(expected.length, one, 0, 1) != -1) {
      throw new Wrong(what + ": bytes beyond the end");
    }
  }

  private static void range(
      ObjectReader reader, byte[] expected, int from, int to, SplittableRandom random, String what)
      throws IOException {
    byte[] target = new byte[to - from + 7];
    int at = from;
    while (at < to) {
      int wanted = random.nextInt(3) == 0 ? 1 + random.nextInt(to - at) : to - at;
      int offset = random.nextInt(target.length - wanted + 1);
      int n = reader.read(at, target, offset, wanted);
      if (!(n >= 1 && n <= wanted)) {
        throw new Wrong(what + ": read answers " + n + " for " + wanted);
      }
      int differs = Arrays.mismatch(target, offset, offset + n, expected, at, at + n);
      if (differs >= 0) {
        throw new Wrong(what + ": another byte at " + (at + differs));
      }
      at += n;
    }
  }

  /** A receiver of stored chunks, as the Catalyst client is one. */
  private static void walk(ObjectReader reader, byte[] expected, long from, long to, String what)
      throws IOException {
    SequencedMap<Long, Unpacked> window = new LinkedHashMap<>();
    long windowBytes = 0;
    var fingerprinter = new Fingerprinter(ParameterSet.SET_1);
    byte[] found = new byte[Fingerprint.BYTES];
    long at = from;
    long blocks = 0;
    try (StoredChunks walk = reader.storedChunks(from, to);
        var blockReader = new BlockReader()) {
      while (true) {
        switch (walk.next()) {
          case Step.Block block -> {
            if (block.blockNumber() != blocks) {
              throw new Wrong(what + ": block " + block.blockNumber() + " next");
            }
            blocks++;
            blockReader.parse(block.bytes(), block.offset(), block.lengthBytes());
            window.put(
                block.blockNumber(),
                new Unpacked(
                    Arrays.copyOf(blockReader.decompress(), blockReader.rawBytes()),
                    Arrays.copyOf(blockReader.chunkLengths(), blockReader.chunkCount())));
            windowBytes += blockReader.rawBytes();
            while (window.size() > StoredChunks.WINDOW_BLOCKS
                || (windowBytes > StoredChunks.WINDOW_BYTES && window.size() > 1)) {
              windowBytes -= window.pollFirstEntry().getValue().raw().length;
            }
          }
          case Step.Extent extent -> {
            if (extent.objectOffsetBytes() != at) {
              throw new Wrong(
                  what + ": extent at " + extent.objectOffsetBytes() + ", expected " + at);
            }
            Unpacked block = window.get(extent.blockNumber());
            if (block == null) {
              throw new Wrong(what + ": block " + extent.blockNumber() + " is not in the window");
            }
            int start = 0;
            for (int i = 0; i < extent.chunkIndex(); i++) {
              start += block.lengths()[i];
            }
            fingerprinter.fingerprint(
                block.raw(), start, block.lengths()[extent.chunkIndex()], found, 0);
            if (!Arrays.equals(found, extent.fingerprint())) {
              throw new Wrong(what + ": another chunk at " + at);
            }
            int first = start + extent.skipBytes();
            int differs =
                at + extent.lengthBytes() > to
                    ? 0
                    : Arrays.mismatch(
                        block.raw(),
                        first,
                        first + extent.lengthBytes(),
                        expected,
                        (int) at,
                        (int) at + extent.lengthBytes());
            if (differs >= 0) {
              throw new Wrong(what + ": another byte stored for " + (at + differs));
            }
            at += extent.lengthBytes();
          }
          case Step.Zeros zeros -> {
            if (!(zeros.objectOffsetBytes() == at && at + zeros.lengthBytes() <= to)) {
              throw new Wrong(
                  what + ": zeros at " + zeros.objectOffsetBytes() + ", expected " + at);
            }
            for (long i = 0; i < zeros.lengthBytes(); i++) {
              if (expected[(int) (at + i)] != 0) {
                throw new Wrong(what + ": zeros at " + (at + i));
              }
            }
            at += zeros.lengthBytes();
          }
          case Step.End() -> {
            if (at != to) {
              throw new Wrong(what + ": the walk ends at " + at + ", expected " + to);
            }
            return;
          }
        }
      }
    }
  }

  private record Unpacked(byte[] raw, int[] lengths) {}
}
