package onefold.store.writeback;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import onefold.chunker.ObjectRoot;
import onefold.store.Id;
import onefold.store.MutableObject;
import onefold.store.ShareObject;

/** One opener's door to an object. */
final class OpenedObject implements MutableObject {
  private final Writeback owner;
  private final WritebackObject object;
  private final AtomicBoolean closed = new AtomicBoolean();

  OpenedObject(Writeback owner, WritebackObject object) {
    this.owner = owner;
    this.object = object;
  }

  private WritebackObject object() throws IOException {
    if (closed.get()) {
      throw new IOException("the object is closed");
    }
    return object;
  }

  @Override
  public Id objectId() {
    return object.objectId;
  }

  @Override
  public long lengthBytes() {
    return object.lengthBytes();
  }

  @Override
  public long dataBytes() throws IOException {
    return object().dataBytes();
  }

  @Override
  public byte[] note() {
    return object.note();
  }

  @Override
  public int read(long positionBytes, byte[] target, int offset, int lengthBytes)
      throws IOException {
    return object().read(positionBytes, target, offset, lengthBytes);
  }

  @Override
  public void write(long positionBytes, byte[] source, int offset, int lengthBytes)
      throws IOException {
    object().write(positionBytes, source, offset, lengthBytes);
  }

  @Override
  public void setLength(long lengthBytes) throws IOException {
    object().setLength(lengthBytes);
  }

  @Override
  public void punch(long positionBytes, long lengthBytes) throws IOException {
    object().punch(positionBytes, lengthBytes);
  }

  @Override
  public void reserve(long positionBytes, long lengthBytes) throws IOException {
    object().reserve(positionBytes, lengthBytes);
  }

  @Override
  public void splice(
      long positionBytes, ObjectRoot source, long sourcePositionBytes, long lengthBytes)
      throws IOException {
    object().splice(positionBytes, source, sourcePositionBytes, lengthBytes);
  }

  @Override
  public long nextData(long positionBytes) throws IOException {
    return object().nextData(positionBytes);
  }

  @Override
  public long nextHole(long positionBytes) throws IOException {
    return object().nextHole(positionBytes);
  }

  @Override
  public void force(byte[] note) throws IOException {
    object().force(note);
  }

  @Override
  public ShareObject fold() throws IOException {
    return object().fold();
  }

  @Override
  public void close() throws IOException {
    if (closed.compareAndSet(false, true)) {
      owner.close(object);
    }
  }
}
