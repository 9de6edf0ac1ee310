package onefold.appliance.rest;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * The program as one archive, made from what runs: the launcher, {@code app/onefold.jar} and the
 * jars that its manifest names.
 */
public final class ClientArchive {
  static final String FILE_NAME = "onefold.tar.gz";

  private static final int BLOCK_BYTES = 512;

  /** A file of the archive. */
  private record Member(String name, Path file, boolean executable) {}

  private final List<Member> members;

  private ClientArchive(List<Member> members) {
    this.members = members;
  }

  /**
   * Finds what is needed.
   *
   * @param launcher the launcher script
   * @param jar {@code onefold.jar}
   * @return empty if one of them is not there, as when the program runs from classes
   */
  public static Optional<ClientArchive> of(Path launcher, Path jar) throws IOException {
    if (!Files.isRegularFile(launcher) || !Files.isRegularFile(jar)) {
      return Optional.empty();
    }
    List<Member> members = new ArrayList<>();
    members.add(new Member("onefold/onefold", launcher, true));
    members.add(new Member("onefold/app/onefold.jar", jar, false));
    Path folder = jar.toAbsolutePath().getParent();
    try (JarFile open = new JarFile(jar.toFile())) {
      Manifest manifest = open.getManifest();
      String classPath =
          manifest == null ? null : manifest.getMainAttributes().getValue("Class-Path");
      if (folder == null || classPath == null) {
        return Optional.empty();
      }
      for (String name : classPath.trim().split(" +", -1)) {
        members.add(new Member("onefold/app/" + name, folder.resolve(name), false));
      }
    }
    return Optional.of(new ClientArchive(members));
  }

  /** Writes the archive, a gzipped tar of the POSIX form. */
  void writeTo(OutputStream out) throws IOException {
    GZIPOutputStream target =
        new GZIPOutputStream(out, 64 << 10) {
          {
            def.setLevel(Deflater.BEST_SPEED); // The jars are compressed already.
          }
        };
    for (Member member : members) {
      long sizeBytes = Files.size(member.file());
      target.write(header(member, sizeBytes));
      long copied = Files.copy(member.file(), target);
      if (copied != sizeBytes) {
        throw new IOException(member.file() + " changed while it was sent");
      }
      target.write(new byte[(int) ((BLOCK_BYTES - sizeBytes % BLOCK_BYTES) % BLOCK_BYTES)]);
    }
    target.write(new byte[2 * BLOCK_BYTES]);
    target.finish();
  }

  private static byte[] header(Member member, long sizeBytes) {
    byte[] header = new byte[BLOCK_BYTES];
    put(header, 0, 100, member.name());
    put(header, 100, 8, member.executable() ? "0000755" : "0000644");
    put(header, 108, 8, "0000000");
    put(header, 116, 8, "0000000");
    put(header, 124, 12, String.format("%011o", sizeBytes));
    put(header, 136, 12, "00000000000");
    header[156] = '0';
    put(header, 257, 8, "ustar\00000");
    put(header, 148, 8, "        ");
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, 8, String.format("%06o\0 ", sum));
    return header;
  }

  private static void put(byte[] header, int offset, int room, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    if (bytes.length > room) {
      throw new IllegalArgumentException(text + " does not fit into a field of " + room);
    }
    System.arraycopy(bytes, 0, header, offset, bytes.length);
  }
}
