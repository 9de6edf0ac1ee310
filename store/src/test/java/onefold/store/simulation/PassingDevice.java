package onefold.store.simulation;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DeviceLock;

/**
 * Hands every call on to another device; a test overrides what should be counted, held up or
 * forgotten.
 */
public class PassingDevice implements Device {
  private final Device device;

  public PassingDevice(Device device) {
    this.device = device;
  }

  /** Called for every force of a file; hands it on unless it is overridden. */
  protected void force(DeviceFile file) throws IOException {
    file.force();
  }

  /** Called for every read of a file; hands it on unless it is overridden. */
  protected int read(DeviceFile file, long positionBytes, ByteBuffer target) throws IOException {
    return file.read(positionBytes, target);
  }

  @Override
  public DeviceFile create(String path) throws IOException {
    return new PassingFile(device.create(path));
  }

  @Override
  public DeviceFile open(String path, boolean writable) throws IOException {
    return new PassingFile(device.open(path, writable));
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

  private final class PassingFile implements DeviceFile {
    private final DeviceFile file;

    PassingFile(DeviceFile file) {
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
      return PassingDevice.this.read(file, positionBytes, target);
    }

    @Override
    public void willRead(long positionBytes, int lengthBytes) throws IOException {
      file.willRead(positionBytes, lengthBytes);
    }

    @Override
    public void force() throws IOException {
      PassingDevice.this.force(file);
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
