package onefold.store.container;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import onefold.chunker.ChunkKind;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DevicePaths;
import onefold.store.device.DiskSpread;
import onefold.store.scheduler.SchedulerLock;
import org.jspecify.annotations.Nullable;

/**
 * Containers as files: one directory a kind, {@code NUMBER-GENERATION.container} or {@code .open}.
 */
final class DeviceContainerStore implements ContainerStore {
  private static final String SEALED = ".container";
  private static final String UNSEALED = ".open";
  private static final String PARITY = ".parity";
  private static final String DRAFT = "-new";
  private static final int NUMBER_DIGITS = 16;

  private final Device device;
  private final String domainDirectory;

  private DeviceContainerStore(Device device, String domainDirectory) {
    this.device = device;
    this.domainDirectory = domainDirectory;
  }

  /**
   * Makes the directories if they are missing. All names are forced, those found too: a process
   * that was killed may have left names that the next power loss would take back.
   */
  static DeviceContainerStore open(Device device, String domainDirectory) throws IOException {
    for (ChunkKind kind : ChunkKind.values()) {
      String directory = directory(domainDirectory, kind);
      device.createDirectories(directory);
      device.forceDirectory(directory);
    }
    String above = domainDirectory;
    while (!above.isEmpty()) {
      device.forceDirectory(above);
      above = DevicePaths.parent(above);
    }
    device.forceDirectory(above);
    return new DeviceContainerStore(device, domainDirectory);
  }

  static String directory(String domainDirectory, ChunkKind kind) {
    return domainDirectory + "/" + kind.name().toLowerCase(Locale.ROOT);
  }

  static String path(String domainDirectory, Name name) {
    return directory(domainDirectory, name.kind())
        + "/"
        + HexFormat.of().toHexDigits(name.number())
        + "-"
        + Long.toHexString(name.generation())
        + (name.sealed() ? SEALED : UNSEALED);
  }

  @Override
  public String path(Name name) {
    return path(domainDirectory, name);
  }

  /** The container that a file name stands for, or null if it is no container's. */
  private static @Nullable Name parse(ChunkKind kind, String file) {
    boolean sealed = file.endsWith(SEALED);
    if (!sealed && !file.endsWith(UNSEALED)) {
      return null;
    }
    return parse(kind, file.substring(0, file.lastIndexOf('.')), sealed);
  }

  private static @Nullable Name parse(ChunkKind kind, String stem, boolean sealed) {
    if (!stem.matches("[0-9a-f]{16}-[1-9a-f][0-9a-f]{0,14}")) {
      return null;
    }
    return new Name(
        kind,
        HexFormat.fromHexDigitsToLong(stem, 0, NUMBER_DIGITS),
        HexFormat.fromHexDigitsToLong(stem, NUMBER_DIGITS + 1, stem.length()),
        sealed);
  }

  @Override
  public StoredContainer create(ChunkKind kind, long number, long generation) throws IOException {
    Name name = new Name(kind, number, generation, false);
    return new FileContainer(name, device.create(path(name)));
  }

  @Override
  public StoredContainer open(Name name) throws IOException {
    return new FileContainer(name, device.open(path(name), !name.sealed()));
  }

  @Override
  public List<Name> list(ChunkKind kind) throws IOException {
    List<Name> names = new ArrayList<>();
    for (String file : device.list(directory(domainDirectory, kind))) {
      Name name = parse(kind, file);
      if (name != null) {
        names.add(name);
      }
    }
    names.sort(Comparator.comparingLong(Name::number).thenComparingLong(Name::generation));
    return names;
  }

  @Override
  public void forceNames(ChunkKind kind) throws IOException {
    device.forceDirectory(directory(domainDirectory, kind));
  }

  @Override
  public void delete(Name name) throws IOException {
    device.delete(path(name));
    if (name.sealed()) {
      deleteParity(name);
    }
  }

  // ---- beside sealed containers

  /** The path of what stands beside a container under another ending. */
  private String beside(Name name, String ending) {
    String path = path(name);
    return path.substring(0, path.length() - SEALED.length()) + ending;
  }

  private String path(Name name, Draft draft) {
    return beside(name, ending(draft) + DRAFT);
  }

