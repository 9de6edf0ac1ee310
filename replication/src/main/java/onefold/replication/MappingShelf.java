package onefold.replication;

import java.io.IOException;
import java.util.List;

/** Where mappings outlive the process. Each method is durable when it returns. */
public interface MappingShelf {
  /** A mapping and what it has done. */
  record Kept(Mapping mapping, Figures figures) {}

  /** Returns all, in order of name. */
  List<Kept> load() throws IOException;

  /** Keeps a mapping, in place of one of the same name. */
  void save(Kept kept) throws IOException;

  /** Forgets a mapping. */
  void remove(String name) throws IOException;
}
