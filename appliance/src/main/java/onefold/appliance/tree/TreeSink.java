package onefold.appliance.tree;

import java.io.IOException;

/** Where an archive goes: an item's writer, or a counter. */
public interface TreeSink {
  /** Takes bytes; they are read before the method returns. */
  void write(byte[] source, int offset, int lengthBytes) throws IOException;

  /** Says that a member of some size ended here, a good place for a chunk's border. */
  void cut() throws IOException;
}
