package onefold.store.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DeviceLock;

/** Counts the forces of another device, and can hold them up. */
final class CountingDevice implements Device {
  final AtomicInteger fileForces = new AtomicInteger();
  final AtomicInteger directoryForces = new AtomicInteger();
  volatile Runnable beforeForce = () -> {};

  private final Device device;

  CountingDevice(Device device) {
    this.device = device;
  }

  @Override
  public DeviceFile create(String path) throws IOException {
    return new CountingFile(device.create(path));
  }

  @Override
  public DeviceFile open(String path, boolean writable) throws IOException {
    return new CountingFile(device.open(path, writable));
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
    directoryForces.incrementAndGet();
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

  private final class CountingFile implements DeviceFile {
    private final DeviceFile file;

    CountingFile(DeviceFile file) {
      this.file = file;
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
      return file.read(positionBytes, target);
    }

    @Override
    public void readFully(long positionBytes, ByteBuffer target) throws IOException {
      file.readFully(positionBytes, target);
    }

    @Override
    public void force() throws IOException {
      beforeForce.run();
      fileForces.incrementAndGet();
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
