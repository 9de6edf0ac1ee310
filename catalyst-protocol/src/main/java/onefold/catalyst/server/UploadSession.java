package onefold.catalyst.server;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import onefold.catalyst.wire.Bits;
import onefold.catalyst.wire.ConnectionLostException;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.Slice;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireId;
import onefold.catalyst.wire.WireStream;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.ObjectRoot;
import onefold.store.Checkpoint;
import onefold.store.CommitOutcome;
import onefold.store.CommitRequest;
import onefold.store.Compression;
import onefold.store.Id;
import onefold.store.IngestSession;
import onefold.store.ItemRecord;
import onefold.store.Names;
import onefold.store.ObjectWriter;
import onefold.store.StoreRecord;

/** Serves one upload, in either bandwidth. */
final class UploadSession {
  /** In high bandwidth the client is told its position each time so much was taken. */
  private static final long POSITION_EVERY_BYTES = 4 << 20;

  private final Doors doors;
  private final OpenUploads uploads;
  private final SessionStream session;
  private final WireStream stream;

  /** Told of an upload that was parked, so that it is expired in time. */
  private final Consumer<OpenUploads.Served> parkedListener;

  UploadSession(
      Doors doors,
      OpenUploads uploads,
      SessionStream session,
      Consumer<OpenUploads.Served> parkedListener) {
    this.doors = doors;
    this.uploads = uploads;
    this.session = session;
    this.stream = session.wire();
    this.parkedListener = parkedListener;
  }

  void run(Message.OpenUpload open) throws IOException {
    StoreRecord in = doors.open(open.store(), open.replace() ? Right.WRITE : Right.APPEND);
    String item = Names.checkItemName(open.item());
    Optional<Id> resume =
        open.resume().equals(WireId.NONE) ? Optional.empty() : Optional.of(Doors.id(open.resume()));
    Optional<ObjectWriter> parked = Optional.empty();
    if (resume.isPresent()) {
      parked = uploads.takeOver(resume.get(), doors.user());
    } else {
      doors.checkTarget(in, item, open.replace());
      uploads.dropParked(in.id(), item);
    }
    Compression compression = Doors.compression(open.compression(), in);
    if (open.highBandwidth()) {
      ObjectWriter writer =
          parked.isPresent()
              ? parked.get()
              : doors.store().openWriter(in.id(), item, resume, compression);
      runHigh(in, item, writer, parked.isPresent() || resume.isPresent(), compression);
    } else {
      parked.ifPresent(ObjectWriter::close);
      runLow(in, doors.store().openIngest(in.id(), item, resume), item, compression);
    }
  }

  // ---- low bandwidth

  private record WaitingNode(int level, Slice node) {}

  private void runLow(StoreRecord in, IngestSession ingest, String item, Compression compression)
      throws IOException {
    OpenUploads.Served served =
        uploads.serve(ingest.uploadId(), in.id(), item, doors.user(), stream);
    try (ingest) {
      Optional<Checkpoint> from = ingest.resumedFrom();
      long durableBytes = from.map(c -> c.root().lengthBytes()).orElse(0L);
      stream.send(
          new Message.UploadOpened(
              Doors.wire(ingest.uploadId()),
              ingest.parameterSet().number(),
              Doors.choice(compression),
              from.map(Checkpoint::root).orElse(null),
              durableBytes,
              durableBytes));
      serveLow(in, ingest);
    } finally {
      uploads.release(served);
    }
  }

