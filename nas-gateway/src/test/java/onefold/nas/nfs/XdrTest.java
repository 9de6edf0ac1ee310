package onefold.nas.nfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class XdrTest {
  @Test
  void whatWasWrittenIsReadWithItsPadding() throws XdrException {
    var out = new XdrWriter(4, 1000);
    out.writeInt(-2).writeLong(1L << 40).writeBoolean(true).writeString("abcde");
    out.writeFixed(new byte[] {1, 2, 3});
    assertEquals(4 + 8 + 4 + 4 + 8 + 4, out.position());
    var in = new XdrReader(out.toBytes());
    assertEquals(0xffff_fffeL, in.readUint());
    assertEquals(1L << 40, in.readLong());
    assertEquals(true, in.readBoolean());
    assertArrayEquals(NfsClient.name("abcde"), in.readOpaque(5, "text"));
    assertArrayEquals(new byte[] {1, 2, 3}, in.readFixed(3));
    assertEquals(0, in.remaining());
  }

  @Test
  void aLengthBeyondItsBoundOrTheBytesIsRefused() {
    byte[] huge = new XdrWriter(4, 100).writeInt(0x7fff_ffff).toBytes();
    assertThrows(XdrException.class, () -> new XdrReader(huge).readOpaque(1000, "x"));
    assertThrows(XdrException.class, () -> new XdrReader(huge).readOpaque(Integer.MAX_VALUE, "x"));
    byte[] negative = new XdrWriter(4, 100).writeInt(-1).toBytes();
    assertThrows(
        XdrException.class, () -> new XdrReader(negative).readOpaque(Integer.MAX_VALUE, "x"));
    byte[] unpadded = new byte[] {0, 0, 0, 1, 7};
    assertThrows(XdrException.class, () -> new XdrReader(unpadded).readOpaque(10, "x"));
    assertThrows(XdrException.class, () -> new XdrReader(new byte[3]).readInt());
    assertThrows(XdrException.class, () -> new XdrReader(negative).readBoolean());
  }

  @Test
  void aWriterStopsAtItsBoundAndKeepsWhatItHolds() {
    var out = new XdrWriter(4, 8);
    out.writeInt(1);
    assertThrows(XdrWriter.Full.class, () -> out.writeLong(2));
    assertEquals(4, out.position());
    out.writeInt(2);
    assertEquals(8, out.position());
  }

  @Test
  void anOpaqueThatTurnsOutShorterIsPadded() throws XdrException {
    var out = new XdrWriter(4, 100);
    int at = out.beginOpaque(50);
    out.array()[at] = 9;
    out.array()[at + 1] = 9;
    out.endOpaque(at, 1);
    assertArrayEquals(new byte[] {0, 0, 0, 1, 9, 0, 0, 0}, out.toBytes());
  }

  @Test
  void aBitmapForgetsWhatNobodyKnowsButSaysThatItWasThere() throws XdrException {
    var out = new XdrWriter(4, 100);
    out.writeInt(5).writeInt(1).writeInt(0).writeInt(0).writeInt(0).writeInt(1);
    Bitmap read = Bitmap.read(new XdrReader(out.toBytes()));
    assertEquals(true, read.has(0));
    assertEquals(false, read.isWithin(Bitmap.of(0)));
    byte[] endless = new XdrWriter(4, 100).writeInt(1 << 28).toBytes();
    assertThrows(XdrException.class, () -> Bitmap.read(new XdrReader(endless)));
  }
}
