package onefold.appliance.cli;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import onefold.store.StoreFullException;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DeviceLock;
import onefold.store.device.DevicePaths;
import onefold.store.device.DirectoryInUseException;
import onefold.store.device.FileDevice;
import onefold.store.device.SpreadDevice;
import org.jspecify.annotations.Nullable;

/**
 * A data directory that is only read. What recovery would write to it goes into a temporary
 * directory and is seen here as if it were there; {@link #close} deletes it. So a directory can be
 * read on a read-only mount, and is the same afterwards, byte by byte and name by name.
 *
 * <p>Nothing is durable. A directory that a server of this machine has open is refused, by a shared
 * lock on its file, which writes nothing; while it is held no server starts. Bound: it remembers
 * every name that was opened, and of a file that was written one bit for each 4 KiB. Any number of
 * threads.
 */
final class OverlayDevice implements Device, Closeable {
  private static final int BLOCK_BYTES = 4096;

  private final Path root;
  private final Device lower;
  private final Path place;
  private final FileDevice upper;

  private final Map<String, Content> files = new HashMap<>(); // guarded by this
  private final Set<String> gone = new HashSet<>(); // guarded by this
  private final Set<String> directories = new HashSet<>(); // guarded by this
  private int written; // guarded by this

  private OverlayDevice(Path root, Device lower, Path place) throws IOException {
    this.root = root;
    this.lower = lower;
    this.place = place;
    this.upper = new FileDevice(place);
  }

  /**
   * Lays an empty layer over a directory.
   *
   * @throws NotDirectoryException if it is none
   */
  static OverlayDevice over(Path directory) throws IOException {
    Device lower = SpreadDevice.ofFiles(directory, failed -> {}, 0);
    return new OverlayDevice(directory, lower, Files.createTempDirectory("onefold-reading-"));
  }

  /** What a file holds, whatever its name is now. */
  private static final class Content {
    final @Nullable String lowerPath;
    // Guarded by this, but for reading touched and sizeBytes.
    long lowerBytes;
    volatile long sizeBytes;
    volatile boolean touched;
    final BitSet inUpper = new BitSet();
    @Nullable String upperPath;

    Content(@Nullable String lowerPath, long sizeBytes) {
      this.lowerPath = lowerPath;
      this.lowerBytes = sizeBytes;
      this.sizeBytes = sizeBytes;
      this.touched = lowerPath == null;
    }
  }

  @Override
  public synchronized DeviceFile create(String path) throws IOException {
    DevicePaths.check(path);
    if (exists(path)) {
      throw new FileAlreadyExistsException(path);
    }
    if (!exists(DevicePaths.parent(path))) {
      throw new NoSuchFileException(path);
    }
    Content made = new Content(null, 0);
    files.put(path, made);
    return new Open(path, made, null, true);
  }

  @Override
  public DeviceFile open(String path, boolean writable) throws IOException {
    Content content = content(path);
    String below = content.lowerPath;
    return new Open(path, content, below == null ? null : lower.open(below, false), writable);
  }

  private synchronized Content content(String path) throws IOException {
    DevicePaths.check(path);
    Content known = files.get(path);
    if (known != null) {
      return known;
    }
    if (gone.contains(path)) {
      throw new NoSuchFileException(path);
    }
    Content found = new Content(path, lower.sizeBytes(path));
    files.put(path, found);
    return found;
  }

  @Override
  public synchronized boolean exists(String path) throws IOException {
    DevicePaths.check(path);
    return files.containsKey(path)
        || directories.contains(path)
        || (!gone.contains(path) && lower.exists(path));
  }

  @Override
  public synchronized List<String> list(String directory) throws IOException {
    if (!exists(directory)) {
      throw new NoSuchFileException(directory);
    }
    if (files.containsKey(directory)) {
      throw new NotDirectoryException(directory);
    }
    Set<String> names = new TreeSet<>();
    if (!directories.contains(directory)) {
      String before = directory.isEmpty() ? "" : directory + "/";
      for (String name : lower.list(directory)) {
        if (!gone.contains(before + name)) {
          names.add(name);
        }
      }
    }
    for (Set<String> made : List.of(files.keySet(), directories)) {
      for (String path : made) {
        if (!path.isEmpty() && DevicePaths.parent(path).equals(directory)) {
          names.add(DevicePaths.name(path));
        }
      }
    }
    return List.copyOf(names);
  }