  private void serveLow(StoreRecord in, IngestSession ingest) throws IOException {
    Map<Integer, WaitingNode> waiting = new HashMap<>();
    int waitingBytes = 0;
    while (true) {
      switch (session.next()) {
        case Message.Have m -> have(ingest, m);
        case Message.Node m -> {
          Slice node = m.node();
          long[] lacking =
              ingest.putNode(m.level(), node.array(), node.offset(), node.lengthBytes());
          if (answer(m.number(), node, lacking)) {
            if (waiting.size() >= Message.Node.MAX_WAITING
                || waitingBytes + node.lengthBytes() > Message.Node.MAX_WAITING_BYTES) {
              throw WireException.malformed(
                  "more than " + Message.Node.MAX_WAITING + " nodes or 8 MiB of them unsettled");
            }
            if (waiting.put(m.number(), new WaitingNode(m.level(), node)) != null) {
              throw WireException.malformed("two unsettled nodes with number " + m.number());
            }
            waitingBytes += node.lengthBytes();
          }
        }
        case Message.Settle(int number) -> {
          WaitingNode node = waiting.get(number);
          if (node == null) {
            throw WireException.malformed("SETTLE of node " + number + ", which does not wait");
          }
          Slice bytes = node.node();
          long[] lacking =
              ingest.putNode(node.level(), bytes.array(), bytes.offset(), bytes.lengthBytes());
          if (!answer(number, bytes, lacking)) {
            waiting.remove(number);
            waitingBytes -= bytes.lengthBytes();
          }
        }
        case Message.Block(Slice block) ->
            ingest.putBlock(block.array(), block.offset(), block.lengthBytes());
        case Message.Checkpoint(long number, ObjectRoot root) -> checkpoint(ingest, number, root);
        case Message.Commit m -> {
          ObjectRoot root = m.root();
          if (root == null) {
            throw WireException.malformed("COMMIT of a low-bandwidth upload needs a root");
          }
          checkRight(in, m.replace());
          switch (ingest.commit(root, request(m))) {
            case CommitOutcome.Committed(ItemRecord item) -> {
              committed(in, item, ingest.newBytes());
              return;
            }
            case CommitOutcome.Lacking(FingerprintBatch nodes, FingerprintBatch data) -> {
              int nodeCount = Math.min(nodes.count(), Message.Lacking.MAX_COUNT);
              int dataCount = Math.min(data.count(), Message.Lacking.MAX_COUNT);
              session.reply(
                  new Message.Lacking(
                      nodeCount, nodes.fingerprints(), dataCount, data.fingerprints()));
            }
          }
        }
        case Message.Abort() -> {
          ingest.abort();
          session.reply(new Message.Done());
          return;
        }
        case Message other ->
            throw WireException.malformed(other.type() + " in a low-bandwidth upload");
      }
    }
  }

  private void have(IngestSession ingest, Message.Have question) throws IOException {
    if (question.count() == 0) {
      session.reply(new Message.HaveAnswer(new Bits(0, new long[0])));
      return;
    }
    var batch = new FingerprintBatch(question.kind(), question.count());
    batch.setCount(question.count());
    System.arraycopy(
        question.fingerprints(), 0, batch.fingerprints(), 0, question.count() * Fingerprint.BYTES);
    session.reply(new Message.HaveAnswer(new Bits(question.count(), ingest.have(batch))));
  }

  /** Answers a NODE or SETTLE; returns whether something is lacking. */
  private boolean answer(int number, Slice node, long[] lacking) throws IOException {
    // The entries are counted in the node's head; the store has checked the node.
    int entryCount =
        (node.array()[node.offset() + 4] & 0xff) | (node.array()[node.offset() + 5] & 0xff) << 8;
    var bits = new Bits(entryCount, lacking);
    session.reply(new Message.NodeAnswer(number, bits));
    return !bits.allClear();
  }

  private void checkpoint(IngestSession ingest, long number, ObjectRoot root) {
    var _ =
        ingest
            .checkpoint(root)
            .whenComplete((checkpoint, failure) -> {
              // On a thread of the store, which must not wait for the network: a checkpoint that
              // cannot be told is as good as one that came too late.
              if (failure == null) {
                stream.sendNow(new Message.Checkpointed(number, checkpoint.root().lengthBytes()));
              } else {
                WireException refusal =
                    Refusals.of(cause(failure), "checkpoint of upload " + ingest.uploadId());
                stream.fail(refusal.code(), String.valueOf(refusal.getMessage()));
              }
            });
  }

  private static Exception cause(Throwable failure) {
    Throwable inner = failure.getCause();
    if (failure instanceof CompletionException && inner instanceof Exception e) {
      return e;
    }
    return failure instanceof Exception e ? e : new IOException(failure);
  }

  // ---- high bandwidth

