package onefold.catalyst.server;

import java.io.IOException;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.Extents;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.Slice;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireStream;
import onefold.store.ItemRecord;
import onefold.store.Names;
import onefold.store.ObjectReader;
import onefold.store.StoreRecord;
import onefold.store.StoredChunks;

/** Serves ranges of one item in stored form. */
final class ReadSession {
  /** Extents are sent when so many have gathered, or a block comes between. */
  private static final int EXTENTS_PER_FRAME = 1024;

  private final Doors doors;
  private final SessionStream session;
  private final WireStream stream;

  private final Extents extents = new Extents();
  private long extentsOffsetBytes;
  private long extentsBaseBlock;

  ReadSession(Doors doors, SessionStream session) {
    this.doors = doors;
    this.session = session;
    this.stream = session.wire();
  }

  void run(Message.OpenRead open) throws IOException {
    StoreRecord in = doors.open(open.store(), Right.READ);
    ItemRecord item = doors.item(in, Names.checkItemName(open.item()), open.itemId());
    try (ObjectReader reader = doors.store().openReader(in.domainId(), item.root())) {
      stream.send(new Message.ReadOpened(doors.parameterSet(in.domainId()), Doors.info(item)));
      while (true) {
        switch (session.next()) {
          case Message.ReadRange(long from, long end) -> range(reader, from, end);
          case Message.CloseRead() -> {
            stream.send(new Message.Done());
            return;
          }
          case Message other -> throw WireException.malformed(other.type() + " while reading");
        }
      }
    }
  }

  private void range(ObjectReader reader, long from, long end) throws IOException {
    if (from > end || end > reader.lengthBytes()) {
      throw new WireException(
          ErrorCode.INVALID_REQUEST,
          "range " + from + " to " + end + " of an item of " + reader.lengthBytes() + " bytes");
    }
    extents.clear();
    if (from < end) {
      try (StoredChunks chunks = reader.storedChunks(from, end)) {
        walk(chunks);
      }
    }
    stream.send(new Message.RangeEnd());
  }

  private void walk(StoredChunks chunks) throws IOException {
    while (true) {
      switch (chunks.next()) {
        case StoredChunks.Step.Block(long number, byte[] bytes, int offset, int length) -> {
          flush();
          stream.send(new Message.ReadBlock(number, new Slice(bytes, offset, length)));
        }
        case StoredChunks.Step.Extent e -> {
          begin(e.objectOffsetBytes(), e.blockNumber());
          if (e.blockNumber() < extentsBaseBlock) {
            // The base is the first extent's; an older block begins a frame of its own.
            flush();
            begin(e.objectOffsetBytes(), e.blockNumber());
          }
          extents.add(
              e.fingerprint(),
              Math.toIntExact(e.blockNumber() - extentsBaseBlock),
              e.chunkIndex(),
              e.skipBytes(),
              e.lengthBytes());
        }
        case StoredChunks.Step.Zeros(long offset, long length) -> {
          begin(offset, 0);
          extents.addZeros(length);
        }
        case StoredChunks.Step.End() -> {
          flush();
          return;
        }
      }
      if (extents.count() >= EXTENTS_PER_FRAME) {
        flush();
      }
    }
  }

  private void begin(long offsetBytes, long blockNumber) {
    if (extents.count() == 0) {
      extentsOffsetBytes = offsetBytes;
      extentsBaseBlock = blockNumber;
    }
  }

  private void flush() throws IOException {
    if (extents.count() > 0) {
      stream.send(new Message.ReadExtents(extentsOffsetBytes, extentsBaseBlock, extents));
      extents.clear();
    }
  }
}
