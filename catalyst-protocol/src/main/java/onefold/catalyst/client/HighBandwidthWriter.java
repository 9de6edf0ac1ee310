package onefold.catalyst.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.Frame;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.QueueInbox;
import onefold.catalyst.wire.Slice;
import onefold.catalyst.wire.Tags;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireId;
import onefold.catalyst.wire.WireStream;
import org.jspecify.annotations.Nullable;

/**
 * Streams an item's bytes; the appliance does the work. Keeps what it has sent, up to the settings'
 * buffer, to send it again over another connection from wherever the appliance then is.
 */
final class HighBandwidthWriter extends ItemWriter {
  private static final int PIECE_BYTES = 256 << 10;

  /** Tells listeners each time so much was taken. */
  private static final long PROGRESS_BYTES = 1 << 20;

  /** What was done, in order: bytes, or something that stands for bytes. */
  private sealed interface Piece {
    long start();

    long lengthBytes();

    record Bytes(long start, byte[] array, int length) implements Piece {
      @Override
      public long lengthBytes() {
        return length;
      }
    }

    record CutHere(long start) implements Piece {
      @Override
      public long lengthBytes() {
        return 0;
      }
    }

    record Zeros(long start, long lengthBytes) implements Piece {}

    record Range(
        long start, String store, String item, WireId itemId, long offsetBytes, long lengthBytes)
        implements Piece {}

    default long end() {
      return start() + lengthBytes();
    }
  }

  private final Connections connections;
  private final String store;
  private final String item;
  private final WriteOptions options;
  private final WireId command;

  private WireId upload;
  private QueueInbox inbox = new QueueInbox();
  private @Nullable WireStream stream;

  private final ArrayDeque<Piece> kept = new ArrayDeque<>();
  private long keptBytes;
  private final ArrayDeque<byte[]> spare = new ArrayDeque<>();

  private byte[] current = new byte[PIECE_BYTES];
  private int currentBytes;
  private long currentStart;

  private long takenBytes;
  private long durableBytes;
  private long sentDataBytes;
  private long sentBefore;
  private long receivedBefore;
  private long toldBytes;
  private int reconnectCount;
  private boolean commitSent;
  private boolean ended;

  /** How far the bytes given by the caller only repeat what a resumed upload has. */
  private long skipUntilBytes;

  HighBandwidthWriter(Connections connections, String store, String item, WriteOptions options)
      throws IOException {
    this.connections = connections;
    this.store = store;
    this.item = item;
    this.options = options;
    this.upload = options.resume();
    this.command = WireId.random(new SecureRandom());
    Message.UploadOpened opened = connections.retrying(this::open);
    skipUntilBytes = opened.positionBytes();
  }

  private Message.UploadOpened open(Connection connection) throws IOException {
    var fresh = new QueueInbox();
    WireStream opening =
        connection
            .channel()
            .open(
                new Message.OpenUpload(
                    store, item, true, options.replace(), options.compression(), upload),
                fresh);
    try {
      Message answer = fresh.take(connections.settings().requestTime()).message();
      if (!(answer instanceof Message.UploadOpened opened)) {
        throw WireException.malformed("OPEN_UPLOAD was answered by " + answer.type());
      }
      WireStream old = stream;
      if (old != null) {
        sentBefore += old.sentBytes();
        receivedBefore += old.receivedBytes();
      }
      stream = opening;
      inbox = fresh;
      upload = opened.upload();
      takenBytes = opened.positionBytes();
      durableBytes = opened.durableBytes();
      return opened;
    } catch (IOException | RuntimeException e) {
      opening.cancel();
      throw e;
    }
  }

  @Override
  public WireId uploadId() {
    return upload;
  }

  @Override
  public long positionBytes() {
    return currentStart + currentBytes;
  }

