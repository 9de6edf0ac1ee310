package onefold.store.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import onefold.store.CorruptDataException;
import onefold.store.DiskRecord;
import onefold.store.DiskRole;
import onefold.store.Disks;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreFullException;
import org.jspecify.annotations.Nullable;

/**
 * A data directory whose files lie on several disks: the main one, and those that its list names.
 * Containers of data are shared by all disks that take them; an index and the journal have one disk
 * each, or lie on the main one, as does everything else. Where a file lies is found by looking, so
 * there is no table that could be wrong.
 *
 * <p>A disk on the list that is not there, or is another one, refuses the start: its containers
 * would be taken for lost.
 */
public final class SpreadDevice implements Device, DiskSpread {
  /** The list of disks, in the data directory; made when the first is added. */
  public static final String LIST = DiskList.FILE;

  private static final String MOVING = ".moving";
  private static final String NEW = ".new";
  private static final int COPY_BYTES = 1 << 20;

  /** Opens the directory that a disk is. */
  @FunctionalInterface
  public interface Opener {
    /**
     * Opens one.
     *
     * @param path absolute
     * @param probed whether it is to be tried first, see {@link FileDevice#probe}
     * @throws java.nio.file.NotDirectoryException if it is none
     */
    Device open(String path, boolean probed) throws IOException;
  }

  private record Disk(DiskList.Entry entry, Device device) {}

  /**
   * What is there now.
   *
   * @param list as it stands in the file; null if there is none
   * @param disks those of the list that files may lie on
   */
  private record State(@Nullable DiskList list, List<Disk> disks) {
    boolean mainTakes() {
      return list == null || list.mainTakes();
    }

    List<DiskList.Entry> entries() {
      return list == null ? List.of() : list.entries();
    }

    /** The list, or an empty one for a directory. */
    DiskList listOr(Id directoryId) {
      return list == null ? new DiskList(directoryId, true, List.of()) : list;
    }
  }

  private final Device main;
  private final Opener opener;
  private final long reserveBytes;
  private final AtomicLong moves = new AtomicLong();
  private volatile State state;

  /**
   * Opens a data directory with all its disks.
   *
   * @param reserveBytes so much is left free on each disk, and a file is placed elsewhere
   * @throws IOException if a disk is not there or is another one; the message names it and says
   *     what to do
   * @throws CorruptDataException if the list cannot be understood
   */
  public SpreadDevice(Device main, Opener opener, long reserveBytes) throws IOException {
    this.main = main;
    this.opener = opener;
    this.reserveBytes = reserveBytes;
    this.state = read();
  }

  /**
   * Opens a data directory of the operating system.
   *
   * @param onFatal as in {@link FileDevice}, for each disk
   * @throws NotDirectoryException if it is none
   */
  public static SpreadDevice ofFiles(
      Path directory, Consumer<DeviceForceException> onFatal, long reserveBytes)
      throws IOException {
    return new SpreadDevice(
        new FileDevice(directory, onFatal),
        (path, probed) -> {
          FileDevice disk = new FileDevice(Path.of(path), onFatal);
          if (probed) {
            disk.probe();
          }
          return disk;
        },
        reserveBytes);
  }

  private State read() throws IOException {
    if (!main.exists(DiskList.FILE)) {
      return new State(null, List.of());
    }
    DiskList list = DiskList.decode(content(main, DiskList.FILE, DiskList.MAX_FILE_BYTES));
    List<Disk> disks = new ArrayList<>();
    for (DiskList.Entry entry : list.entries()) {
      disks.add(new Disk(entry, opened(list, entry)));
    }
    return new State(list, List.copyOf(disks));
  }

