package onefold.store.simulation;

import java.io.IOException;
import java.util.List;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DeviceLock;

/** A directory of a device as a device: several of them lose the power at one moment. */
public class SubDevice implements Device {
  private final Device device;
  private final String directory;

  /** Over a directory that exists. */
  public SubDevice(Device device, String directory) {
    this.device = device;
    this.directory = directory;
  }

  private String below(String path) {
    return path.isEmpty() ? directory : directory + "/" + path;
  }

  @Override
  public DeviceFile create(String path) throws IOException {
    return device.create(below(path));
  }

  @Override
  public DeviceFile open(String path, boolean writable) throws IOException {
    return device.open(below(path), writable);
  }

  @Override
  public boolean exists(String path) throws IOException {
    return device.exists(below(path));
  }

  @Override
  public List<String> list(String path) throws IOException {
    return device.list(below(path));
  }

  @Override
  public void createDirectories(String path) throws IOException {
    device.createDirectories(below(path));
  }

  @Override
  public void rename(String from, String to) throws IOException {
    device.rename(below(from), below(to));
  }

  @Override
  public void delete(String path) throws IOException {
    device.delete(below(path));
  }

  @Override
  public void forceDirectory(String path) throws IOException {
    device.forceDirectory(below(path));
  }

  @Override
  public long freeBytes() throws IOException {
    return device.freeBytes();
  }

  @Override
  public long sizeBytes(String path) throws IOException {
    return device.sizeBytes(below(path));
  }

  @Override
  public DeviceLock lock(String path) throws IOException {
    return device.lock(below(path));
  }

  @Override
  public Object volume() {
    return device;
  }
}
