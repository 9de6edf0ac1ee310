package onefold.store.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import onefold.store.StoreFullException;
import org.jspecify.annotations.Nullable;

/**
 * The real device: a directory of the operating system.
 *
 * <p>Threads that call it must not be interrupted: the JDK closes a channel under an interrupted
 * thread. It owns no descriptor between calls; files and locks are owned by whoever opened them.
 */
public final class FileDevice implements Device {
  private static final int ZEROS_BYTES = 256 << 10;

  private final Path root;
  private final Consumer<DeviceForceException> onFatal;
  private final AtomicReference<@Nullable DeviceForceException> failure = new AtomicReference<>();

  /**
   * Opens a directory that exists; a failing force is only thrown.
   *
   * @throws NotDirectoryException if it is none
   */
  public FileDevice(Path root) throws IOException {
    this(root, failed -> {});
  }

  /**
   * Opens a directory that exists.
   *
   * @param onFatal called once, by the thread whose force failed first, before the error is thrown;
   *     what it should do is end the process without another write
   * @throws NotDirectoryException if it is none
   */
  public FileDevice(Path root, Consumer<DeviceForceException> onFatal) throws IOException {
    if (!Files.isDirectory(root)) {
      throw new NotDirectoryException(root.toString());
    }
    this.root = root;
    this.onFatal = onFatal;
  }

  /** The directory. */
  public Path root() {
    return root;
  }

  @Override
  public DeviceFile create(String path) throws IOException {
    Path file = file(path);
    try {
      return new OpenFile(
          path,
          file,
          StandardOpenOption.READ,
          StandardOpenOption.WRITE,
          StandardOpenOption.CREATE_NEW);
    } catch (IOException e) {
      throw fullOr(path, e);
    }
  }

  @Override
  public DeviceFile open(String path, boolean writable) throws IOException {
    Path file = file(path);
    return writable
        ? new OpenFile(path, file, StandardOpenOption.READ, StandardOpenOption.WRITE)
        : new OpenFile(path, file, StandardOpenOption.READ);
  }

  @Override
  public boolean exists(String path) throws IOException {
    return Files.exists(directory(path));
  }

