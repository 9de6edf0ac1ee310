package onefold.store;

import java.io.IOException;

/** Stored bytes are wrong. Never retried as it is, and never turned into "not found". */
public final class CorruptDataException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String file;
  private final long offsetBytes;

  /**
   * @param file the file within the data directory, or what stands for it ("chunk 3f…")
   * @param offsetBytes where in the file, or -1 if that is not known
   * @param expected what should have been there
   * @param found what was there
   */
  public CorruptDataException(String file, long offsetBytes, String expected, String found) {
    super(
        file
            + (offsetBytes < 0 ? "" : " at " + offsetBytes)
            + ": expected "
            + expected
            + ", found "
            + found);
    this.file = file;
    this.offsetBytes = offsetBytes;
  }

  public String file() {
    return file;
  }

  public long offsetBytes() {
    return offsetBytes;
  }
}
