package onefold.store.writeback;

import java.io.IOException;
import java.util.List;
import onefold.chunker.ObjectRoot;

/**
 * Makes a recipe, in the order of the object. What it refers to is kept from housekeeping until it
 * is closed. One thread at a time; after an error it can only be closed.
 */
public interface ObjectBuilder extends AutoCloseable {
  /** Appends data; the bytes are read before the method returns. */
  void write(byte[] source, int offset, int lengthBytes) throws IOException;

  void hole(long lengthBytes) throws IOException;

  void reserved(long lengthBytes) throws IOException;

  /** Appends a range of an object without reading its data. */
  void splice(ObjectRoot source, long positionBytes, long lengthBytes) throws IOException;

  /**
   * Returns a recipe of the beginning, up to the last chunk that is stored; what follows is not cut
   * for it.
   *
   * @param all whether to wait until every chunk that can be cut is stored
   */
  ObjectRoot prefix(boolean all) throws IOException;

  /** Ends the object and returns its recipe. */
  ObjectRoot finish() throws IOException;

  /** Ends an object and begins another, which shares blocks with it; for many small ones. */
  void endObject() throws IOException;

  /** Returns the recipes of all objects that {@link #endObject} has ended; nothing may follow. */
  List<ObjectRoot> finishAll() throws IOException;

  /**
   * Checks, before a root gets its name, that everything found stored already is still there.
   *
   * @throws onefold.store.CorruptDataException if something was found damaged since
   */
  void check() throws IOException;

  /**
   * Begins to give the root of the last {@code prefix(true)} its name. What comes back is run when
   * the name is durable: then what the root keeps need not be kept here.
   */
  Runnable naming();

  /** Whether so much has been found or stored that a root must get its name soon. */
  boolean wantsName();

  /** Lets go of everything. */
  @Override
  void close();
}
