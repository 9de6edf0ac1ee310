package onefold.appliance.tree;

import java.io.ByteArrayOutputStream;

/** An archive in memory: sink while it is written, source after that. */
final class MemoryArchive implements TreeSink, TreeSource {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private byte[] bytes = new byte[0];
  private long damagedFrom = Long.MAX_VALUE;
  private long damagedTo = Long.MAX_VALUE;

  @Override
  public void write(byte[] source, int offset, int lengthBytes) {
    out.write(source, offset, lengthBytes);
  }

  @Override
  public void cut() {
    bytes = out.toByteArray();
  }

  byte[] bytes() {
    bytes = out.toByteArray();
    return bytes;
  }

  void damage(long from, long to) {
    damagedFrom = from;
    damagedTo = to;
  }

  @Override
  public long lengthBytes() {
    return bytes().length;
  }

  @Override
  public int read(long positionBytes, byte[] target, int offset, int lengthBytes)
      throws DamagedRangeException {
    if (positionBytes >= bytes.length) {
      return -1;
    }
    int length = (int) Math.min(lengthBytes, bytes.length - positionBytes);
    if (positionBytes < damagedTo && positionBytes + length > damagedFrom) {
      throw new DamagedRangeException("damaged from " + damagedFrom + " to " + damagedTo);
    }
    System.arraycopy(bytes, (int) positionBytes, target, offset, length);
    return length;
  }
}