  private void runHigh(
      StoreRecord in, String item, ObjectWriter writer, boolean resumed, Compression compression)
      throws IOException {
    OpenUploads.Served served =
        uploads.serve(writer.uploadId(), in.id(), item, doors.user(), stream);
    boolean parked = false;
    try {
      stream.send(
          new Message.UploadOpened(
              Doors.wire(writer.uploadId()),
              doors.parameterSet(in.domainId()),
              Doors.choice(compression),
              null,
              resumed ? writer.positionBytes() : 0,
              resumed ? writer.durableBytes() : 0));
      serveHigh(in, writer);
    } catch (ConnectionLostException e) {
      parked = uploads.park(served, writer);
      if (parked) {
        parkedListener.accept(served);
      }
      throw e;
    } catch (WireException e) {
      // Taken over by the same client over another connection: the newcomer goes on with the
      // writer.
      parked = stream.hasEnded() && e.code() == ErrorCode.CONFLICT && uploads.park(served, writer);
      if (parked) {
        parkedListener.accept(served);
      }
      throw e;
    } finally {
      if (!parked) {
        writer.close();
        uploads.release(served);
      }
    }
  }

  private void serveHigh(StoreRecord in, ObjectWriter writer) throws IOException {
    long toldBytes = writer.positionBytes();
    long toldDurableBytes = writer.durableBytes();
    while (true) {
      switch (session.next()) {
        case Message.Write(Slice bytes) ->
            writer.write(bytes.array(), bytes.offset(), bytes.lengthBytes());
        case Message.Cut() -> writer.cut();
        case Message.Hole(long lengthBytes) -> writer.hole(lengthBytes);
        case Message.Splice m -> splice(in, writer, m);
        case Message.Commit m -> {
          if (m.root() != null) {
            throw WireException.malformed("COMMIT of a high-bandwidth upload has no root");
          }
          checkRight(in, m.replace());
          ItemRecord item = writer.commit(request(m));
          committed(in, item, writer.newBytes());
          return;
        }
        case Message.Abort() -> {
          writer.abort();
          session.reply(new Message.Done());
          return;
        }
        case Message other ->
            throw WireException.malformed(other.type() + " in a high-bandwidth upload");
      }
      if (writer.positionBytes() - toldBytes >= POSITION_EVERY_BYTES
          || writer.durableBytes() != toldDurableBytes) {
        toldBytes = writer.positionBytes();
        toldDurableBytes = writer.durableBytes();
        session.reply(new Message.Position(toldBytes, toldDurableBytes));
      }
    }
  }

  private void splice(StoreRecord in, ObjectWriter writer, Message.Splice request)
      throws IOException {
    StoreRecord from = doors.open(request.store(), Right.READ);
    if (!from.domainId().equals(in.domainId())) {
      throw new WireException(
          ErrorCode.INVALID_REQUEST,
          "store '" + from.name() + "' is of another dedup domain than '" + in.name() + "'");
    }
    ItemRecord source = doors.item(from, Names.checkItemName(request.item()), request.itemId());
    if (request.offsetBytes() > source.root().lengthBytes()
        || request.lengthBytes() > source.root().lengthBytes() - request.offsetBytes()) {
      throw new WireException(
          ErrorCode.INVALID_REQUEST,
          "range of "
              + request.lengthBytes()
              + " at "
              + request.offsetBytes()
              + " of an item of "
              + source.root().lengthBytes()
              + " bytes");
    }
    writer.splice(source.root(), request.offsetBytes(), request.lengthBytes());
  }

  // ---- both

  private void checkRight(StoreRecord in, boolean replace) throws IOException {
    doors.open(in.name(), replace ? Right.WRITE : Right.APPEND);
  }

  private static CommitRequest request(Message.Commit m) {
    return new CommitRequest(
        Doors.id(m.command()), Doors.mode(m.replace()), m.tags(), m.lockDays());
  }

  private void committed(StoreRecord in, ItemRecord item, long newBytes) throws IOException {
    ItemInfo info = Doors.info(item);
    session.reply(new Message.Committed(info, newBytes, doors.warning(in)));
  }
}
