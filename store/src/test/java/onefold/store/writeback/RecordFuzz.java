package onefold.store.writeback;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import onefold.store.CorruptDataException;
import onefold.store.writeback.WritebackFormat.LogRecord;
import onefold.store.writeback.WritebackFormat.Part;
import onefold.testing.fuzz.FuzzTarget;

/** Records of the write-back log, docs/formats/writeback-log.md. */
public final class RecordFuzz implements FuzzTarget {
  @Override
  public String name() {
    return "writeback-record";
  }

  @Override
  public List<byte[]> samples() throws IOException {
    return List.of(WritebackFormat.encode(WritebackFormatTest.example()));
  }

  @Override
  public byte[] repaired(byte[] input) {
    return input; // The log checks the record as a whole before it is decoded.
  }

  @Override
  public void decode(byte[] input) throws IOException {
    LogRecord record = WritebackFormat.decode("input", input);
    for (Part part : record.parts()) {
      if (part instanceof Part.Data data && data.offset() + data.length() > input.length) {
        throw new AssertionError("data behind the end");
      }
    }
    if (!Arrays.equals(input, WritebackFormat.encode(record))) {
      throw new AssertionError("another encoding of the same record");
    }
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof CorruptDataException;
  }
}
