package onefold.store.simulation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.List;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DeviceLock;
import onefold.store.device.DirectoryInUseException;
import org.junit.jupiter.api.Test;

/** What every device promises, the real one and the simulated one. */
abstract class DeviceContract {
  /** A device with nothing in it. */
  abstract Device device() throws IOException;

  static byte[] bytes(int length, int first) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (first + i * 7);
    }
    return bytes;
  }

  static byte[] content(DeviceFile file) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(Math.toIntExact(file.sizeBytes()));
    file.readFully(0, content);
    return content.array();
  }

  @Test
  void writtenBytesAreReadBack() throws IOException {
    try (DeviceFile file = device().create("a")) {
      assertEquals("a", file.path());
      assertEquals(0, file.sizeBytes());
      ByteBuffer source = ByteBuffer.wrap(bytes(10_000, 1));
      file.write(0, source);
      assertFalse(source.hasRemaining());
      file.force();
      assertArrayEquals(bytes(10_000, 1), content(file));
    }
  }

  @Test
  void directAndHeapBuffersAndTheirPositionsAreObserved() throws IOException {
    try (DeviceFile file = device().create("a")) {
      ByteBuffer source = ByteBuffer.allocateDirect(100).put(bytes(100, 3)).flip();
      source.position(10).limit(60);
      file.write(5, source);
      assertEquals(60, source.position());
      assertEquals(55, file.sizeBytes());
      ByteBuffer target = ByteBuffer.allocateDirect(80).position(7).limit(27);
      assertEquals(20, file.read(5, target));
      assertEquals(27, target.position());
      byte[] found = new byte[20];
      target.get(7, found);
      assertArrayEquals(java.util.Arrays.copyOfRange(bytes(100, 3), 10, 30), found);
    }
  }

  @Test
  void aGapReadsAsZeros() throws IOException {
    try (DeviceFile file = device().create("a")) {
      file.write(9000, ByteBuffer.wrap(new byte[] {1}));
      assertEquals(9001, file.sizeBytes());
      byte[] expected = new byte[9001];
      expected[9000] = 1;
      assertArrayEquals(expected, content(file));
    }
  }

  @Test
  void readStopsAtTheEnd() throws IOException {
    try (DeviceFile file = device().create("a")) {
      file.write(0, ByteBuffer.wrap(bytes(10, 0)));
      assertEquals(4, file.read(6, ByteBuffer.allocate(100)));
      assertEquals(-1, file.read(10, ByteBuffer.allocate(1)));
      assertEquals(-1, file.read(1000, ByteBuffer.allocate(1)));
      assertEquals(0, file.read(3, ByteBuffer.allocate(0)));
      var error = assertThrows(EOFException.class, () -> file.readFully(6, ByteBuffer.allocate(5)));
      assertTrue(
          error.toString().contains("a at 6: expected 5 bytes, found 4"), error.getMessage());
      file.readFully(10, ByteBuffer.allocate(0));
    }
  }

  @Test
  void sayingWhatWillBeReadChangesNothing() throws IOException {
    Device device = device();
    try (DeviceFile file = device.create("a")) {
      file.willRead(0, 4096);
      file.write(0, ByteBuffer.wrap(bytes(10_000, 1)));
      file.willRead(4096, 4096);
      file.willRead(1 << 20, 4096);
      device.rename("a", "b");
      file.willRead(0, 10_000);
    }
    try (DeviceFile file = device.open("b", false)) {
      file.willRead(8192, 4096);
      device.delete("b");
      file.willRead(0, 4096);
      assertArrayEquals(bytes(10_000, 1), content(file));
    }
    try (DeviceFile file = device.create("c")) {
      device.rename("c", "d");
      file.willRead(0, 4096); // told for the first time when the name is another's
      assertEquals(0, file.sizeBytes());
    }
  }

  @Test
  void truncateCutsAndNeverGrows() throws IOException {
    try (DeviceFile file = device().create("a")) {
      file.write(0, ByteBuffer.wrap(bytes(5000, 0)));
      file.truncate(6000);
      assertEquals(5000, file.sizeBytes());
      file.truncate(4100);
      file.write(4200, ByteBuffer.wrap(new byte[] {9}));
      byte[] expected = java.util.Arrays.copyOf(bytes(4100, 0), 4201);
      expected[4200] = 9;
      assertArrayEquals(expected, content(file));
    }
  }

  @Test
  void allocateGrowsWithZerosAndNeverShrinks() throws IOException {
    try (DeviceFile file = device().create("a")) {
      file.write(0, ByteBuffer.wrap(bytes(100, 1)));
      file.allocate(8192);
      assertEquals(8192, file.sizeBytes());
      assertArrayEquals(java.util.Arrays.copyOf(bytes(100, 1), 8192), content(file));
      file.allocate(50);
      assertEquals(8192, file.sizeBytes());
    }
  }

  @Test
  void allocateOfAFileThatHasNoNameAnyMoreWorks() throws IOException {
    Device device = device();
    try (DeviceFile file = device.create("a")) {
      device.delete("a");
      device.create("a").close();
      file.allocate(300_000);
      assertEquals(300_000, file.sizeBytes());
      assertEquals(0, device.sizeBytes("a"));
    }
  }

  @Test
  void namesAreMadeOnceAndListedInOrder() throws IOException {
    Device device = device();
    device.createDirectories("x/y");
    device.createDirectories("x/y");
    device.create("x/b").close();
    device.create("x/a").close();
    assertThrows(FileAlreadyExistsException.class, () -> device.create("x/a"));
    assertThrows(NoSuchFileException.class, () -> device.create("no/a"));
    assertEquals(List.of("a", "b", "y"), device.list("x"));
    assertEquals(List.of("x"), device.list(""));
    assertThrows(NoSuchFileException.class, () -> device.list("no"));
    assertThrows(NotDirectoryException.class, () -> device.list("x/a"));
    assertThrows(IOException.class, () -> device.createDirectories("x/a"));
    assertTrue(device.exists("x/y"));
    assertTrue(device.exists(""));
    assertFalse(device.exists("x/z"));
    assertFalse(device.exists("x/a/z"));
  }

  @Test
  void pathsOutsideAreRefused() throws IOException {
    Device device = device();
    for (String path : List.of("/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\0b")) {
      assertThrows(IllegalArgumentException.class, () -> device.create(path), path);
      assertThrows(IllegalArgumentException.class, () -> device.exists(path), path);
      assertThrows(IllegalArgumentException.class, () -> device.rename("a", path), path);
    }
    assertThrows(IllegalArgumentException.class, () -> device.create(""));
    device.create("..a").close();
    device.create("a.").close();
  }

  @Test
  void renameReplacesAndOpenFilesGoOn() throws IOException {
    Device device = device();
    device.createDirectories("d");
    try (DeviceFile first = device.create("first");
        DeviceFile second = device.create("d/second")) {
      first.write(0, ByteBuffer.wrap(bytes(5, 1)));
      second.write(0, ByteBuffer.wrap(bytes(9, 2)));
      device.rename("first", "d/second");
      assertFalse(device.exists("first"));
      assertEquals(5, device.sizeBytes("d/second"));
      assertArrayEquals(bytes(9, 2), content(second));
      first.write(5, ByteBuffer.wrap(bytes(1, 3)));
      assertEquals(6, device.sizeBytes("d/second"));
    }
    assertThrows(NoSuchFileException.class, () -> device.rename("no", "d/no"));
    assertThrows(NoSuchFileException.class, () -> device.rename("d/second", "no/no"));
    device.rename("d", "e");
    assertEquals(List.of("second"), device.list("e"));
    device.rename("e/second", "e/second");
    assertEquals(List.of("second"), device.list("e"));
  }

  @Test
  void aDeletedFileStaysReadableWhileItIsOpen() throws IOException {
    Device device = device();
    DeviceFile file = device.create("a");
    file.write(0, ByteBuffer.wrap(bytes(100, 5)));
    try (DeviceFile reader = device.open("a", false)) {
      file.close();
      device.delete("a");
      device.forceDirectory("");
      assertFalse(device.exists("a"));
      assertArrayEquals(bytes(100, 5), content(reader));
    }
    assertThrows(NoSuchFileException.class, () -> device.open("a", false));
    assertThrows(NoSuchFileException.class, () -> device.delete("a"));
    assertThrows(NoSuchFileException.class, () -> device.sizeBytes("a"));
  }

  @Test
  void directoriesAreDeletedWhenEmptyAndNeverOpened() throws IOException {
    Device device = device();
    device.createDirectories("d");
    device.create("d/a").close();
    assertThrows(DirectoryNotEmptyException.class, () -> device.delete("d"));
    assertThrows(IOException.class, () -> device.open("d", false));
    assertThrows(IOException.class, () -> device.open("d", true));
    device.delete("d/a");
    device.delete("d");
    assertFalse(device.exists("d"));
    assertThrows(NoSuchFileException.class, () -> device.forceDirectory("d"));
  }

  @Test
  void aFileOpenedForReadingIsNotWritten() throws IOException {
    Device device = device();
    device.create("a").close();
    try (DeviceFile file = device.open("a", false)) {
      assertThrows(
          NonWritableChannelException.class, () -> file.write(0, ByteBuffer.wrap(bytes(1, 1))));
      assertThrows(NonWritableChannelException.class, () -> file.truncate(0));
      assertThrows(NonWritableChannelException.class, () -> file.allocate(10));
      assertEquals(0, file.sizeBytes());
    }
  }

  @Test
  void aClosedFileIsNotUsed() throws IOException {
    DeviceFile file = device().create("a");
    file.close();
    file.close();
    assertThrows(ClosedChannelException.class, file::sizeBytes);
    assertThrows(ClosedChannelException.class, file::force);
    assertThrows(ClosedChannelException.class, () -> file.allocate(10));
    assertThrows(ClosedChannelException.class, () -> file.read(0, ByteBuffer.allocate(1)));
    assertThrows(ClosedChannelException.class, () -> file.willRead(0, 1));
    assertThrows(ClosedChannelException.class, () -> file.write(0, ByteBuffer.allocate(1)));
  }

  @Test
  void negativePositionsAreRefused() throws IOException {
    try (DeviceFile file = device().create("a")) {
      assertThrows(IllegalArgumentException.class, () -> file.read(-1, ByteBuffer.allocate(1)));
      assertThrows(IllegalArgumentException.class, () -> file.willRead(-1, 1));
      assertThrows(IllegalArgumentException.class, () -> file.write(-1, ByteBuffer.allocate(1)));
      assertThrows(IllegalArgumentException.class, () -> file.truncate(-1));
      assertThrows(IllegalArgumentException.class, () -> file.allocate(-1));
    }
  }

  @Test
  void aLockIsHeldOnceAndCanBeTakenAgain() throws IOException {
    Device device = device();
    try (DeviceLock held = device.lock("lock")) {
      var error = assertThrows(DirectoryInUseException.class, () -> device.lock("lock"));
      assertTrue(error.toString().contains("lock"), error.getMessage());
      assertTrue(held != null);
    }
    DeviceLock again = device.lock("lock");
    again.close();
    again.close();
    assertTrue(device.exists("lock"));
  }

  @Test
  void freeSpaceIsToldAndDirectoriesAreForced() throws IOException {
    Device device = device();
    assertTrue(device.freeBytes() > 0);
    device.createDirectories("a/b");
    device.forceDirectory("a");
    device.forceDirectory("");
    assertThrows(NoSuchFileException.class, () -> device.forceDirectory("c"));
  }
}
