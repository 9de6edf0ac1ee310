package onefold.appliance.identity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import onefold.catalyst.server.TlsIdentity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is made when a part of the appliance's identity is missing. */
final class TlsFilesTest {
  private static final Instant NOW = Instant.parse("2026-11-23T00:00:00Z");
  private static final List<String> NAMES = List.of("backup.example");

  @TempDir Path folder;

  @Test
  void theKeyStaysWhenOnlyTheCertificateIsLost() throws IOException {
    TlsFiles files = TlsFiles.in(folder);
    TlsIdentity first = files.readOrCreate(NAMES, NOW);
    Files.delete(files.certificate());
    TlsIdentity again = files.readOrCreate(NAMES, NOW);
    assertEquals(first.pin(), again.pin());
    assertEquals(again.pin(), files.read().pin());
    Files.delete(files.key());
    assertNotEquals(first.pin(), files.readOrCreate(NAMES, NOW).pin());
  }

  @Test
  void aDamagedKeyWithoutCertificateIsNotReplaced() throws IOException {
    TlsFiles files = TlsFiles.in(folder);
    files.readOrCreate(NAMES, NOW);
    Files.delete(files.certificate());
    Files.writeString(files.key(), "damaged");
    IOException refused = assertThrows(IOException.class, () -> files.readOrCreate(NAMES, NOW));
    assertTrue(refused.toString().contains(files.key().toString()), refused.toString());
    assertEquals("damaged", Files.readString(files.key()));
  }
}
