package onefold.nas;

import java.io.IOException;

/** A file of a snapshot that somebody has opened to read it. */
final class SnapshotFile implements OpenFile {
  private final FileSystem share;
  private final Snapshots snapshots;
  private final long number;
  private final OpenFile file;

  /** Takes over an open file of the snapshot of this number. */
  SnapshotFile(FileSystem share, Snapshots snapshots, long number, OpenFile file) {
    this.share = share;
    this.snapshots = snapshots;
    this.number = number;
    this.file = file;
  }

  /** The file as the snapshot itself has it. */
  OpenFile file() {
    return file;
  }

  private OpenFile there() throws FileException {
    snapshots.require(number);
    return file;
  }

  @Override
  public FileSystem fileSystem() {
    return share;
  }

  @Override
  public long fileId() {
    return SnapshotIds.id(number, file.fileId());
  }

  @Override
  public int access() {
    return file.access();
  }

  @Override
  public Attributes attributes() throws IOException {
    return ShareWithSnapshots.in(number, there().attributes());
  }

  @Override
  public ReadResult read(long positionBytes, byte[] target, int offset, int lengthBytes)
      throws IOException {
    return there().read(positionBytes, target, offset, lengthBytes);
  }

  @Override
  public Change write(
      long positionBytes, byte[] source, int offset, int lengthBytes, Stability stability)
      throws IOException {
    return there().write(positionBytes, source, offset, lengthBytes, stability);
  }

  @Override
  public Change commit() throws IOException {
    Attributes same = attributes();
    return new Change(same, same);
  }

  @Override
  public Change setLength(long lengthBytes) throws IOException {
    return there().setLength(lengthBytes);
  }

  @Override
  public Change allocate(long positionBytes, long lengthBytes) throws IOException {
    return there().allocate(positionBytes, lengthBytes);
  }

  @Override
  public Change punch(long positionBytes, long lengthBytes) throws IOException {
    return there().punch(positionBytes, lengthBytes);
  }

  @Override
  public long nextData(long positionBytes) throws IOException {
    return there().nextData(positionBytes);
  }

  @Override
  public long nextHole(long positionBytes) throws IOException {
    return there().nextHole(positionBytes);
  }

  @Override
  public Change copyFrom(
      OpenFile source, long sourcePositionBytes, long positionBytes, long lengthBytes)
      throws IOException {
    return there().copyFrom(source, sourcePositionBytes, positionBytes, lengthBytes);
  }

  @Override
  public void close() {
    file.close();
  }
}