  @Override
  public List<String> list(String directory) throws IOException {
    var names = new ArrayList<String>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory(directory))) {
      for (Path entry : entries) {
        names.add(String.valueOf(entry.getFileName()));
      }
    } catch (java.nio.file.DirectoryIteratorException e) {
      throw e.getCause();
    }
    Collections.sort(names);
    return names;
  }

  @Override
  public void createDirectories(String directory) throws IOException {
    try {
      Files.createDirectories(directory(directory));
    } catch (IOException e) {
      throw fullOr(directory, e);
    }
  }

  @Override
  public void rename(String from, String to) throws IOException {
    try {
      Files.move(file(from), file(to), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw fullOr(to, e);
    }
  }

  @Override
  public void delete(String path) throws IOException {
    Files.delete(file(path));
  }

  @Override
  public void forceDirectory(String directory) throws IOException {
    Path path = directory(directory);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      force(channel, path, true);
    }
  }

  @Override
  public long freeBytes() throws IOException {
    checkAlive();
    return Files.getFileStore(root).getUsableSpace();
  }

  @Override
  public long sizeBytes(String path) throws IOException {
    return Files.size(file(path));
  }

  @Override
  public Object volume() {
    try {
      return Files.getFileStore(root);
    } catch (IOException e) {
      return this; // Counted by itself, as freeBytes will say what is wrong.
    }
  }

  @Override
  public DeviceLock lock(String path) throws IOException {
    Path file = file(path);
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    boolean locked = false;
    try {
      FileLock lock = tryLock(file, channel);
      if (lock == null) {
        throw new DirectoryInUseException(
            file
                + " is locked by "
                + holder(channel)
                + ": the directory is in use; stop that process first");
      }
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)),
          0);
      locked = true;
      return channel::close; // closing the channel ends the lock
    } finally {
      if (!locked) {
        channel.close();
      }
    }
  }

  private static @Nullable FileLock tryLock(Path file, FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null;
    } catch (IOException e) {
      throw new IOException(
          file
              + " cannot be locked, the file system does not support it ("
              + e.getMessage()
              + "): use another one",
          e);
    }
  }

  /** Who the lock's file names; the holder may not have written itself down yet. */
  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(20);
    channel.read(content, 0);
    String text = new String(content.array(), 0, content.position(), StandardCharsets.US_ASCII);
    return text.matches("[0-9]+") ? "process " + text : "another process";
  }

  /**
   * Tries on this file system what the store relies on: create, allocate, write, force, rename,
   * force of the directory, read back, delete.
   *
   * @throws IOException if one of them does not work; the message says which
   */
  public void probe() throws IOException {
    String path = ".onefold-probe-" + ProcessHandle.current().pid();
    String renamed = path + "-renamed";
    byte[] bytes = "onefold".getBytes(StandardCharsets.US_ASCII);
    String step = "create a file";
    try {
      try (DeviceFile file = create(path)) {
        step = "allocate space";
        file.allocate(4096);
        step = "write";
        file.write(0, ByteBuffer.wrap(bytes));
        step = "force a file (fsync)";
        file.force();
        step = "rename";
        rename(path, renamed);
        step = "force a directory (fsync)";
        forceDirectory("");
        step = "read back";
        ByteBuffer found = ByteBuffer.allocate(bytes.length);
        file.readFully(0, found);
        if (!found.flip().equals(ByteBuffer.wrap(bytes))) {
          throw new IOException("the bytes read are not those written");
        }
      }
      step = "delete";
      delete(renamed);
    } catch (IOException | DeviceForceException e) {
      Files.deleteIfExists(root.resolve(path));
      Files.deleteIfExists(root.resolve(renamed));
      throw new IOException(
          root
              + ": this file system cannot be used, it failed to "
              + step
              + ": "
              + (e instanceof DeviceForceException && e.getCause() instanceof IOException why
                      ? why
                      : e)
                  .getMessage()
              + "; use another one",
          e);
    }
  }

  private Path file(String path) {
    if (path.isEmpty()) {
      throw new IllegalArgumentException("path is empty");
    }
    return directory(path);
  }

  private Path directory(String path) {
    checkAlive();
    DevicePaths.check(path);
    return path.isEmpty() ? root : root.resolve(path);
  }

  private void checkAlive() {
    DeviceForceException failed = failure.get();
    if (failed != null) {
      throw new DeviceForceException(failed);
    }
  }

  private void force(FileChannel channel, Path path, boolean metadata) throws IOException {
    try {
      channel.force(metadata);
    } catch (ClosedChannelException e) {
      throw e; // Nothing was asked of the disk.
    } catch (IOException e) {
      var failed = new DeviceForceException(path.toString(), e);
      if (failure.compareAndSet(null, failed)) {
        onFatal.accept(failed);
        throw failed;
      }
    }
    checkAlive(); // A force that returns beside one that failed proves nothing.
  }

  /** The error as it is, or as {@link StoreFullException} if it says that there is no space. */
  private static IOException fullOr(String path, IOException error) {
    String message = error instanceof FileSystemException e ? e.getReason() : error.getMessage();
    if (message == null || error instanceof StoreFullException) {
      return error;
    }
    Optional<NativeFiles> linux = NativeFiles.linux();
    boolean full =
        message.contains("No space left on device")
            || message.contains("Disk quota exceeded")
            || (linux.isPresent()
                && (message.contains(linux.get().text(NativeFiles.ENOSPC))
                    || message.contains(linux.get().text(NativeFiles.EDQUOT))));
    return full ? new StoreFullException(path + ": " + message, error) : error;
  }

  private final class OpenFile implements DeviceFile {
    private final String path;
    private final Path file;
    private final FileChannel channel;
    private final boolean writable;
    private final @Nullable Object key;

    /**
     * Size that the last force, or opening, has seen: a force of a file that has grown includes its
     * metadata.
     */
    private volatile long forcedSizeBytes;

    /** What is told of reads to come; null before the first, or if it cannot be told. */
    private volatile NativeFiles.@Nullable Advised advised;

    private final AtomicBoolean advisedOpened = new AtomicBoolean();

    OpenFile(String path, Path file, StandardOpenOption... options) throws IOException {
      this.path = path;
      this.file = file;
      this.channel = FileChannel.open(file, options);
      this.writable = Set.of(options).contains(StandardOpenOption.WRITE);
      boolean opened = false;
      try {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        if (attributes.isDirectory()) {
          throw new FileSystemException(file.toString(), null, "is a directory");
        }
        this.key = attributes.fileKey();
        this.forcedSizeBytes = channel.size();
        opened = true;
      } finally {
        if (!opened) {
          channel.close();
        }
      }
    }

    @Override
    public String path() {
      return path;
    }

    @Override
    public long sizeBytes() throws IOException {
      checkAlive();
      return channel.size();
    }

    @Override
    public void write(long positionBytes, ByteBuffer source) throws IOException {
      checkAlive();
      checkPosition(positionBytes);
      long at = positionBytes;
      try {
        while (source.hasRemaining()) {
          at += channel.write(source, at);
        }
      } catch (IOException e) {
        throw fullOr(path, e);
      }
    }

    @Override
    public int read(long positionBytes, ByteBuffer target) throws IOException {
      checkAlive();
      checkPosition(positionBytes);
      int wanted = target.remaining();
      while (target.hasRemaining()) {
        if (channel.read(target, positionBytes + wanted - target.remaining()) < 0) {
          break;
        }
      }
      int read = wanted - target.remaining();
      return read == 0 && wanted > 0 ? -1 : read;
    }

    @Override
    public void willRead(long positionBytes, int lengthBytes) throws IOException {
      checkPosition(positionBytes);
      if (!channel.isOpen()) {
        throw new ClosedChannelException();
      }
      if (!advisedOpened.get() && advisedOpened.compareAndSet(false, true)) {
        openAdvised();
      }
      NativeFiles.Advised told = advised;
      if (told != null) {
        told.willRead(positionBytes, lengthBytes);
      }
    }

    /** Opens a descriptor of its own, because the JDK tells none; once. */
    private void openAdvised() throws IOException {
      Optional<NativeFiles> linux = NativeFiles.linux();
      if (linux.isPresent() && isStillNamed()) {
        NativeFiles.Advised made = linux.get().advise(file);
        advised = made;
        if (made != null && !channel.isOpen()) {
          made.close(); // The file was closed before it could be seen.
        }
      }
    }

    @Override
    public void force() throws IOException {
      checkAlive();
      // fdatasync covers the size on the file systems we know; where it does not, a grown file
      // needs fsync.
      long sizeBytes = channel.size();
      boolean grown = sizeBytes != forcedSizeBytes;
      FileDevice.this.force(channel, file, grown);
      forcedSizeBytes = sizeBytes;
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      checkAlive();
      checkPosition(sizeBytes);
      channel.truncate(sizeBytes);
    }

    @Override
    public void allocate(long sizeBytes) throws IOException {
      checkAlive();
      checkPosition(sizeBytes);
      // What follows goes by the file's name and would not notice.
      if (!channel.isOpen()) {
        throw new ClosedChannelException();
      }
      if (!writable) {
        throw new NonWritableChannelException();
      }
      if (sizeBytes == 0) {
        return;
      }
      Optional<NativeFiles> linux = NativeFiles.linux();
      // The C library takes a name or a descriptor, and the JDK tells no descriptor: only if the
      // name still is this file.
      if (linux.isPresent() && isStillNamed()) {
        switch (linux.get().allocate(file, 0, sizeBytes)) {
          case DONE -> {
            return;
          }
          case FULL ->
              throw new StoreFullException(path + ": no space for " + sizeBytes + " bytes");
          case UNSUPPORTED -> {}
        }
      }
      ByteBuffer zeros = ByteBuffer.allocateDirect(ZEROS_BYTES);
      for (long at = channel.size(); at < sizeBytes; at += zeros.limit()) {
        zeros.clear().limit((int) Math.min(ZEROS_BYTES, sizeBytes - at));
        write(at, zeros);
      }
    }

    private boolean isStillNamed() throws IOException {
      try {
        return key != null
            && key.equals(Files.readAttributes(file, BasicFileAttributes.class).fileKey());
      } catch (java.nio.file.NoSuchFileException e) {
        return false;
      }
    }

    private void checkPosition(long positionBytes) {
      if (positionBytes < 0) {
        throw new IllegalArgumentException(path + ": position or size " + positionBytes);
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
      NativeFiles.Advised told = advised;
      if (told != null) {
        told.close();
      }
    }
  }
}
