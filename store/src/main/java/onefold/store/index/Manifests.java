package onefold.store.index;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import onefold.store.CorruptDataException;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DevicePaths;
import org.jspecify.annotations.Nullable;

/** The manifest in its directory: how it is found, and how it is replaced in one step. */
final class Manifests {
  private static final String MANIFEST = "manifest";
  private static final String NEW_MANIFEST = "manifest.new";

  private Manifests() {}

  /**
   * What an index begins with.
   *
   * @param deadNodes whether entries may name nodes whose chunks have been swept
   * @param fresh whether there was no manifest at all
   * @param damage what was found missing or wrong, a line each
   */
  record Found(
      long nextRunId,
      List<Partition> partitions,
      ContainerSet covered,
      boolean deadNodes,
      boolean fresh,
      List<String> damage) {}

  /** Reads the manifest, looks whether its runs are there, and removes all other runs. */
  static Found open(Device device, String directory) throws IOException {
    if (!device.exists(directory)) {
      device.createDirectories(directory);
      device.forceDirectory(DevicePaths.parent(directory));
    }
    var damage = new ArrayList<String>();
    ManifestFormat.Manifest manifest = read(device, directory, damage);
    Found found;
    if (manifest != null) {
      found =
          new Found(
              manifest.nextRunId(),
              partitions(device, directory, manifest, damage),
              manifest.covered(),
              manifest.deadNodes(),
              false,
              damage);
    } else {
      boolean fresh = damage.isEmpty();
      Partition all = fresh ? Partition.ofAll() : Partition.ofAll().lost(1);
      found = new Found(1, List.of(all), new ContainerSet(), !fresh, fresh, damage);
    }
    removeStrangers(device, directory, found.partitions);
    return found;
  }

  private static ManifestFormat.@Nullable Manifest read(
      Device device, String directory, List<String> damage) throws IOException {
    String path = directory + "/" + MANIFEST;
    if (!device.exists(path)) {
      return null;
    }
    try (DeviceFile file = device.open(path, false)) {
      long bytes = file.sizeBytes();
      if (bytes > ManifestFormat.MAX_BYTES) {
        throw new CorruptDataException(
            path, -1, "at most " + ManifestFormat.MAX_BYTES + " bytes", bytes + " bytes");
      }
      byte[] content = new byte[Math.toIntExact(bytes)];
      file.readFully(0, ByteBuffer.wrap(content));
      return ManifestFormat.decode(path, content);
    } catch (CorruptDataException e) {
      damage.add(String.valueOf(e.getMessage()));
      return null;
    }
  }

  private static List<Partition> partitions(
      Device device, String directory, ManifestFormat.Manifest manifest, List<String> damage)
      throws IOException {
    var names = new HashSet<>(device.list(directory));
    var partitions = new ArrayList<Partition>();
    for (ManifestFormat.PartitionEntry entry : manifest.partitions()) {
      var runs = new ArrayList<Run>();
      boolean lost = entry.lost();
      for (Run.Identity identity : entry.runs()) {
        var run = new Run(device, directory, identity);
        String path = run.path();
        long bytes = names.contains(DevicePaths.name(path)) ? device.sizeBytes(path) : -1;
        if (bytes == identity.fileBytes()) {
          runs.add(run);
        } else {
          lost = true;
          String found = bytes < 0 ? "no file" : bytes + " bytes";
          damage.add(path + ": expected " + identity.fileBytes() + " bytes, found " + found);
        }
      }
      partitions.add(new Partition(entry.prefixBits(), entry.prefix(), runs, lost ? 1 : 0, 0));
    }
    return partitions;
  }

  /** Removes runs that the manifest does not name: a crash came between them and the manifest. */
  private static void removeStrangers(Device device, String directory, List<Partition> partitions)
      throws IOException {
    var named = new HashSet<String>();
    for (Partition partition : partitions) {
      for (Run run : partition.runs()) {
        named.add(DevicePaths.name(run.path()));
      }
    }
    for (String name : device.list(directory)) {
      if ((Run.isRunName(name) && !named.contains(name)) || name.equals(NEW_MANIFEST)) {
        device.delete(directory + "/" + name);
      }
    }
  }

  /**
   * Replaces the manifest.
   *
   * <p>A crash before the rename is durable leaves the old manifest and its runs, none of which has
   * been removed yet; one after it leaves the new one, whose runs and their names were forced
   * before.
   */
  static void replace(Device device, String directory, byte[] content) throws IOException {
    String path = directory + "/" + NEW_MANIFEST;
    if (device.exists(path)) {
      device.delete(path); // left by a replacement that failed
    }
    device.forceDirectory(directory);
    try (DeviceFile file = device.create(path)) {
      file.write(0, ByteBuffer.wrap(content));
      file.force();
    }
    device.rename(path, directory + "/" + MANIFEST);
    device.forceDirectory(directory);
  }
}