  @Override
  public synchronized void createDirectories(String directory) throws IOException {
    if (exists(directory)) {
      if (files.containsKey(directory)) {
        throw new FileAlreadyExistsException(directory);
      }
      return;
    }
    createDirectories(DevicePaths.parent(directory));
    directories.add(directory);
  }

  /** {@inheritDoc} The store gives files another name and no directory, so this does no more. */
  @Override
  public synchronized void rename(String from, String to) throws IOException {
    if (!exists(DevicePaths.parent(to))) {
      throw new NoSuchFileException(to);
    }
    Content content = content(from);
    files.remove(from);
    gone.add(from);
    files.put(to, content);
  }

  @Override
  public synchronized void delete(String path) throws IOException {
    if (!exists(path)) {
      throw new NoSuchFileException(path);
    }
    boolean file = files.remove(path) != null || isFileBelow(path);
    if (!file && !list(path).isEmpty()) {
      throw new DirectoryNotEmptyException(path);
    }
    directories.remove(path);
    gone.add(path);
  }

  private boolean isFileBelow(String path) throws IOException {
    if (directories.contains(path) || !lower.exists(path)) {
      return false;
    }
    try {
      lower.list(path);
      return false;
    } catch (NotDirectoryException e) {
      return true;
    }
  }

  @Override
  public void forceDirectory(String directory) throws IOException {
    if (!exists(directory)) {
      throw new NoSuchFileException(directory);
    }
  }

  /** What the temporary directory has room for. */
  @Override
  public long freeBytes() throws IOException {
    return upper.freeBytes();
  }

  @Override
  public long sizeBytes(String path) throws IOException {
    return content(path).sizeBytes;
  }

  /**
   * {@inheritDoc} Shared with others that only read. Where the file system knows no locks, or the
   * file is not there, nobody can have it.
   */
  @Override
  public DeviceLock lock(String path) throws IOException {
    Path file = root.resolve(path);
    if (!Files.exists(file)) {
      return () -> {};
    }
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    boolean locked = false;
    try {
      FileLock lock = shared(channel);
      if (lock == null) {
        throw new DirectoryInUseException(
            file + " is locked: the directory is in use by a server; stop that process first");
      }
      locked = true;
      return channel::close; // closing the channel ends the lock
    } finally {
      if (!locked) {
        channel.close();
      }
    }
  }

  private static @Nullable FileLock shared(FileChannel channel) throws IOException {
    try {
      return channel.tryLock(0, Long.MAX_VALUE, true);
    } catch (OverlappingFileLockException e) {
      return null; // Somebody in this process.
    }
  }

  /** Deletes what was written. Files that are open must be closed before. */
  @Override
  public void close() throws IOException {
    try (var left = Files.newDirectoryStream(place)) {
      for (Path each : left) {
        Files.delete(each);
      }
    }
    Files.delete(place);
  }

  private synchronized String newUpper() throws IOException {
    String name = "written-" + ++written;
    upper.create(name).close();
    return name;
  }

  private final class Open implements DeviceFile {
    private final String path;
    private final Content content;
    private final @Nullable DeviceFile below;
    private final boolean writable;
    private @Nullable DeviceFile above; // guarded by content
    private volatile boolean closed;

    Open(String path, Content content, @Nullable DeviceFile below, boolean writable) {
      this.path = path;
      this.content = content;
      this.below = below;
      this.writable = writable;
    }

    @Override
    public String path() {
      return path;
    }

    @Override
    public long sizeBytes() throws IOException {
      checkOpen();
      return content.sizeBytes;
    }

    @Override
    public int read(long positionBytes, ByteBuffer target) throws IOException {
      checkOpen();
      if (below != null && !content.touched) {
        return below.read(positionBytes, target);
      }
      synchronized (content) {
        if (!target.hasRemaining()) {
          return 0;
        }
        if (positionBytes >= content.sizeBytes) {
          return -1;
        }
        int wanted = (int) Math.min(target.remaining(), content.sizeBytes - positionBytes);
        int limit = target.limit();
        long end = positionBytes + wanted;
        long at = positionBytes;
        while (at < end) {
          int block = block(at);
          boolean up = content.inUpper.get(block);
          int next = up ? content.inUpper.nextClearBit(block) : content.inUpper.nextSetBit(block);
          long stop = next < 0 ? end : Math.min(end, (long) next * BLOCK_BYTES);
          target.limit(target.position() + (int) (stop - at));
          if (up) {
            above().readFully(at, target);
          } else {
            fromBelow(at, target);
          }
          at = stop;
        }
        target.limit(limit);
        return wanted;
      }
    }

