package onefold.perf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DeviceLock;
import onefold.store.device.DiskSpread;

/** Hands every call on to another device and counts what a start or a restore costs there. */
final class CountingDevice implements Device {
  /** Reads of less are of frames, headers and footers, and of no block. */
  private static final int LEAST_BLOCK_BYTES = 256;

  private final Device device;
  private final Set<String> openedContainers = ConcurrentHashMap.newKeySet();
  private final Set<String> blocks = ConcurrentHashMap.newKeySet();
  private final LongAdder opens = new LongAdder();
  private final LongAdder readBytes = new LongAdder();
  private final LongAdder blockReads = new LongAdder();
  private volatile boolean countsBlocks;

  CountingDevice(Device device) {
    this.device = device;
  }

  /** From now on reads from containers of data are taken for reads of blocks. */
  void countBlocks() {
    countsBlocks = true;
  }

  /** Files opened, one that is opened again counted again. */
  long openCount() {
    return opens.sum();
  }

  /** Different container files opened. */
  int openedContainerCount() {
    return openedContainers.size();
  }

  long readBytes() {
    return readBytes.sum();
  }

  /** Reads at block positions of containers of data. */
  long blockReadCount() {
    return blockReads.sum();
  }

  /** Different places of those. */
  int blockCount() {
    return blocks.size();
  }

  private DeviceFile counted(DeviceFile file) {
    opens.increment();
    boolean data = file.path().contains("/data/");
    if (data || file.path().contains("/node/")) {
      openedContainers.add(file.path());
    }
    return new CountedFile(file, data);
  }

  @Override
  public DeviceFile create(String path) throws IOException {
    return counted(device.create(path));
  }

  @Override
  public DeviceFile createBeside(String path, String other) throws IOException {
    return counted(device.createBeside(path, other));
  }

  @Override
  public DeviceFile open(String path, boolean writable) throws IOException {
    return counted(device.open(path, writable));
  }

  @Override
  public boolean exists(String path) throws IOException {
    return device.exists(path);
  }

  @Override
  public List<String> list(String directory) throws IOException {
    return device.list(directory);
  }

  @Override
  public void createDirectories(String directory) throws IOException {
    device.createDirectories(directory);
  }

  @Override
  public void rename(String from, String to) throws IOException {
    device.rename(from, to);
  }

  @Override
  public void delete(String path) throws IOException {
    device.delete(path);
  }

  @Override
  public void forceDirectory(String directory) throws IOException {
    device.forceDirectory(directory);
  }

  @Override
  public long freeBytes() throws IOException {
    return device.freeBytes();
  }

  @Override
  public long sizeBytes(String path) throws IOException {
    return device.sizeBytes(path);
  }

  @Override
  public DeviceLock lock(String path) throws IOException {
    return device.lock(path);
  }

  @Override
  public Object volume() {
    return device.volume();
  }

  @Override
  public Optional<DiskSpread> spread() {
    return device.spread();
  }

  private final class CountedFile implements DeviceFile {
    private final DeviceFile file;
    private final boolean data;

    CountedFile(DeviceFile file, boolean data) {
      this.file = file;
      this.data = data;
    }

    @Override
    public String path() {
      return file.path();
    }

    @Override
    public long sizeBytes() throws IOException {
      return file.sizeBytes();
    }

    @Override
    public void write(long positionBytes, ByteBuffer source) throws IOException {
      file.write(positionBytes, source);
    }

    @Override
    public int read(long positionBytes, ByteBuffer target) throws IOException {
      int wanted = target.remaining();
      int read = file.read(positionBytes, target);
      readBytes.add(Math.max(read, 0));
      if (countsBlocks && data && wanted >= LEAST_BLOCK_BYTES) {
        blockReads.increment();
        blocks.add(file.path() + ":" + positionBytes);
      }
      return read;
    }

    @Override
    public void willRead(long positionBytes, int lengthBytes) throws IOException {
      file.willRead(positionBytes, lengthBytes);
    }

    @Override
    public void force() throws IOException {
      file.force();
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      file.truncate(sizeBytes);
    }

    @Override
    public void allocate(long sizeBytes) throws IOException {
      file.allocate(sizeBytes);
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
