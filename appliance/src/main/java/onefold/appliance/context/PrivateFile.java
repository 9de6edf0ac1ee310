package onefold.appliance.context;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Small files that only their owner may read (mode 0600), such as contexts and keys. */
public final class PrivateFile {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> OWNER_ONLY_FOLDER =
      PosixFilePermissions.fromString("rwx------");

  private PrivateFile() {}

  /**
   * Replaces {@code file} in one step and makes it durable.
   *
   * <p>A crash before the move leaves the old file (and a hidden {@code .NAME.new} beside it that
   * the next call replaces), one after it the new file; the bytes are forced before the name
   * exists, the folder before the method returns.
   *
   * @throws IOException if any step fails
   */
  public static void write(Path file, byte[] content) throws IOException {
    Path folder = folderOf(file);
    Path fresh = folder.resolve("." + file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    try (FileChannel channel =
        FileChannel.open(
            fresh, Set.of(CREATE_NEW, WRITE), PosixFilePermissions.asFileAttribute(OWNER_ONLY))) {
      ByteBuffer bytes = ByteBuffer.wrap(content);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(fresh, file, ATOMIC_MOVE);
    try (FileChannel parent = FileChannel.open(folder, READ)) {
      parent.force(true);
    }
  }

  /** As {@link #write(Path, byte[])}, in UTF-8. */
  public static void write(Path file, String content) throws IOException {
    write(file, content.getBytes(StandardCharsets.UTF_8));
  }

  /** Removes a file if it is there; durable when it returns. */
  public static void delete(Path file) throws IOException {
    if (Files.deleteIfExists(file)) {
      try (FileChannel parent = FileChannel.open(folderOf(file), READ)) {
        parent.force(true);
      }
    }
  }

  /**
   * Reads a whole file.
   *
   * @param maxBytes what it may have at most
   * @throws IOException if it cannot be read or is longer
   */
  public static byte[] read(Path file, int maxBytes) throws IOException {
    long sizeBytes = Files.size(file);
    if (sizeBytes > maxBytes) {
      throw new IOException(
          file + " has " + sizeBytes + " bytes, at most " + maxBytes + " are expected");
    }
    return Files.readAllBytes(file);
  }

  /**
   * Makes a folder, and those above it, that only the owner may enter; one that is there keeps its
   * mode.
   */
  public static void createFolder(Path folder) throws IOException {
    Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(OWNER_ONLY_FOLDER));
  }

  private static Path folderOf(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null) {
      throw new IllegalArgumentException("no file: " + file);
    }
    return folder;
  }
}
