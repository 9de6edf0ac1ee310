package onefold.store.simulator;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletionStage;
import onefold.chunker.ObjectRoot;
import onefold.store.Checkpoint;
import onefold.store.CommitRequest;
import onefold.store.Id;
import onefold.store.ItemRecord;
import org.jspecify.annotations.Nullable;

/** An upload under way, by either road. */
sealed interface OpenUpload permits StreamUpload, SourceUpload {
  Id uploadId();

  /** Sends the object's bytes up to about here; a source goes on to the end of a chunk. */
  void feed(long untilBytes) throws IOException;

  /** Bytes of the object that were sent. */
  long sentBytes();

  /** Makes and sends the root of what was sent; null if this road has no checkpoints of its own. */
  @Nullable ObjectRoot root() throws IOException;

  /** Asks for a checkpoint of a root of {@link #root}. */
  CompletionStage<Checkpoint> save(ObjectRoot root);

  ItemRecord commit(CommitRequest request) throws IOException;

  long newBytes();

  void abort() throws IOException;

  void close();

  /** What the object consists of. */
  List<Plan.Segment> segments();
}