  private Device opened(DiskList list, DiskList.Entry entry) throws IOException {
    String found;
    try {
      Device device = opener.open(entry.path(), false);
      byte[] marker = content(device, DiskList.MARKER, DiskList.MAX_FILE_BYTES);
      Optional<String> wrong = DiskList.wrongMarker(list.directoryId(), entry.id(), marker);
      if (wrong.isEmpty()) {
        return device;
      }
      found = "its file " + DiskList.MARKER + " says: " + wrong.get();
    } catch (NoSuchFileException e) {
      found = "there is no file " + DiskList.MARKER;
    } catch (IOException e) {
      found = String.valueOf(e);
    }
    throw new IOException(
        "disk "
            + entry.id()
            + " of this data directory is not at "
            + entry.path()
            + " ("
            + found
            + "); mount it there, or write where it is now into the file "
            + DiskList.FILE
            + " of the data directory");
  }

  private static byte[] content(Device device, String path, int mostBytes) throws IOException {
    try (DeviceFile file = device.open(path, false)) {
      long size = file.sizeBytes();
      if (size > mostBytes) {
        throw new CorruptDataException(path, 0, "at most " + mostBytes + " bytes", size + " bytes");
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) size);
      file.readFully(0, bytes);
      return bytes.array();
    }
  }

  // ---- where a file belongs

  /** What a path of the data directory is for; null if it always lies on the main disk. */
  private static @Nullable DiskRole roleOf(String path) {
    String inside = path;
    if (inside.startsWith("before-rebuild")) { // What lies there stays on the disk it was on.
      int slash = inside.indexOf('/');
      inside = slash < 0 ? "" : inside.substring(slash + 1);
    }
    if (inside.equals("journal") || inside.startsWith("journal/")) {
      return DiskRole.JOURNAL;
    }
    String[] parts = inside.split("/", 4);
    if (parts.length < 3 || !parts[0].equals("domains")) {
      return null;
    }
    return switch (parts[2]) {
      case "data" -> DiskRole.DATA;
      case "index" -> DiskRole.INDEX;
      default -> null;
    };
  }

  /** The disks that a path may lie on: the main one first. */
  private List<Device> devices(State now, String path) {
    if (now.disks().isEmpty()) {
      return List.of(main);
    }
    DiskRole role = roleOf(path);
    List<Device> devices = new ArrayList<>();
    devices.add(main);
    for (Disk each : now.disks()) {
      if (each.entry().role() == role) {
        devices.add(each.device());
      }
    }
    return devices;
  }

  /** The disk that a file or directory lies on, or null. */
  private @Nullable Device holder(String path) throws IOException {
    while (true) {
      long seen = moves.get();
      for (Device each : devices(state, path)) {
        if (each.exists(path)) {
          return each;
        }
      }
      if (moves.get() == seen) {
        return null; // Else it may have been moved to where we had looked.
      }
    }
  }

  private Device holderOrThrow(String path) throws IOException {
    Device holder = holder(path);
    if (holder == null) {
      throw new NoSuchFileException(path);
    }
    return holder;
  }

  /** The disk for a new file. */
  private Device place(String path, long bytes) throws IOException {
    State now = state;
    DiskRole role = roleOf(path);
    if (now.disks().isEmpty() || role == null) {
      return main;
    }
    if (role != DiskRole.DATA) {
      for (Disk each : now.disks()) {
        if (each.entry().role() == role && each.entry().takes()) {
          return each.device();
        }
      }
      return main;
    }
    Device best = null;
    long most = -1;
    for (Device each : takers(now)) {
      long room = each.freeBytes() - reserveBytes - bytes;
      if (room > most) {
        most = room;
        best = each;
      }
    }
    if (best == null) {
      throw new StoreFullException(
          path
              + ": no disk that takes data has "
              + bytes
              + " bytes beside the reserve of "
              + reserveBytes
              + "; add one with 'disk add'");
    }
    return best;
  }

  private List<Device> takers(State now) {
    List<Device> takers = new ArrayList<>();
    if (now.mainTakes()) {
      takers.add(main);
    }
    for (Disk each : now.disks()) {
      if (each.entry().role() == DiskRole.DATA && each.entry().takes()) {
        takers.add(each.device());
      }
    }
    return takers;
  }

  /** Makes a directory on a disk that may lack it, durably. */
  private static void ensure(Device device, String directory) throws IOException {
    if (device.exists(directory)) {
      return;
    }
    device.createDirectories(directory);
    for (String above = directory; !above.isEmpty(); ) {
      above = DevicePaths.parent(above);
      device.forceDirectory(above);
    }
  }

  // ---- the device

  @Override
  public DeviceFile create(String path) throws IOException {
    while (true) {
      Device target = place(path, 0);
      if (target.equals(main)) {
        return main.create(path);
      }
      if (holder(path) != null) {
        throw new FileAlreadyExistsException(path);
      }
      ensure(target, DevicePaths.parent(path));
      DeviceFile file = target.create(path);
      if (devices(state, path).contains(target)) {
        return file;
      }
      file.close(); // The disk has left meanwhile.
      target.delete(path);
    }
  }

  @Override
  public DeviceFile createBeside(String path, String other) throws IOException {
    while (true) {
      Device target = holderOrThrow(other);
      if (holder(path) != null) {
        throw new FileAlreadyExistsException(path);
      }
      DeviceFile file;
      try {
        file = target.create(path);
      } catch (NoSuchFileException e) {
        if (devices(state, path).contains(target)) {
          throw e;
        }
        continue; // The disk has left meanwhile.
      }
      if (devices(state, path).contains(target)) {
        return file;
      }
      file.close();
      target.delete(path);
    }
  }

  @Override
  public DeviceFile open(String path, boolean writable) throws IOException {
    while (true) {
      long seen = moves.get();
      NoSuchFileException none = null;
      for (Device each : devices(state, path)) {
        try {
          return each.open(path, writable);
        } catch (NoSuchFileException e) {
          none = none == null ? e : none;
        }
      }
      if (moves.get() == seen) {
        throw none == null ? new NoSuchFileException(path) : none;
      }
    }
  }

  @Override
  public boolean exists(String path) throws IOException {
    return holder(path) != null;
  }

  @Override
  public List<String> list(String directory) throws IOException {
    List<Device> devices = devices(state, directory);
    if (devices.size() == 1) {
      return main.list(directory);
    }
    Set<String> names = new TreeSet<>();
    boolean found = false;
    for (Device each : devices) {
      try {
        names.addAll(each.list(directory));
        found = true;
      } catch (NoSuchFileException e) {
        // Not on this disk, or no longer: a drain that ends deletes what it has emptied.
      }
    }
    if (!found) {
      throw new NoSuchFileException(directory);
    }
    names.removeIf(name -> name.endsWith(MOVING));
    return List.copyOf(names);
  }

  @Override
  public void createDirectories(String directory) throws IOException {
    main.createDirectories(directory);
  }

  @Override
  public void rename(String from, String to) throws IOException {
    boolean found = false;
    for (Device each : devices(state, from)) {
      if (!each.exists(from)) {
        continue;
      }
      found = true;
      if (!each.equals(main)) {
        if (roleOf(from) != roleOf(to)) {
          throw new IOException(from + " cannot become " + to + ": it would lie on another disk");
        }
        ensure(each, DevicePaths.parent(to));
      }
      each.rename(from, to);
    }
    if (!found) {
      throw new NoSuchFileException(from);
    }
  }

  @Override
  public void delete(String path) throws IOException {
    boolean found = false;
    for (Device each : devices(state, path)) {
      if (each.exists(path)) {
        each.delete(path);
        found = true;
      }
    }
    if (!found) {
      throw new NoSuchFileException(path);
    }
  }

  @Override
  public void forceDirectory(String directory) throws IOException {
    List<Device> devices = devices(state, directory);
    for (Device each : devices) {
      try {
        each.forceDirectory(directory);
      } catch (NoSuchFileException e) {
        if (devices.size() == 1) {
          throw e;
        } // Not on this disk, or no longer: a drain that ends deletes what it has emptied.
      }
    }
  }

  /**
   * Bytes that can still be written: those of all disks that take data, each counted without its
   * reserve, and one reserve; those of the main disk if it has no reserve left, because the names
   * need it.
   */
  @Override
  public long freeBytes() throws IOException {
    State now = state;
    long mainBytes = main.freeBytes();
    if (now.disks().isEmpty() || mainBytes < reserveBytes) {
      return mainBytes;
    }
    long sum = reserveBytes;
    Set<Object> counted = new HashSet<>();
    for (Device each : takers(now)) {
      if (counted.add(each.volume())) {
        sum += Math.max(0, each.freeBytes() - reserveBytes);
      }
    }
    return sum;
  }

  @Override
  public long sizeBytes(String path) throws IOException {
    while (true) {
      long seen = moves.get();
      Device holder = holderOrThrow(path);
      try {
        return holder.sizeBytes(path);
      } catch (NoSuchFileException e) {
        if (moves.get() == seen) {
          throw e;
        }
      }
    }
  }

  @Override
  public DeviceLock lock(String path) throws IOException {
    return main.lock(path);
  }

  @Override
  public Object volume() {
    return main.volume();
  }

  @Override
  public Optional<DiskSpread> spread() {
    return Optional.of(this);
  }

  // ---- the disks

  @Override
  public void begin() throws IOException {
    State now = state;
    if (now.list() == null) {
      return;
    }
    if (main.exists(DiskList.FILE + NEW)) {
      main.delete(DiskList.FILE + NEW);
    }
    List<Device> data = new ArrayList<>(takers(now));
    if (!now.mainTakes()) {
      data.add(main);
    }
    for (Disk each : now.disks()) {
      if (each.entry().role() == DiskRole.DATA && !each.entry().takes()) {
        data.add(each.device());
      }
    }
    for (String directory : directories(DiskRole.DATA)) {
      dropRemains(data, directory);
    }
    for (Disk each : now.disks()) {
      if (each.entry().role() != DiskRole.DATA) {
        bring(each);
      }
    }
    finish();
  }

  /** Directories of a role, wherever they are. */
  private List<String> directories(DiskRole role) throws IOException {
    Set<String> found = new TreeSet<>();
    List<Device> devices = new ArrayList<>(List.of(main));
    state.disks().forEach(each -> devices.add(each.device()));
    for (Device each : devices) {
      if (role == DiskRole.JOURNAL) {
        if (each.exists("journal")) {
          found.add("journal");
        }
      } else {
        String last = role == DiskRole.DATA ? "/data" : "/index";
        for (String domain : listed(each, "domains")) {
          if (each.exists("domains/" + domain + last)) {
            found.add("domains/" + domain + last);
          }
        }
      }
    }
    return List.copyOf(found);
  }

  /** What is in a directory; nothing if it does not exist, or a drain that ends deletes it now. */
  private static List<String> listed(Device device, String directory) throws IOException {
    try {
      return device.list(directory);
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  /**
   * Deletes what a move that was cut off has left: copies that were not finished, and of a file
   * that is there twice, which are equal, the one on the disk that it was moved from.
   *
   * @param devices those that take files first
   */
  private static void dropRemains(List<Device> devices, String directory) throws IOException {
    Set<String> seen = new HashSet<>();
    for (Device each : devices) {
      if (!each.exists(directory)) {
        continue;
      }
      boolean deleted = false;
      each.forceDirectory(directory); // Before what is moved is deleted where it was.
      for (String name : each.list(directory)) {
        if (name.endsWith(MOVING) || !seen.add(name)) {
          each.delete(directory + "/" + name);
          deleted = true;
        }
      }
      if (deleted) {
        each.forceDirectory(directory);
      }
    }
  }

  /** Moves the files of an index or a journal to its disk, or back from it. */
  private void bring(Disk disk) throws IOException {
    Device from = disk.entry().takes() ? main : disk.device();
    Device to = disk.entry().takes() ? disk.device() : main;
    for (String directory : directories(disk.entry().role())) {
      ensure(to, directory);
      for (Device each : List.of(from, to)) {
        if (each.exists(directory)) {
          for (String name : each.list(directory)) {
            if (name.endsWith(MOVING)) {
              each.delete(directory + "/" + name);
            }
          }
        }
      }
      if (from.exists(directory)) {
        for (String name : from.list(directory)) {
          String path = directory + "/" + name;
          if (to.exists(path)) { // Moved, and cut off before it was deleted.
            to.forceDirectory(directory);
            from.delete(path);
            from.forceDirectory(directory);
          } else {
            move(path, from, to);
          }
        }
      }
    }
  }

  @Override
  public List<DiskRecord> list() throws IOException {
    State now = state;
    List<DiskRecord> records = new ArrayList<>();
    records.add(record(Disks.MAIN, DiskRole.DATA, "", now.mainTakes(), main));
    for (DiskList.Entry entry : now.entries()) {
      records.add(record(now, entry));
    }
    return records;
  }

  private DiskRecord record(State now, DiskList.Entry entry) throws IOException {
    Disk active = active(now, entry.id());
    return active == null
        ? new DiskRecord(entry.id(), entry.role(), entry.path(), entry.takes(), true, 0, 0, 0)
        : record(entry.id(), entry.role(), entry.path(), entry.takes(), active.device());
  }

  private DiskRecord record(Id id, DiskRole role, String path, boolean takes, Device device)
      throws IOException {
    long count = 0;
    long bytes = 0;
    for (String directory : directories(role)) {
      for (String name : listed(device, directory)) {
        try {
          bytes += device.sizeBytes(directory + "/" + name);
          count++;
        } catch (NoSuchFileException e) {
          // Deleted or moved since the list was made.
        }
      }
    }
    return new DiskRecord(id, role, path, takes, false, device.freeBytes(), count, bytes);
  }

  private static @Nullable Disk active(State now, Id id) {
    for (Disk each : now.disks()) {
      if (each.entry().id().equals(id)) {
        return each;
      }
    }
    return null;
  }

  @Override
  public DiskRecord add(Id directoryId, Id diskId, String path, DiskRole role) throws IOException {
    State now = state;
    if (!path.startsWith("/") || path.contains("\n")) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          "'" + path + "' is no absolute path of one line; name the directory from / on");
    }
    for (DiskList.Entry each : now.entries()) {
      if (role != DiskRole.DATA && each.role() == role) {
        throw new RefusedException(
            Reason.EXISTS, each.path() + " is there for it already; drain that first");
      }
    }
    if (now.entries().size() >= Disks.MAX_DISKS) {
      throw new RefusedException(
          Reason.INVALID_REQUEST, "there are " + Disks.MAX_DISKS + " disks, which is the most");
    }
    Device device;
    try {
      device = opener.open(path, true);
    } catch (NotDirectoryException e) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          path + " is no directory that exists; mount the disk and make it");
    }
    DiskList list = now.listOr(directoryId);
    checkEmpty(device, path, list);
    write(device, DiskList.MARKER, DiskList.marker(list.directoryId(), diskId));
    DiskList.Entry entry = new DiskList.Entry(diskId, role, true, path);
    List<DiskList.Entry> entries = new ArrayList<>(list.entries());
    entries.add(entry);
    DiskList next = list.with(list.mainTakes(), entries);
    write(main, DiskList.FILE, next.encode());
    List<Disk> disks = new ArrayList<>(now.disks());
    if (role == DiskRole.DATA) {
      disks.add(new Disk(entry, device));
    }
    State then = new State(next, List.copyOf(disks));
    state = then;
    return record(then, entry);
  }

  /**
   * Refuses a directory that holds more than what an addition or a removal that was cut off left.
   */
  private static void checkEmpty(Device device, String path, DiskList list) throws IOException {
    for (String name : device.list("")) {
      boolean usable =
          switch (name) {
            case "lost+found", DiskList.MARKER + NEW -> true; // Every new ext4 has the first.
            case DiskList.MARKER -> {
              Optional<Id> known =
                  DiskList.markedDisk(
                      list.directoryId(),
                      content(device, DiskList.MARKER, DiskList.MAX_FILE_BYTES));
              if (known.isEmpty()
                  || list.entries().stream().anyMatch(e -> e.id().equals(known.get()))) {
                throw new RefusedException(
                    Reason.EXISTS,
                    path + " is a disk of a data directory already; name an empty directory");
              }
              yield true;
            }
            case "domains", "journal" -> holdsNoFile(device, name);
            default -> false;
          };
      if (!usable) {
        throw new RefusedException(
            Reason.INVALID_REQUEST,
            path + " is not empty: it holds '" + name + "'; name an empty directory");
      }
    }
  }

  private static boolean holdsNoFile(Device device, String directory) throws IOException {
    List<String> names;
    try {
      names = device.list(directory);
    } catch (NotDirectoryException e) {
      return false;
    }
    for (String name : names) {
      if (!holdsNoFile(device, directory + "/" + name)) {
        return false;
      }
    }
    return true;
  }

  /** Deletes the directories of a disk that has left, which are empty. */
  private static void clear(Device device, String directory) throws IOException {
    if (device.exists(directory)) {
      for (String name : device.list(directory)) {
        clear(device, directory + "/" + name);
      }
      device.delete(directory);
    }
  }

  @Override
  public void drain(Id directoryId, Id diskId, boolean draining) throws IOException {
    State now = state;
    DiskList list = now.listOr(directoryId);
    boolean isMain = diskId.equals(Disks.MAIN);
    boolean found = isMain;
    boolean data = isMain;
    List<DiskList.Entry> entries = new ArrayList<>();
    for (DiskList.Entry each : list.entries()) {
      boolean this_ = each.id().equals(diskId);
      found |= this_;
      data |= this_ && each.role() == DiskRole.DATA;
      entries.add(this_ ? each.with(!draining) : each);
    }
    if (!found) {
      throw new RefusedException(
          Reason.NOT_FOUND, "there is no disk " + diskId + "; 'disk ls' shows them");
    }
    DiskList next = list.with(isMain ? !draining : list.mainTakes(), entries);
    if (data
        && !next.mainTakes()
        && next.entries().stream().noneMatch(e -> e.role() == DiskRole.DATA && e.takes())) {
      throw new RefusedException(
          Reason.INVALID_REQUEST, "no other disk takes data; add one first with 'disk add'");
    }
    write(main, DiskList.FILE, next.encode());
    List<Disk> disks = new ArrayList<>();
    for (Disk each : now.disks()) {
      boolean index = each.entry().role() != DiskRole.DATA;
      DiskList.Entry entry =
          next.entries().stream()
              .filter(e -> e.id().equals(each.entry().id()))
              .findFirst()
              .orElseThrow();
      // The disk of an index or a journal stays as it is until the next start.
      disks.add(index ? each : new Disk(entry, each.device()));
    }
    state = new State(next, List.copyOf(disks));
  }

  /** Writes a small file anew: the old content or the new stays, whatever happens. */
  private static void write(Device device, String path, byte[] bytes) throws IOException {
    String fresh = path + NEW;
    if (device.exists(fresh)) {
      device.delete(fresh);
    }
    try (DeviceFile file = device.create(fresh)) {
      file.write(0, ByteBuffer.wrap(bytes));
      file.force();
    }
    device.rename(fresh, path);
    device.forceDirectory("");
  }

  @Override
  public boolean isUnsettled() {
    State now = state;
    return !now.mainTakes()
        || now.disks().stream()
            .anyMatch(e -> e.entry().role() == DiskRole.DATA && !e.entry().takes());
  }

  @Override
  public List<String> unsettled(String directory) throws IOException {
    List<String> names = new ArrayList<>();
    for (Device each : leaving(state)) {
      names.addAll(listed(each, directory));
    }
    return names;
  }

  /** Disks from which containers of data are moved. */
  private List<Device> leaving(State now) {
    List<Device> leaving = new ArrayList<>();
    if (!now.mainTakes()) {
      leaving.add(main);
    }
    for (Disk each : now.disks()) {
      if (each.entry().role() == DiskRole.DATA && !each.entry().takes()) {
        leaving.add(each.device());
      }
    }
    return leaving;
  }

  @Override
  public boolean isTogether(String path, String other) throws IOException {
    Device one = holder(path);
    Device two = holder(other);
    return one == null || two == null || one.equals(two);
  }

  @Override
  public long settle(String path) throws IOException {
    Device from = holderOrThrow(path);
    if (roleOf(path) != DiskRole.DATA || !leaving(state).contains(from)) {
      return 0;
    }
    long bytes = from.sizeBytes(path);
    Device to = place(path, bytes);
    ensure(to, DevicePaths.parent(path));
    move(path, from, to);
    return bytes;
  }

  /**
   * Copies, reads the copy back, and deletes: the file is whole on one of the disks at any time.
   */
  private void move(String path, Device from, Device to) throws IOException {
    String directory = DevicePaths.parent(path);
    String copy = path + MOVING;
    if (to.exists(copy)) {
      to.delete(copy);
    }
    boolean done = false;
    try {
      long expected;
      long found;
      try (DeviceFile source = from.open(path, false);
          DeviceFile target = to.create(copy)) {
        expected = copy(source, target);
        target.force();
        found = copy(target, null);
      }
      if (expected != found) {
        throw new CorruptDataException(
            copy, 0, "a copy with CRC32C " + expected, Long.toString(found));
      }
      to.rename(copy, path);
      to.forceDirectory(directory);
      done = true;
    } finally {
      if (!done && to.exists(copy)) {
        to.delete(copy);
      }
    }
    moves.incrementAndGet();
    from.delete(path);
    moves.incrementAndGet();
    from.forceDirectory(directory);
  }

  private static long copy(DeviceFile source, @Nullable DeviceFile target) throws IOException {
    CRC32C sum = new CRC32C();
    ByteBuffer buffer = ByteBuffer.allocate(COPY_BYTES);
    long at = 0;
    while (source.read(at, buffer.clear()) > 0) {
      buffer.flip();
      sum.update(buffer.duplicate());
      int length = buffer.remaining();
      if (target != null) {
        target.write(at, buffer);
      }
      at += length;
    }
    return sum.getValue();
  }

  @Override
  public List<String> finish() throws IOException {
    State now = state;
    DiskList list = now.list();
    if (list == null) {
      return List.of();
    }
    List<Disk> leave = new ArrayList<>(now.disks());
    leave.removeIf(each -> each.entry().takes());
    for (Disk each : List.copyOf(leave)) {
      if (holdsAny(each)) {
        leave.remove(each);
      }
    }
    if (leave.isEmpty()) {
      return List.of();
    }
    List<Disk> stay = new ArrayList<>(now.disks());
    stay.removeAll(leave);
    // First: whoever made a file on such a disk sees that it has left, or is seen here.
    state = new State(list, List.copyOf(stay));
    for (Disk each : leave) {
      if (holdsAny(each)) {
        state = now;
        return List.of();
      }
    }
    List<DiskList.Entry> entries = new ArrayList<>(list.entries());
    leave.forEach(each -> entries.remove(each.entry()));
    DiskList next = list.with(list.mainTakes(), entries);
    write(main, DiskList.FILE, next.encode());
    state = new State(next, List.copyOf(stay));
    List<String> paths = new ArrayList<>();
    for (Disk each : leave) {
      clear(each.device(), "domains");
      clear(each.device(), "journal");
      each.device().delete(DiskList.MARKER);
      each.device().forceDirectory("");
      paths.add(each.entry().path());
    }
    return paths;
  }

  private boolean holdsAny(Disk disk) throws IOException {
    for (String directory : directories(disk.entry().role())) {
      if (disk.device().exists(directory) && !disk.device().list(directory).isEmpty()) {
        return true;
      }
    }
    return false;
  }
}
