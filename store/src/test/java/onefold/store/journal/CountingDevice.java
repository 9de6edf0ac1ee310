package onefold.store.journal;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.simulation.PassingDevice;

/** Counts the forces of another device, and can hold them up. */
final class CountingDevice extends PassingDevice {
  final AtomicInteger fileForces = new AtomicInteger();
  final AtomicInteger directoryForces = new AtomicInteger();
  volatile Runnable beforeForce = () -> {};

  CountingDevice(Device device) {
    super(device);
  }

  @Override
  protected void force(DeviceFile file) throws IOException {
    beforeForce.run();
    fileForces.incrementAndGet();
    super.force(file);
  }

  @Override
  public void forceDirectory(String directory) throws IOException {
    directoryForces.incrementAndGet();
    super.forceDirectory(directory);
  }
}
