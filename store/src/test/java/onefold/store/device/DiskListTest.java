package onefold.store.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import onefold.store.CorruptDataException;
import onefold.store.DiskRole;
import onefold.store.Id;
import org.junit.jupiter.api.Test;

/** The files {@code disks} and {@code onefold-disk} as their format says. */
class DiskListTest {
  private static final String DIRECTORY = "9f1c0d3a5b7e42688c11d0e2f3a4b5c6";
  private static final String SECOND = "4be1a9cc01f24d7f93aa5520817c6ed0";
  private static final String INDEX = "77e20f6a3b9d41c0a1d2e3f405162738";

  /** Version 1 as the first release wrote it; stays for ever. */
  private static final String LIST =
      """
      onefold disks, version 1
      directory 9f1c0d3a5b7e42688c11d0e2f3a4b5c6
      main drains
      disk 4be1a9cc01f24d7f93aa5520817c6ed0 data takes /mnt/a second
      disk 77e20f6a3b9d41c0a1d2e3f405162738 index drains /mnt/ssd/index
      """;

  private static final String MARKER =
      """
      onefold disk, version 1
      directory 9f1c0d3a5b7e42688c11d0e2f3a4b5c6
      disk 4be1a9cc01f24d7f93aa5520817c6ed0
      """;

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void theListOfTheFirstVersionIsReadAndWrittenAsItWas() throws CorruptDataException {
    DiskList list = DiskList.decode(bytes(LIST));
    assertEquals(
        new DiskList(
            Id.ofHex(DIRECTORY),
            false,
            List.of(
                new DiskList.Entry(Id.ofHex(SECOND), DiskRole.DATA, true, "/mnt/a second"),
                new DiskList.Entry(Id.ofHex(INDEX), DiskRole.INDEX, false, "/mnt/ssd/index"))),
        list);
    assertArrayEquals(bytes(LIST), list.encode());
  }

  @Test
  void aDiskIsKnownByItsMarkerAndNoOther() {
    Id directory = Id.ofHex(DIRECTORY);
    Id second = Id.ofHex(SECOND);
    assertArrayEquals(bytes(MARKER), DiskList.marker(directory, second));
    assertEquals(Optional.empty(), DiskList.wrongMarker(directory, second, bytes(MARKER)));
    assertTrue(DiskList.wrongMarker(directory, Id.ofHex(INDEX), bytes(MARKER)).isPresent());
    assertEquals(Optional.of(second), DiskList.markedDisk(directory, bytes(MARKER)));
    assertEquals(Optional.empty(), DiskList.markedDisk(second, bytes(MARKER)));
  }

  @Test
  void whatIsNoListIsDamageWithTheLineThatIsWrong() {
    for (String wrong :
        List.of(
            "",
            LIST.replace("version 1", "version 2"),
            LIST.replace("main drains", "main perhaps"),
            LIST.replace(" data ", " tape "),
            LIST.replace("/mnt/ssd", "mnt/ssd"),
            LIST + "more\n",
            LIST + "disk 4be1a9cc01f24d7f93aa5520817c6ed0 data takes /d\n".repeat(64))) {
      CorruptDataException damage =
          assertThrows(CorruptDataException.class, () -> DiskList.decode(bytes(wrong)));
      assertTrue(String.valueOf(damage.getMessage()).contains("in line"), damage::getMessage);
    }
    assertThrows(CorruptDataException.class, () -> DiskList.decode(new byte[] {(byte) 0xc3, 0x28}));
  }
}