  @Override
  public void write(byte[] source, int offset, int lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offset, lengthBytes, source.length);
    checkOpen();
    int done = 0;
    while (done < lengthBytes) {
      int n = Math.min(lengthBytes - done, current.length - currentBytes);
      System.arraycopy(source, offset + done, current, currentBytes, n);
      currentBytes += n;
      done += n;
      if (currentBytes == current.length) {
        flushCurrent();
      }
    }
  }

  @Override
  public long transferFrom(InputStream source) throws IOException {
    checkOpen();
    long sum = 0;
    while (true) {
      int n = source.read(current, currentBytes, current.length - currentBytes);
      if (n < 0) {
        return sum;
      }
      sum += n;
      currentBytes += n;
      if (currentBytes == current.length) {
        flushCurrent();
      }
    }
  }

  @Override
  public void cut() throws IOException {
    checkOpen();
    flushCurrent();
    push(new Piece.CutHere(currentStart));
  }

  @Override
  public void hole(long lengthBytes) throws IOException {
    checkOpen();
    if (lengthBytes < 0) {
      throw new IllegalArgumentException("hole of " + lengthBytes + " bytes");
    }
    flushCurrent();
    if (lengthBytes > 0) {
      push(new Piece.Zeros(currentStart, lengthBytes));
      currentStart += lengthBytes;
    }
  }

  @Override
  public void splice(String fromStore, ItemInfo from, long offsetBytes, long lengthBytes)
      throws IOException {
    checkOpen();
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, from.lengthBytes());
    flushCurrent();
    if (lengthBytes > 0) {
      push(
          new Piece.Range(
              currentStart, fromStore, from.name(), from.id(), offsetBytes, lengthBytes));
      currentStart += lengthBytes;
    }
  }

  private void flushCurrent() throws IOException {
    if (currentBytes == 0) {
      return;
    }
    var piece = new Piece.Bytes(currentStart, current, currentBytes);
    currentStart += currentBytes;
    currentBytes = 0;
    push(piece);
    byte[] again = spare.pollFirst();
    current = again == null ? new byte[PIECE_BYTES] : again;
  }

  /** Keeps a piece and sends it. */
  private void push(Piece piece) throws IOException {
    kept.addLast(piece);
    if (piece instanceof Piece.Bytes bytes) {
      keptBytes += bytes.array.length;
    }
    trim();
    try {
      sendFrom(piece, skipUntilBytes);
      listen();
    } catch (IOException e) {
      resume(e);
    }
    if (positionBytes() - toldBytes >= PROGRESS_BYTES) {
      toldBytes = positionBytes();
      tell();
    }
  }

  /** Lets go of what is durable, and of the oldest beyond the buffer's size. */
  private void trim() {
    long bound = connections.settings().bufferBytes();
    while (kept.size() > 1) {
      Piece oldest = kept.getFirst();
      if (oldest.end() > durableBytes && keptBytes <= bound) {
        return;
      }
      kept.removeFirst();
      if (oldest instanceof Piece.Bytes bytes) {
        keptBytes -= bytes.array.length;
        if (spare.isEmpty()) {
          spare.addLast(bytes.array);
        }
      }
    }
  }

  /** Sends a piece as far as it lies behind {@code from}. */
  private void sendFrom(Piece piece, long from) throws IOException {
    if (piece.lengthBytes() > 0 ? piece.end() <= from : piece.start() < from) {
      return;
    }
    WireStream to = stream();
    long skip = Math.max(0, from - piece.start());
    switch (piece) {
      case Piece.Bytes bytes -> {
        int length = (int) (bytes.length - skip);
        to.send(new Message.Write(new Slice(bytes.array, (int) skip, length)));
        sentDataBytes += length;
      }
      case Piece.CutHere _ -> to.send(new Message.Cut());
      case Piece.Zeros zeros -> to.send(new Message.Hole(zeros.lengthBytes - skip));
      case Piece.Range range ->
          to.send(
              new Message.Splice(
                  range.store,
                  range.item,
                  range.itemId,
                  range.offsetBytes + skip,
                  range.lengthBytes - skip));
    }
  }

  private WireStream stream() {
    WireStream there = stream;
    if (there == null) {
      throw new IllegalStateException("the upload was not opened");
    }
    return there;
  }

  /** Takes what the appliance said meanwhile. */
  private void listen() throws IOException {
    for (Frame frame = inbox.poll(); frame != null; frame = inbox.poll()) {
      take(frame.message());
    }
  }

  private void take(Message message) throws IOException {
    if (!(message instanceof Message.Position(long taken, long durable))) {
      throw WireException.malformed(message.type() + " in a high-bandwidth upload");
    }
    takenBytes = taken;
    durableBytes = durable;
  }

  // ---- when the connection breaks

  /** Connects again and sends what the appliance has not taken. */
  private void resume(IOException first) throws IOException {
    IOException failure = first;
    for (int failures = 0; ; failures++) {
      if (!Connections.isWorthRetrying(failure)
          || failures >= connections.settings().retry().attempts()) {
        ended = true;
        throw Connections.shown(failure);
      }
      try {
        connections.pause(connections.settings().retry().delay(failures));
        reopen();
        reconnectCount++;
        sendAgain(takenBytes);
        return;
      } catch (IOException e) {
        failure = e;
      }
    }
  }

  private void reopen() throws IOException {
    try {
      open(connections.get());
    } catch (WireException e) {
      if (e.code() != ErrorCode.NOT_FOUND || commitSent) {
        throw e;
      }
      // It died before its first checkpoint: begin again, if the first byte can still be had.
      upload = WireId.NONE;
      open(connections.get());
    }
    skipUntilBytes = takenBytes;
  }

  private void sendAgain(long from) throws IOException {
    long firstKept = kept.isEmpty() ? currentStart : kept.getFirst().start();
    if (from < firstKept) {
      RereadableSource source = options.source();
      if (source == null) {
        throw new CatalystException(
            ErrorCode.CONFLICT,
            "the appliance has the item up to byte "
                + from
                + ", this client's buffer begins at "
                + firstKept
                + ", and the source cannot be read again");
      }
      byte[] again = new byte[PIECE_BYTES];
      for (long at = from; at < firstKept; ) {
        int n = (int) Math.min(again.length, firstKept - at);
        source.read(at, ByteBuffer.wrap(again, 0, n));
        stream().send(new Message.Write(new Slice(again, 0, n)));
        sentDataBytes += n;
        at += n;
      }
    }
    for (Piece piece : kept) {
      sendFrom(piece, from);
    }
  }

  // ---- the end

  @Override
  public CommittedItem commit() throws IOException {
    return commit(options.tags());
  }

  @Override
  public CommittedItem commit(Map<String, String> tags) throws IOException {
    checkOpen();
    SortedMap<String, String> checked = Tags.checked(tags);
    flushCurrent();
    for (int failures = 0; ; failures++) {
      try {
        commitSent = true;
        stream()
            .send(
                new Message.Commit(command, null, options.replace(), checked, options.lockDays()));
        while (true) {
          Message answer =
              inbox.take(connections.settings().requestTime().multipliedBy(10)).message();
          if (answer instanceof Message.Committed(ItemInfo made, long newBytes, String warning)) {
            return done(made, newBytes, warning);
          }
          take(answer);
        }
      } catch (IOException e) {
        if (failures > connections.settings().retry().attempts()) {
          ended = true;
          throw Connections.shown(e);
        }
        ItemInfo made = resumeCommit(e);
        if (made != null) {
          return done(made, made.newBytes(), "");
        }
      }
    }
  }

  private CommittedItem done(ItemInfo made, long newBytes, String warning) {
    ended = true;
    takenBytes = made.lengthBytes();
    durableBytes = made.lengthBytes();
    stream().finish();
    UploadStatistics last = statistics(newBytes);
    ProgressListener listener = options.progress();
    if (listener != null) {
      listener.progress(last);
    }
    return new CommittedItem(made, last, warning);
  }

  /** Connects again; returns the item if the commit had been done. */
  private @Nullable ItemInfo resumeCommit(IOException failure) throws IOException {
    try {
      resume(failure);
      return null;
    } catch (CatalystException e) {
      if (e.code() != ErrorCode.NOT_FOUND) {
        throw e;
      }
      // The upload is gone: committed, or ended by somebody. An item has the id of its upload.
      Message answer;
      try {
        answer = connections.request(new Message.FindItem(store, item));
      } catch (IOException other) {
        throw e;
      }
      if (answer instanceof Message.Item(ItemInfo made) && made.id().equals(upload)) {
        return made;
      }
      throw e;
    }
  }

  @Override
  public void abort() throws IOException {
    if (ended) {
      return;
    }
    ended = true;
    try {
      stream().send(new Message.Abort());
      Message answer;
      do {
        answer = inbox.take(connections.settings().requestTime()).message();
      } while (answer instanceof Message.Position);
      stream().finish();
    } catch (IOException e) {
      throw Connections.shown(e);
    }
  }

  private void checkOpen() throws IOException {
    if (ended) {
      throw new IOException("the writer is closed");
    }
  }

  private void tell() {
    ProgressListener listener = options.progress();
    if (listener != null) {
      listener.progress(statistics());
    }
  }

  @Override
  public UploadStatistics statistics() {
    return statistics(-1);
  }

  private UploadStatistics statistics(long newBytes) {
    WireStream there = stream();
    return new UploadStatistics(
        positionBytes(),
        takenBytes,
        durableBytes,
        sentDataBytes,
        sentBefore + there.sentBytes(),
        receivedBefore + there.receivedBytes(),
        newBytes,
        reconnectCount);
  }

  @Override
  public void close() {
    if (!ended) {
      ended = true;
      stream().cancel();
    }
  }
}
