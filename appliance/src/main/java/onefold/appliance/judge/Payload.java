package onefold.appliance.judge;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Builds and takes apart the fields of frames: little-endian, strings with a u16 length, byte runs
 * with a u32.
 */
final class Payload {
  private final ByteArrayOutputStream target = new ByteArrayOutputStream();

  Payload u8(int value) {
    target.write(value);
    return this;
  }

  Payload u16(int value) {
    return u8(value).u8(value >>> 8);
  }

  Payload u32(long value) {
    return u16((int) value).u16((int) (value >>> 16));
  }

  Payload u64(long value) {
    return u32(value).u32(value >>> 32);
  }

  Payload text(String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    return u16(bytes.length).raw(bytes);
  }

  Payload bytes(byte[] value) {
    return u32(value.length).raw(value);
  }

  Payload raw(byte[] value) {
    target.writeBytes(value);
    return this;
  }

  Payload zeros(int count) {
    return raw(new byte[count]);
  }

  byte[] toBytes() {
    return target.toByteArray();
  }

  /** Reads fields from the start of a payload. */
  static final class Fields {
    private final ByteBuffer source;

    Fields(byte[] payload) {
      this.source = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
    }

    int u8() throws JudgeException {
      need(1);
      return source.get() & 0xff;
    }

    int u16() throws JudgeException {
      need(2);
      return source.getShort() & 0xffff;
    }

    long u32() throws JudgeException {
      need(4);
      return source.getInt() & 0xffff_ffffL;
    }

    long u64() throws JudgeException {
      need(8);
      return source.getLong();
    }

    String text() throws JudgeException {
      return new String(raw(u16()), StandardCharsets.UTF_8);
    }

    byte[] bytes() throws JudgeException {
      long length = u32();
      if (length > source.remaining()) {
        throw new JudgeException(
            "a field of " + length + " bytes in a payload that has " + source.remaining());
      }
      return raw((int) length);
    }

    byte[] raw(int length) throws JudgeException {
      need(length);
      byte[] bytes = new byte[length];
      source.get(bytes);
      return bytes;
    }

    int remaining() {
      return source.remaining();
    }

    private void need(int bytes) throws JudgeException {
      if (source.remaining() < bytes) {
        throw new JudgeException(
            "a payload ends " + (bytes - source.remaining()) + " bytes too early");
      }
    }
  }
}