    /** Fills the target with what the lower file has, and zeros behind that. */
    private void fromBelow(long positionBytes, ByteBuffer target) throws IOException {
      int limit = target.limit();
      if (below != null && positionBytes < content.lowerBytes) {
        int there = (int) Math.min(target.remaining(), content.lowerBytes - positionBytes);
        target.limit(target.position() + there);
        below.readFully(positionBytes, target);
        target.limit(limit);
      }
      while (target.hasRemaining()) {
        target.put((byte) 0);
      }
    }

    @Override
    public void willRead(long positionBytes, int lengthBytes) throws IOException {
      checkOpen();
      if (below != null && !content.touched) {
        below.willRead(positionBytes, lengthBytes);
      }
    }

    @Override
    public void write(long positionBytes, ByteBuffer source) throws IOException {
      checkWritable();
      if (!source.hasRemaining()) {
        return;
      }
      synchronized (content) {
        long end = positionBytes + source.remaining();
        int first = block(positionBytes);
        int last = block(end - 1);
        try {
          if (positionBytes % BLOCK_BYTES != 0) {
            copyUp(first);
          }
          if (end % BLOCK_BYTES != 0) {
            copyUp(last);
          }
          above().write(positionBytes, source);
        } catch (StoreFullException e) {
          throw new StoreFullException(
              place
                  + " is full: it holds what opening the data directory would have written there;"
                  + " make room, or name another place: JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=DIR");
        }
        content.touched = true;
        content.inUpper.set(first, last + 1);
        content.sizeBytes = Math.max(content.sizeBytes, end);
      }
    }

    /** Brings a whole block up, zeros behind the file's end. */
    private void copyUp(int block) throws IOException {
      if (!content.inUpper.get(block)) {
        long start = (long) block * BLOCK_BYTES;
        ByteBuffer bytes = ByteBuffer.allocate(BLOCK_BYTES);
        fromBelow(start, bytes);
        above().write(start, bytes.flip());
        content.touched = true;
        content.inUpper.set(block);
      }
    }

    private DeviceFile above() throws IOException {
      DeviceFile opened = above;
      if (opened == null) {
        String name = content.upperPath;
        if (name == null) {
          name = newUpper();
          content.upperPath = name;
        }
        opened = upper.open(name, true);
        above = opened;
      }
      return opened;
    }

    @Override
    public void force() throws IOException {
      checkOpen();
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      checkWritable();
      synchronized (content) {
        if (sizeBytes >= content.sizeBytes) {
          return;
        }
        content.touched = true;
        content.sizeBytes = sizeBytes;
        content.lowerBytes = Math.min(content.lowerBytes, sizeBytes);
        int kept = block(sizeBytes + BLOCK_BYTES - 1);
        content.inUpper.clear(kept, Math.max(kept, content.inUpper.length()));
        int rest = (int) (sizeBytes % BLOCK_BYTES);
        if (rest != 0 && content.inUpper.get(kept - 1)) {
          above().write(sizeBytes, ByteBuffer.allocate(BLOCK_BYTES - rest));
        }
      }
    }

    @Override
    public void allocate(long sizeBytes) throws IOException {
      checkWritable();
      synchronized (content) {
        if (sizeBytes > content.sizeBytes) {
          content.touched = true;
          content.sizeBytes = sizeBytes;
        }
      }
    }

    private static int block(long positionBytes) {
      if (positionBytes < 0) {
        throw new IllegalArgumentException("position or size " + positionBytes);
      }
      return Math.toIntExact(positionBytes / BLOCK_BYTES);
    }

    private void checkOpen() throws IOException {
      if (closed) {
        throw new ClosedChannelException();
      }
    }

    private void checkWritable() throws IOException {
      checkOpen();
      if (!writable) {
        throw new NonWritableChannelException();
      }
    }

    @Override
    public void close() throws IOException {
      synchronized (content) {
        closed = true;
        if (above != null) {
          above.close();
        }
      }
      if (below != null) {
        below.close();
      }
    }
  }
}