  private static String ending(Draft draft) {
    return switch (draft) {
      case PARITY -> PARITY;
      case REPAIRED -> SEALED;
    };
  }

  @Override
  public StoredContainer createDraft(Name name, Draft draft) throws IOException {
    deleteDraft(name, draft);
    return new FileContainer(name, device.createBeside(path(name, draft), path(name)));
  }

  @Override
  public void keep(Name name, Draft draft) throws IOException {
    String from = path(name, draft);
    String to = beside(name, ending(draft));
    if (device.spread().isPresent() && !device.spread().get().isTogether(from, to)) {
      switch (draft) {
        case PARITY -> device.delete(to);
        case REPAIRED ->
            throw new IOException(to + " has been moved to another disk while it was repaired");
      }
    }
    device.rename(from, to);
  }

  @Override
  public void deleteDraft(Name name, Draft draft) throws IOException {
    deleteIfThere(path(name, draft));
  }

  @Override
  public StoredContainer openParity(Name name) throws IOException {
    return new FileContainer(name, device.open(beside(name, PARITY), false));
  }

  @Override
  public void deleteParity(Name name) throws IOException {
    deleteIfThere(beside(name, PARITY));
  }

  private void deleteIfThere(String path) throws IOException {
    if (device.exists(path)) {
      device.delete(path);
    }
  }

  @Override
  public Set<Name> tidy(ChunkKind kind, Set<Name> existing) throws IOException {
    Set<Name> covered = new HashSet<>();
    String directory = directory(domainDirectory, kind);
    for (String file : device.list(directory)) {
      boolean draft = file.endsWith(SEALED + DRAFT) || file.endsWith(PARITY + DRAFT);
      if (!draft && !file.endsWith(PARITY)) {
        continue;
      }
      Name name = parse(kind, file.substring(0, file.lastIndexOf('.')), true);
      if (!draft && existing.contains(name)) {
        covered.add(name);
      } else if (name != null) {
        device.delete(directory + "/" + file);
      }
    }
    return covered;
  }

  @Override
  public void settle(SchedulerLock replacing, Between between) throws IOException {
    if (device.spread().isEmpty() || !isUnsettled(false)) {
      return;
    }
    DiskSpread spread = device.spread().get();
    String directory = directory(domainDirectory, ChunkKind.DATA);
    for (String file : device.list(directory)) {
      if (file.endsWith(SEALED) || file.endsWith(PARITY)) {
        between.pause();
        replacing.lock();
        try {
          long ignored = spread.settle(directory + "/" + file);
        } catch (NoSuchFileException e) {
          if (file.endsWith(SEALED)) {
            throw e;
          }
          // The parity has been given up since the list was made.
        } finally {
          replacing.unlock();
        }
      }
    }
  }

  @Override
  public boolean isUnsettled(boolean onlyUnsealed) throws IOException {
    if (device.spread().isEmpty() || !device.spread().get().isUnsettled()) {
      return false;
    }
    String directory = directory(domainDirectory, ChunkKind.DATA);
    return device.spread().get().unsettled(directory).stream()
        .anyMatch(file -> !onlyUnsealed || file.endsWith(UNSEALED));
  }

  private final class FileContainer implements StoredContainer {
    private final Name name;
    private final DeviceFile file;

    FileContainer(Name name, DeviceFile file) {
      this.name = name;
      this.file = file;
    }

    @Override
    public String path() {
      return file.path();
    }

    @Override
    public void append(long positionBytes, ByteBuffer source) throws IOException {
      file.write(positionBytes, source);
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
    public void seal() throws IOException {
      file.force();
      Name sealed = new Name(name.kind(), name.number(), name.generation(), true);
      device.rename(DeviceContainerStore.this.path(name), DeviceContainerStore.this.path(sealed));
      forceNames(name.kind());
    }

    @Override
    public void readFully(long positionBytes, ByteBuffer target) throws IOException {
      file.readFully(positionBytes, target);
    }

    @Override
    public void willRead(long positionBytes, int lengthBytes) throws IOException {
      file.willRead(positionBytes, lengthBytes);
    }

    @Override
    public long sizeBytes() throws IOException {
      return file.sizeBytes();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
