package onefold.store.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import onefold.store.StoreFullException;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DeviceForceException;
import onefold.store.device.DirectoryInUseException;
import onefold.store.device.FileDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileDeviceTest extends DeviceContract {
  @TempDir private Path directory = Path.of("");

  @Override
  Device device() throws IOException {
    return new FileDevice(directory);
  }

  @Test
  void theFileSystemOfTheTestsPassesTheProbe() throws IOException {
    new FileDevice(directory).probe();
    assertEquals(List.of(), new FileDevice(directory).list(""));
  }

  @Test
  void onlyADirectoryIsADevice() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    assertThrows(NotDirectoryException.class, () -> new FileDevice(file));
    assertThrows(NotDirectoryException.class, () -> new FileDevice(directory.resolve("missing")));
  }

  @Test
  void allocatedSpaceIsTaken() throws IOException {
    try (DeviceFile file = device().create("a")) {
      file.allocate(4 << 20);
      Process du =
          new ProcessBuilder("du", "-k", directory.resolve("a").toString())
              .redirectErrorStream(true)
              .start();
      String answer =
          new String(du.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
      assertTrue(Long.parseLong(answer.substring(0, answer.indexOf('\t'))) >= 4 << 10, answer);
    }
  }

  @Test
  void noSpaceIsToldAsFull() throws IOException {
    // The kernel's own full disk: a write to it answers ENOSPC and takes nothing from anybody.
    try (DeviceFile file = new FileDevice(Path.of("/dev")).open("full", true)) {
      var error =
          assertThrows(
              StoreFullException.class, () -> file.write(0, ByteBuffer.wrap(new byte[] {1})));
      assertTrue(error.toString().contains("full: "), error.getMessage());
    }
  }

  @Test
  void aFailedForceIsFatalOnceAndEndsTheDevice() throws IOException {
    // A character device cannot be forced: the kernel answers with an error, as a broken disk
    // would.
    var fatal = new ArrayList<DeviceForceException>();
    var device = new FileDevice(Path.of("/dev"), fatal::add);
    try (DeviceFile file = device.open("full", true);
        DeviceFile other = device.open("zero", false)) {
      var first = assertThrows(DeviceForceException.class, file::force);
      assertTrue(first.toString().contains("/dev/full"), first.toString());
      assertSame(first, assertThrows(DeviceForceException.class, file::force).getCause());
      assertSame(
          first, assertThrows(DeviceForceException.class, () -> device.exists("null")).getCause());
      assertSame(
          first,
          assertThrows(DeviceForceException.class, () -> other.read(0, ByteBuffer.allocate(1)))
              .getCause());
      assertEquals(List.of(first), fatal);
    }
  }

  @Test
  void aLockHoldsAgainstAnotherProcessAndNamesIt() throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Process holder =
        new ProcessBuilder(
                java,
                "-cp",
                System.getProperty("java.class.path"),
                LockHolder.class.getName(),
                directory.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertEquals('L', holder.getInputStream().read());
      var error = assertThrows(DirectoryInUseException.class, () -> device().lock("lock"));
      assertTrue(
          error.toString().contains(directory.resolve("lock").toString()), error.getMessage());
      assertTrue(error.toString().contains("process " + holder.pid()), error.getMessage());
      holder.destroyForcibly();
      assertTrue(holder.waitFor(60, TimeUnit.SECONDS));
      device().lock("lock").close();
    } finally {
      holder.destroyForcibly();
    }
  }

  /** A process that holds a lock until it is killed or its input ends. */
  static final class LockHolder {
    private LockHolder() {}

    public static void main(String[] arguments) throws IOException {
      try (var held = new FileDevice(Path.of(arguments[0])).lock("lock")) {
        System.out.write(held == null ? '?' : 'L');
        System.out.flush();
        while (System.in.read() >= 0) {
          // Waits for the end.
        }
      }
    }
  }
}
