package onefold.store.engine;

import java.io.IOException;
import java.util.List;
import onefold.chunker.ObjectRoot;
import onefold.store.IngestSession;
import onefold.store.scheduler.Scheduler;
import onefold.store.writeback.ObjectBuilder;

/**
 * The recipe of a share's object in the making: a pipeline into an upload that no item names. The
 * upload's answers keep what it refers to until the share's tree names the root.
 */
final class RecipeOfChanges implements ObjectBuilder {
  private final Upload upload;
  private final PipelineWriter pipeline;
  private long namedAtBytes;

  RecipeOfChanges(Upload upload, Scheduler scheduler, BlockShape shape) throws IOException {
    this.upload = upload;
    this.pipeline = new PipelineWriter(upload, scheduler, shape);
  }

  @Override
  public void write(byte[] source, int offset, int lengthBytes) throws IOException {
    pipeline.write(source, offset, lengthBytes);
  }

  @Override
  public void hole(long lengthBytes) throws IOException {
    pipeline.hole(lengthBytes);
  }

  @Override
  public void reserved(long lengthBytes) throws IOException {
    pipeline.reserved(lengthBytes);
  }

  @Override
  public void splice(ObjectRoot source, long positionBytes, long lengthBytes) throws IOException {
    pipeline.spliceLater(source, positionBytes, lengthBytes);
  }

  @Override
  public ObjectRoot prefix(boolean all) throws IOException {
    return pipeline.prefix(all);
  }

  @Override
  public ObjectRoot finish() throws IOException {
    return pipeline.finish();
  }

  @Override
  public void endObject() throws IOException {
    pipeline.endObject();
  }

  @Override
  public List<ObjectRoot> finishAll() throws IOException {
    return pipeline.finishAll();
  }

  @Override
  public void check() throws IOException {
    upload.checkAnswers();
  }

  @Override
  public Runnable naming() {
    namedAtBytes = pipeline.positionBytes();
    return upload.naming();
  }

  @Override
  public boolean wantsName() {
    return pipeline.positionBytes() - namedAtBytes >= IngestSession.CHECKPOINT_BYTES
        || upload.growingAnswers() >= IngestSession.MAX_HAVE_ANSWERS;
  }

  @Override
  public void close() {
    pipeline.close();
  }
}
