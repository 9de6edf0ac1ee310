package onefold.catalyst.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.SortedMap;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;

/** Writes the fields of payloads; the counterpart of {@link PayloadReader}. */
final class PayloadWriter {
  private final ByteBuf out;

  PayloadWriter(ByteBuf out) {
    this.out = out;
  }

  PayloadWriter u8(int value) {
    out.writeByte(value);
    return this;
  }

  PayloadWriter u16(int value) {
    if (value < 0 || value > 0xffff) {
      throw new IllegalArgumentException(value + " does not fit into a u16");
    }
    out.writeShortLE(value);
    return this;
  }

  PayloadWriter u32(int value) {
    out.writeIntLE(value);
    return this;
  }

  PayloadWriter u64(long value) {
    out.writeLongLE(value);
    return this;
  }

  PayloadWriter flag(boolean value) {
    out.writeByte(value ? 1 : 0);
    return this;
  }

  PayloadWriter str(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    u16(utf8.length);
    out.writeBytes(utf8);
    return this;
  }

  PayloadWriter bytes(byte[] value) {
    u32(value.length);
    out.writeBytes(value);
    return this;
  }

  PayloadWriter raw(byte[] value, int offset, int lengthBytes) {
    out.writeBytes(value, offset, lengthBytes);
    return this;
  }

  PayloadWriter slice(Slice slice) {
    return raw(slice.array(), slice.offset(), slice.lengthBytes());
  }

  PayloadWriter id(WireId id) {
    out.writeLong(id.high());
    out.writeLong(id.low());
    return this;
  }

  PayloadWriter root(ObjectRoot root) {
    byte[] fingerprint = root.node().toBytes();
    return raw(fingerprint, 0, Fingerprint.BYTES).u8(root.level()).u64(root.lengthBytes());
  }

  PayloadWriter tags(SortedMap<String, String> tags) {
    u16(tags.size());
    for (Map.Entry<String, String> tag : tags.entrySet()) {
      str(tag.getKey()).str(tag.getValue());
    }
    return this;
  }

  PayloadWriter bits(Bits bits) {
    u32(bits.count());
    int lengthBytes = (int) (((long) bits.count() + 7) / 8);
    for (int i = 0; i < lengthBytes; i++) {
      out.writeByte((int) (bits.words()[i >> 3] >>> (8 * (i & 7))));
    }
    return this;
  }
}
