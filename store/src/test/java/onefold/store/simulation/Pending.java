package onefold.store.simulation;

import java.util.function.UnaryOperator;
import onefold.store.simulation.SimulatedDevice.DirectoryNode;
import onefold.store.simulation.SimulatedDevice.FileNode;
import onefold.store.simulation.SimulatedDevice.Node;

/** A change that no force has covered yet. Those of one step have one number. */
sealed interface Pending {
  /** Counts the changes of the device, from 1. */
  long sequence();

  /** Whether a force of this file or directory covers it. */
  boolean forcedBy(Node forced);

  /** The same change of other nodes. */
  Pending moved(UnaryOperator<Node> copies);

  /** Bytes written. The array is never changed. */
  record Write(long sequence, FileNode file, long positionBytes, byte[] bytes) implements Pending {
    @Override
    public boolean forcedBy(Node forced) {
      return forced == file;
    }

    @Override
    public Pending moved(UnaryOperator<Node> copies) {
      return new Write(sequence, (FileNode) copies.apply(file), positionBytes, bytes);
    }
  }

  /** A file cut off, or grown by zeros. */
  record Resize(long sequence, FileNode file, long sizeBytes) implements Pending {
    @Override
    public boolean forcedBy(Node forced) {
      return forced == file;
    }

    @Override
    public Pending moved(UnaryOperator<Node> copies) {
      return new Resize(sequence, (FileNode) copies.apply(file), sizeBytes);
    }
  }

  /** A new name. */
  record Link(long sequence, DirectoryNode directory, String name, Node node) implements Pending {
    @Override
    public boolean forcedBy(Node forced) {
      return forced == directory;
    }

    @Override
    public Pending moved(UnaryOperator<Node> copies) {
      return new Link(sequence, (DirectoryNode) copies.apply(directory), name, copies.apply(node));
    }
  }

  /** A name that is gone. */
  record Unlink(long sequence, DirectoryNode directory, String name, Node node) implements Pending {
    @Override
    public boolean forcedBy(Node forced) {
      return forced == directory;
    }

    @Override
    public Pending moved(UnaryOperator<Node> copies) {
      return new Unlink(
          sequence, (DirectoryNode) copies.apply(directory), name, copies.apply(node));
    }
  }

  /** A name changed within one directory: kept or lost as a whole. */
  record Rename(long sequence, DirectoryNode directory, String from, String to, Node node)
      implements Pending {
    @Override
    public boolean forcedBy(Node forced) {
      return forced == directory;
    }

    @Override
    public Pending moved(UnaryOperator<Node> copies) {
      return new Rename(
          sequence, (DirectoryNode) copies.apply(directory), from, to, copies.apply(node));
    }
  }
}
