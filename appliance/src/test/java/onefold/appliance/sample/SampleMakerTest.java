package onefold.appliance.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class SampleMakerTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(SampleKind.class)
  void aGenerationIsAboutAsBigAsAskedAndTheNextDiffersALittle(SampleKind kind) throws IOException {
    SampleMaker maker = new SampleMaker(kind, 4 << 20, 1);
    Path first = maker.make(folder, 1, bytes -> {});
    Path second = maker.make(folder, 2, bytes -> {});
    long size = size(first);
    assertTrue(size > 2 << 20 && size < 12 << 20, () -> kind + ": " + size + " bytes");
    assertNotEquals(digest(first), digest(second));
    assertThrows(FileAlreadyExistsException.class, () -> maker.make(folder, 2, bytes -> {}));
  }

  /** Figures published with made data hold only while the data stay the same for ever. */
  @Test
  void theDataAreTheSameOnEveryMachineAndInEveryRelease() throws IOException {
    StringBuilder digests = new StringBuilder();
    for (SampleKind kind : SampleKind.values()) {
      Path made =
          new SampleMaker(kind, 1 << 20, 42).make(folder.resolve(kind.name()), 3, bytes -> {});
      digests.append(kind).append(' ').append(digest(made), 0, 16).append('\n');
    }
    assertEquals(EXPECTED, digests.toString());
  }

  private static final String EXPECTED =
      """
      VM 908044ee63646189
      FILES 76cb8c83f1935a0e
      DATABASE 812298fdd69581ea
      MAIL eca0a71656dfb2ca
      RANDOM 4c23bbcd11fc678e
      """;

  private static long size(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }

  private static String digest(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        digest.update(folder.relativize(file).toString().getBytes(StandardCharsets.UTF_8));
        digest.update(Files.readAllBytes(file));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
