package onefold.store.simulation;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;
import onefold.store.StoreFullException;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DeviceForceException;
import onefold.store.device.DeviceLock;
import onefold.store.device.DevicePaths;
import onefold.store.device.DirectoryInUseException;
import org.jspecify.annotations.Nullable;

/**
 * A disk in memory that keeps apart what was forced and what was not.
 *
 * <p>Each file has the content that its users see and the content that is durable; each directory
 * likewise has names that are seen and names that are durable. What was done since stands in a list
 * of pending changes, in order. {@link #crash} builds a new device from the durable state and a
 * choice of the pending changes, torn where the {@link CrashModel} says so; the old device goes on,
 * so that thousands of states can be made of one. Contents share pages until they are written.
 *
 * <p>With a {@link SimulatedScheduler} each call is a point where another task may run, also in the
 * middle of a force: what is written meanwhile is not covered by it.
 */
public final class SimulatedDevice implements Device {
  static final int SECTOR_BYTES = 512;

  /** What a device holds when nothing else is said. */
  public static final long DEFAULT_CAPACITY_BYTES = 1L << 40;

  private final ReentrantLock guard = new ReentrantLock();
  private final @Nullable SimulatedScheduler scheduler;
  private final SeamTrace trace;
  private final SplittableRandom random;
  private final DirectoryNode root; // this and all below: guarded by guard
  private final Set<Node> locked = new HashSet<>();
  private final Map<DeviceCall.Kind, Long> callCounts = new EnumMap<>(DeviceCall.Kind.class);
  private List<Pending> pending = new ArrayList<>();
  private Faults faults = Faults.none();
  private Runnable afterEachChange = () -> {};
  private boolean insideHook;
  private long capacityBytes = DEFAULT_CAPACITY_BYTES;
  private long usedBytes;
  private long sequence;
  private long committedSequence;
  private long callCount;
  private boolean dead;
  private @Nullable DeviceForceException failedForce;

  /** An empty device without a scheduler, for any threads. */
  public SimulatedDevice() {
    this(new DirectoryNode(), null, new SeamTrace(), 0);
  }

  /** An empty device for the tasks of a scheduler, in whose trace its calls are recorded. */
  public SimulatedDevice(SimulatedScheduler scheduler) {
    this(new DirectoryNode(), scheduler, scheduler.trace(), scheduler.seed());
  }

  private SimulatedDevice(
      DirectoryNode root, @Nullable SimulatedScheduler scheduler, SeamTrace trace, long seed) {
    this.root = root;
    this.scheduler = scheduler;
    this.trace = trace;
    this.random = new SplittableRandom(seed ^ 0x64697363L);
    var seen = new HashSet<Node>();
    seen.add(root);
    usedBytes = countBytes(root, seen);
  }

  private static long countBytes(DirectoryNode directory, Set<Node> seen) {
    long bytes = 0;
    for (Node node : directory.names.values()) {
      node.linkCount++;
      if (seen.add(node)) {
        bytes +=
            switch (node) {
              case FileNode file -> file.content.sizeBytes();
              case DirectoryNode below -> countBytes(below, seen);
            };
      }
    }
    return bytes;
  }

  // ---- control of the simulation

  /** Sets what goes wrong from now on. */
  public void setFaults(Faults faults) {
    this.faults = faults;
  }

  /** Sets how many bytes the files may have in sum before writes are refused as full. */
  public void setCapacityBytes(long capacityBytes) {
    this.capacityBytes = capacityBytes;
  }

  /** Bytes of all files, those included that are deleted and still open. */
  public long usedBytes() {
    return usedBytes;
  }

  /** Bytes of files that have no name any more and are still open. */
  public long unlinkedBytes() {
    guard.lock();
    try {
      return usedBytes - namedBytes(root, new HashSet<>());
    } finally {
      guard.unlock();
    }
  }

  private static long namedBytes(DirectoryNode directory, Set<Node> seen) {
    long bytes = 0;
    for (Node node : directory.names.values()) {
      if (seen.add(node)) {
        bytes +=
            switch (node) {
              case FileNode file -> file.content.sizeBytes();
              case DirectoryNode below -> namedBytes(below, seen);
            };
      }
    }
    return bytes;
  }

  /** Number of calls so far, of all kinds. */
  public long callCount() {
    return callCount;
  }

  /** Number of calls of one kind so far. */
  public long callCount(DeviceCall.Kind kind) {
    return callCounts.getOrDefault(kind, 0L);
  }

  /** Number of changes that nothing has forced yet. */
  public int pendingCount() {
    return pending.size();
  }

  /**
   * Sets what runs after each call that changes something, on the caller's thread; it may take
   * crash states of this device. This is the exhaustive mode: the states after operation k, for
   * every k.
   */
  public void afterEachChange(Runnable hook) {
    this.afterEachChange = hook;
  }

  /** Takes the power away: from now on every call throws {@link SimulatedCrash}. */
  public void kill() {
    dead = true;
  }

  /** A state that a power loss now may leave; model and choices follow from the seed. */
  public SimulatedDevice crash(long seed) {
    CrashModel[] models = CrashModel.values();
    return crash(models[new SplittableRandom(seed).nextInt(models.length)], seed, null);
  }

  /** A state that a power loss now may leave, for the tasks of a new scheduler. */
  public SimulatedDevice crash(long seed, SimulatedScheduler next) {
    CrashModel[] models = CrashModel.values();
    return crash(models[new SplittableRandom(seed).nextInt(models.length)], seed, next);
  }

  /** A state that a power loss now may leave by one model. */
  public SimulatedDevice crash(CrashModel model, long seed) {
    return crash(model, seed, null);
  }

  /** A state that a power loss now may leave by one model, for the tasks of a new scheduler. */
  public SimulatedDevice crash(CrashModel model, long seed, @Nullable SimulatedScheduler next) {
    guard.lock();
    try {
      var copies = new HashMap<Node, Node>();
      var newRoot = (DirectoryNode) durableCopy(root, copies);
      new CrashState(model, new SplittableRandom(seed * 31 + 17), copies)
          .apply(pending, committedSequence);
      for (Node node : copies.values()) {
        node.freeze();
      }
      var device =
          new SimulatedDevice(newRoot, next, next == null ? new SeamTrace() : next.trace(), seed);
      device.capacityBytes = capacityBytes;
      return device;
    } finally {
      guard.unlock();
    }
  }

  /** A copy of everything, pending changes included, without open files, locks and faults. */
  public SimulatedDevice fork() {
    return fork(null);
  }

  /**
   * What the end of a process leaves, for the tasks of a new scheduler: everything that was written
   * is seen, and what was not forced can still be lost by a power loss later on.
   */
  public SimulatedDevice fork(@Nullable SimulatedScheduler next) {
    guard.lock();
    try {
      var copies = new HashMap<Node, Node>();
      var newRoot = (DirectoryNode) fullCopy(root, copies);
      var device =
          new SimulatedDevice(
              newRoot, next, next == null ? new SeamTrace() : next.trace(), callCount);
      for (Pending change : pending) {
        device.pending.add(change.moved(node -> fullCopy(node, copies)));
      }
      device.sequence = sequence;
      device.committedSequence = committedSequence;
      device.capacityBytes = capacityBytes;
      return device;
    } finally {
      guard.unlock();
    }
  }

  // ---- damage at rest: done to what is seen and to what is durable

  /** Turns one bit over. */
  public void flipBit(String path, long positionBytes, int bit) throws IOException {
    byte[] one = new byte[1];
    FileNode file = fileNode(path);
    file.content.read(positionBytes, ByteBuffer.wrap(one));
    one[0] ^= (byte) (1 << bit);
    overwriteAtRest(path, positionBytes, one);
  }

  /** Puts zeros over whole sectors, as far as the file has them. */
  public void zeroSectors(String path, long firstSector, int count) throws IOException {
    long start = firstSector * SECTOR_BYTES;
    long end = Math.min(start + (long) count * SECTOR_BYTES, fileNode(path).content.sizeBytes());
    if (end > start) {
      overwriteAtRest(path, start, new byte[Math.toIntExact(end - start)]);
    }
  }

  /** Puts other bytes in place, within the file. */
  public void overwriteAtRest(String path, long positionBytes, byte[] bytes) throws IOException {
    guard.lock();
    try {
      FileNode file = fileNode(path);
      if (positionBytes + bytes.length > file.content.sizeBytes()) {
        throw new IllegalArgumentException(
            path + " has no " + bytes.length + " bytes at " + positionBytes);
      }
      file.content.write(positionBytes, bytes, 0, bytes.length);
      int durableLength = Math.clamp(file.durable.sizeBytes() - positionBytes, 0, bytes.length);
      file.durable.write(
          Math.min(positionBytes, file.durable.sizeBytes()), bytes, 0, durableLength);
    } finally {
      guard.unlock();
    }
  }

  /** Cuts a file off. */
  public void truncateAtRest(String path, long sizeBytes) throws IOException {
    guard.lock();
    try {
      FileNode file = fileNode(path);
      long before = file.content.sizeBytes();
      file.content.resize(Math.min(sizeBytes, before));
      file.durable.resize(Math.min(sizeBytes, file.durable.sizeBytes()));
      usedBytes -= before - file.content.sizeBytes();
    } finally {
      guard.unlock();
    }
  }

  /** Takes a file away. */
  public void deleteAtRest(String path) throws IOException {
    guard.lock();
    try {
      FileNode file = fileNode(path);
      DirectoryNode directory = directoryNode(DevicePaths.parent(path));
      unlink(directory, DevicePaths.name(path), file);
      if (directory.durableNames.containsKey(DevicePaths.name(path))) {
        directory.durableNames = new TreeMap<>(directory.durableNames);
        directory.durableNames.remove(DevicePaths.name(path));
      }
    } finally {
      guard.unlock();
    }
  }

  /** The whole content of a file, as its users see it; no call of the device, no fault. */
  public byte[] peek(String path) throws IOException {
    guard.lock();
    try {
      FileNode file = fileNode(path);
      ByteBuffer content = ByteBuffer.allocate(Math.toIntExact(file.content.sizeBytes()));
      file.content.read(0, content);
      return content.array();
    } finally {
      guard.unlock();
    }
  }

  /** Paths of all files, in order; no call of the device, no fault. */
  public List<String> files() {
    guard.lock();
    try {
      var paths = new ArrayList<String>();
      collect(root, "", paths);
      return paths;
    } finally {
      guard.unlock();
    }
  }

  private static void collect(DirectoryNode directory, String prefix, List<String> paths) {
    directory.names.forEach((name, node) -> {
      switch (node) {
        case FileNode file -> paths.add(prefix + name);
        case DirectoryNode below -> collect(below, prefix + name + "/", paths);
      }
    });
  }

  // ---- Device

  @Override
  public DeviceFile create(String path) throws IOException {
    Faults.Outcome outcome = enter(DeviceCall.Kind.CREATE, path, 0, 0);
    OpenFile open;
    guard.lock();
    try {
      refuse(outcome, path, true);
      DirectoryNode directory = directoryNode(DevicePaths.parent(path));
      String name = DevicePaths.name(path);
      if (directory.names.containsKey(name)) {
        throw new FileAlreadyExistsException(path);
      }
      var file = new FileNode();
      link(directory, name, file);
      pending.add(new Pending.Link(++sequence, directory, name, file));
      open = new OpenFile(path, file, true);
    } finally {
      guard.unlock();
    }
    leave(DeviceCall.Kind.CREATE, path, 0, outcome);
    return open;
  }

  @Override
  public DeviceFile open(String path, boolean writable) throws IOException {
    Faults.Outcome outcome = enter(DeviceCall.Kind.OPEN, path, writable ? 1 : 0, 0);
    OpenFile open;
    guard.lock();
    try {
      refuse(outcome, path, false);
      open = new OpenFile(path, fileNode(path), writable);
    } finally {
      guard.unlock();
    }
    leave(DeviceCall.Kind.OPEN, path, 0, outcome);
    return open;
  }

  @Override
  public boolean exists(String path) throws IOException {
    Faults.Outcome outcome = enter(DeviceCall.Kind.EXISTS, path, 0, 0);
    boolean exists;
    guard.lock();
    try {
      refuse(outcome, path, false);
      exists = find(path) != null;
    } finally {
      guard.unlock();
    }
    leave(DeviceCall.Kind.EXISTS, path, exists ? 1 : 0, outcome);
    return exists;
  }

  @Override
  public List<String> list(String directory) throws IOException {
    Faults.Outcome outcome = enter(DeviceCall.Kind.LIST, directory, 0, 0);
    List<String> names;
    guard.lock();
    try {
      refuse(outcome, directory, false);
      names = new ArrayList<>(directoryNode(directory).names.keySet());
    } finally {
      guard.unlock();
    }
    leave(DeviceCall.Kind.LIST, directory, names.hashCode(), outcome);
    return names;
  }

  @Override
  public void createDirectories(String directory) throws IOException {
    Faults.Outcome outcome = enter(DeviceCall.Kind.CREATE_DIRECTORIES, directory, 0, 0);
    guard.lock();
    try {
      refuse(outcome, directory, true);
      DirectoryNode at = root;
      for (String name : parts(directory)) {
        Node below = at.names.get(name);
        if (below == null) {
          below = new DirectoryNode();
          link(at, name, below);
          pending.add(new Pending.Link(++sequence, at, name, below));
        }
        if (!(below instanceof DirectoryNode next)) {
          throw new FileAlreadyExistsException(directory);
        }
        at = next;
      }
    } finally {
      guard.unlock();
    }
    leave(DeviceCall.Kind.CREATE_DIRECTORIES, directory, 0, outcome);
  }

  @Override
  public void rename(String from, String to) throws IOException {
    DevicePaths.check(to);
    Faults.Outcome outcome = enter(DeviceCall.Kind.RENAME, from, to.hashCode(), 0);
    guard.lock();
    try {
      refuse(outcome, from, true);
      DirectoryNode source = directoryNode(DevicePaths.parent(from));
      Node node = source.names.get(DevicePaths.name(from));
      if (node == null) {
        throw new NoSuchFileException(from);
      }
      DirectoryNode target = directoryNode(DevicePaths.parent(to));
      rename(source, DevicePaths.name(from), target, DevicePaths.name(to), node, to);
    } finally {
      guard.unlock();
    }
    leave(DeviceCall.Kind.RENAME, from, to.hashCode(), outcome);
  }

  private void rename(
      DirectoryNode source, String from, DirectoryNode target, String to, Node node, String path)
      throws IOException {
    Node replaced = target.names.get(to);
    if (replaced == node) {
      return;
    }
    if (replaced instanceof DirectoryNode || (replaced != null && node instanceof DirectoryNode)) {
      throw new FileSystemException(path, null, "is a directory, or would replace a file by one");
    }
    if (replaced != null) {
      unlink(target, to, replaced);
    }
    link(target, to, node);
    unlink(source, from, node);
    long at = ++sequence;
    if (source == target) {
      pending.add(new Pending.Rename(at, source, from, to, node));
    } else {
      pending.add(new Pending.Link(at, target, to, node));
      pending.add(new Pending.Unlink(at, source, from, node));
    }
  }

  @Override
  public void delete(String path) throws IOException {
    Faults.Outcome outcome = enter(DeviceCall.Kind.DELETE, path, 0, 0);
    guard.lock();
    try {
      refuse(outcome, path, false);
      DirectoryNode directory = directoryNode(DevicePaths.parent(path));
      Node node = directory.names.get(DevicePaths.name(path));
      switch (node) {
        case null -> throw new NoSuchFileException(path);
        case DirectoryNode below when !below.names.isEmpty() ->
            throw new DirectoryNotEmptyException(path);
        case DirectoryNode below -> {}
        case FileNode file -> {}
      }
      unlink(directory, DevicePaths.name(path), node);
      pending.add(new Pending.Unlink(++sequence, directory, DevicePaths.name(path), node));
    } finally {
      guard.unlock();
    }
    leave(DeviceCall.Kind.DELETE, path, 0, outcome);
  }

  @Override
  public void forceDirectory(String directory) throws IOException {
    Faults.Outcome outcome = enter(DeviceCall.Kind.FORCE_DIRECTORY, directory, 0, 0);
    DirectoryNode node;
    SortedMap<String, Node> names;
    long until;
    guard.lock();
    try {
      node = directoryNode(directory);
      failForce(outcome, directory, null);
      names = node.frozenNames();
      until = sequence;
    } finally {
      guard.unlock();
    }
    othersRun();
    guard.lock();
    try {
      checkAlive();
      if (outcome != Faults.Outcome.LOST_FORCE && until >= node.durableSequence) {
        node.durableNames = names;
        node.durableSequence = until;
        dropPending(until, node);
      }
    } finally {
      guard.unlock();
    }
    leave(DeviceCall.Kind.FORCE_DIRECTORY, directory, 0, outcome);
  }

  /** What is durable of a file, and the changes of it that were made since. */
  private PagedBytes withPending(FileNode file, long until) {
    PagedBytes durable = file.durable.snapshot();
    for (Pending change : pending) {
      if (change.sequence() <= until && change.forcedBy(file)) {
        switch (change) {
          case Pending.Write write ->
              durable.write(write.positionBytes(), write.bytes(), 0, write.bytes().length);
          case Pending.Resize resize -> durable.resize(resize.sizeBytes());
          case Pending.Link _, Pending.Unlink _, Pending.Rename _ ->
              throw new IllegalStateException("a change of names of a file");
        }
      }
    }
    return durable;
  }

  private void dropPending(long until, Node forced) {
    committedSequence = Math.max(committedSequence, until);
    if (pending.isEmpty()) {
      return;
    }
    pending.removeIf(change -> change.sequence() <= until && change.forcedBy(forced));
  }

  @Override
  public long freeBytes() throws IOException {
    Faults.Outcome outcome = enter(DeviceCall.Kind.FREE_BYTES, "", 0, 0);
    long free;
    guard.lock();
    try {
      refuse(outcome, "", false);
      free = Math.max(0, capacityBytes - usedBytes);
    } finally {
      guard.unlock();
    }
    leave(DeviceCall.Kind.FREE_BYTES, "", free, outcome);
    return free;
  }

  @Override
  public long sizeBytes(String path) throws IOException {
    Faults.Outcome outcome = enter(DeviceCall.Kind.SIZE, path, 0, 0);
    long size;
    guard.lock();
    try {
      refuse(outcome, path, false);
      size = fileNode(path).content.sizeBytes();
    } finally {
      guard.unlock();
    }
    leave(DeviceCall.Kind.SIZE, path, size, outcome);
    return size;
  }

  @Override
  public DeviceLock lock(String path) throws IOException {
    Faults.Outcome outcome = enter(DeviceCall.Kind.LOCK, path, 0, 0);
    Node node;
    guard.lock();
    try {
      refuse(outcome, path, true);
      DirectoryNode directory = directoryNode(DevicePaths.parent(path));
      String name = DevicePaths.name(path);
      node = directory.names.get(name);
      if (node == null) {
        node = new FileNode();
        link(directory, name, node);
        pending.add(new Pending.Link(++sequence, directory, name, node));
      }
      if (!locked.add(node)) {
        throw new DirectoryInUseException(path + " is locked: the directory is in use");
      }
    } finally {
      guard.unlock();
    }
    leave(DeviceCall.Kind.LOCK, path, 0, outcome);
    Node held = node;
    return () -> unlock(held);
  }

  private void unlock(Node node) {
    guard.lock();
    try {
      locked.remove(node);
    } finally {
      guard.unlock();
    }
  }

  // ---- what every call does first and last

  private Faults.Outcome enter(
      DeviceCall.Kind kind, String path, long positionBytes, int lengthBytes) {
    DevicePaths.check(path);
    return enterChecked(kind, path, positionBytes, lengthBytes);
  }

  private Faults.Outcome enterChecked(
      DeviceCall.Kind kind, String path, long positionBytes, int lengthBytes) {
    if (path.isEmpty()
        && switch (kind) {
          case LIST, EXISTS, CREATE_DIRECTORIES, FORCE_DIRECTORY, FREE_BYTES -> false;
          default -> true;
        }) {
      throw new IllegalArgumentException("path is empty");
    }
    othersRun();
    Faults.Outcome outcome;
    guard.lock();
    try {
      checkAlive();
      callCount++;
      callCounts.merge(kind, 1L, Long::sum);
      trace.add(kind.name(), path, positionBytes, lengthBytes);
      outcome = faults.decide(new DeviceCall(callCount, kind, path, positionBytes, lengthBytes));
    } finally {
      guard.unlock();
    }
    if (outcome == Faults.Outcome.CRASH && (!kind.changes() || random.nextBoolean())) {
      powerOff(kind, path);
    }
    return outcome;
  }

  private void leave(DeviceCall.Kind kind, String path, long result, Faults.Outcome outcome) {
    guard.lock();
    try {
      trace.add("=", path, result, 0);
    } finally {
      guard.unlock();
    }
    if (outcome == Faults.Outcome.CRASH) {
      powerOff(kind, path);
    }
    if (kind.changes() && !insideHook) {
      insideHook = true;
      try {
        afterEachChange.run();
      } finally {
        insideHook = false;
      }
    }
  }

  private void powerOff(DeviceCall.Kind kind, String path) {
    dead = true;
    if (scheduler != null) {
      scheduler.crash();
    }
    throw new SimulatedCrash("power lost at call " + callCount + ", " + kind + " " + path);
  }

  private void othersRun() {
    if (dead) {
      throw new SimulatedCrash("the device is without power");
    }
    if (scheduler != null) {
      scheduler.othersMayRun();
    }
  }

  private void checkAlive() {
    if (dead) {
      throw new SimulatedCrash("the device is without power");
    }
    DeviceForceException first = failedForce;
    if (first != null) {
      throw new DeviceForceException(first);
    }
  }

  private static void refuse(Faults.Outcome outcome, String path, boolean takesSpace)
      throws IOException {
    if (outcome == Faults.Outcome.IO_ERROR) {
      throw new IOException(path + ": input/output error");
    }
    if (outcome == Faults.Outcome.FULL && takesSpace) {
      throw new StoreFullException(path + ": no space left on device");
    }
  }

  /**
   * Lets a force fail. What it was to cover is seen until the power goes and counts as clean, as in
   * the caches of the real systems: no later force writes it.
   */
  private void failForce(Faults.Outcome outcome, String path, @Nullable FileNode file) {
    if (outcome == Faults.Outcome.IO_ERROR || outcome == Faults.Outcome.FULL) {
      if (file != null) {
        pending.removeIf(change -> change instanceof Pending.Write && change.forcedBy(file));
        file.forceFailed = true;
      }
      failedForce = new DeviceForceException(path, new IOException("input/output error"));
      throw failedForce;
    }
  }

  // ---- the tree

  private @Nullable Node find(String path) {
    Node at = root;
    int start = 0;
    while (start < path.length()) {
      if (!(at instanceof DirectoryNode directory)) {
        return null;
      }
      int slash = path.indexOf('/', start);
      int end = slash < 0 ? path.length() : slash;
      at = directory.names.get(path.substring(start, end));
      start = end + 1;
    }
    return at;
  }

  private static List<String> parts(String path) {
    var parts = new ArrayList<String>();
    int start = 0;
    while (start < path.length()) {
      int slash = path.indexOf('/', start);
      int end = slash < 0 ? path.length() : slash;
      parts.add(path.substring(start, end));
      start = end + 1;
    }
    return parts;
  }

  private DirectoryNode directoryNode(String path) throws IOException {
    return switch (find(path)) {
      case null -> throw new NoSuchFileException(path);
      case DirectoryNode directory -> directory;
      case FileNode file -> throw new NotDirectoryException(path);
    };
  }

  private FileNode fileNode(String path) throws IOException {
    return switch (find(path)) {
      case null -> throw new NoSuchFileException(path);
      case FileNode file -> file;
      case DirectoryNode directory -> throw new FileSystemException(path, null, "is a directory");
    };
  }

  private static void link(DirectoryNode directory, String name, Node node) {
    directory.mutableNames().put(name, node);
    node.linkCount++;
  }

  private void unlink(DirectoryNode directory, String name, Node node) {
    directory.mutableNames().remove(name);
    node.linkCount--;
    releaseSpace(node);
  }

  private void releaseSpace(Node node) {
    if (node instanceof FileNode file && file.linkCount == 0 && file.openCount == 0) {
      usedBytes -= file.content.sizeBytes();
    }
  }

  static Node durableCopy(Node node, Map<Node, Node> copies) {
    Node known = copies.get(node);
    return known != null
        ? known
        : switch (node) {
          case FileNode file -> {
            var copy = new FileNode();
            copies.put(file, copy);
            copy.content = file.durable.snapshot();
            yield copy;
          }
          case DirectoryNode directory -> {
            var copy = new DirectoryNode();
            copies.put(directory, copy);
            directory.durableNames.forEach(
                (name, below) -> copy.names.put(name, durableCopy(below, copies)));
            yield copy;
          }
        };
  }

  private static Node fullCopy(Node node, Map<Node, Node> copies) {
    Node known = copies.get(node);
    return known != null
        ? known
        : switch (node) {
          case FileNode file -> {
            var copy = new FileNode();
            copies.put(file, copy);
            copy.content = file.content.snapshot();
            copy.durable = file.durable.snapshot();
            copy.durableSequence = file.durableSequence;
            copy.forceFailed = file.forceFailed;
            yield copy;
          }
          case DirectoryNode directory -> {
            var copy = new DirectoryNode();
            copies.put(directory, copy);
            directory.names.forEach((name, below) -> copy.names.put(name, fullCopy(below, copies)));
            directory.durableNames.forEach(
                (name, below) -> copy.durableNames.put(name, fullCopy(below, copies)));
            copy.durableSequence = directory.durableSequence;
            yield copy;
          }
        };
  }

  /** A file or directory, whatever its names. */
  abstract static sealed class Node permits FileNode, DirectoryNode {
    int linkCount;
    long durableSequence;

    /** Makes what is seen durable, as it is after a crash. */
    abstract void freeze();
  }

  static final class FileNode extends Node {
    PagedBytes content = new PagedBytes();
    PagedBytes durable = new PagedBytes();
    int openCount;

    /** Whether something of it that is seen will never be durable, because a force has failed. */
    boolean forceFailed;

    @Override
    void freeze() {
      durable = content.snapshot();
    }
  }

  static final class DirectoryNode extends Node {
    SortedMap<String, Node> names = new TreeMap<>();
    SortedMap<String, Node> durableNames = new TreeMap<>();
    private boolean shared;

    SortedMap<String, Node> mutableNames() {
      if (shared) {
        names = new TreeMap<>(names);
        shared = false;
      }
      return names;
    }

    SortedMap<String, Node> frozenNames() {
      shared = true;
      return names;
    }

    @Override
    void freeze() {
      durableNames = frozenNames();
    }
  }

  // ---- files

  private final class OpenFile implements DeviceFile {
    private final String path;
    private final FileNode file;
    private final boolean writable;
    private boolean closed;

    OpenFile(String path, FileNode file, boolean writable) {
      this.path = path;
      this.file = file;
      this.writable = writable;
      file.openCount++;
    }

    @Override
    public String path() {
      return path;
    }

    private Faults.Outcome enterOpen(
        DeviceCall.Kind kind, long positionBytes, int lengthBytes, boolean writes)
        throws IOException {
      if (positionBytes < 0) {
        throw new IllegalArgumentException(path + ": position or size " + positionBytes);
      }
      Faults.Outcome outcome = enterChecked(kind, path, positionBytes, lengthBytes);
      if (closed) {
        throw new ClosedChannelException();
      }
      if (writes && !writable) {
        throw new NonWritableChannelException();
      }
      return outcome;
    }

    @Override
    public long sizeBytes() throws IOException {
      Faults.Outcome outcome = enterOpen(DeviceCall.Kind.SIZE, 0, 0, false);
      long size;
      guard.lock();
      try {
        refuse(outcome, path, false);
        size = file.content.sizeBytes();
      } finally {
        guard.unlock();
      }
      leave(DeviceCall.Kind.SIZE, path, size, outcome);
      return size;
    }

    @Override
    public void willRead(long positionBytes, int lengthBytes) throws IOException {
      if (positionBytes < 0) {
        throw new IllegalArgumentException(path + ": position or size " + positionBytes);
      }
      if (closed) {
        throw new ClosedChannelException();
      }
    }

    @Override
    public void write(long positionBytes, ByteBuffer source) throws IOException {
      int length = source.remaining();
      Faults.Outcome outcome = enterOpen(DeviceCall.Kind.WRITE, positionBytes, length, true);
      byte[] bytes = new byte[length];
      int start = source.position();
      source.get(bytes);
      var checksum = new CRC32C();
      checksum.update(bytes);
      guard.lock();
      try {
        long growth = Math.max(0, positionBytes + length - file.content.sizeBytes());
        boolean full = outcome == Faults.Outcome.FULL || usedBytes + growth > capacityBytes;
        if (length > 0 && (full || outcome == Faults.Outcome.IO_ERROR)) {
          int written = full ? partThatFits(positionBytes, length) : random.nextInt(length);
          store(positionBytes, java.util.Arrays.copyOf(bytes, written));
          source.position(start + written);
          throw full
              ? new StoreFullException(path + ": no space left on device")
              : new IOException(path + ": input/output error");
        }
        switch (outcome) {
          case LOST_WRITE -> {}
          case MISDIRECTED_WRITE -> {
            long sectors = file.content.sizeBytes() / SECTOR_BYTES;
            store(sectors == 0 ? positionBytes : random.nextLong(sectors) * SECTOR_BYTES, bytes);
          }
          default -> store(positionBytes, bytes);
        }
      } finally {
        guard.unlock();
      }
      leave(DeviceCall.Kind.WRITE, path, checksum.getValue(), outcome);
    }

    private int partThatFits(long positionBytes, int length) {
      long room = capacityBytes - usedBytes + file.content.sizeBytes() - positionBytes;
      return random.nextInt(Math.clamp(room, 0, length - 1) + 1);
    }

    private void store(long positionBytes, byte[] bytes) {
      if (bytes.length == 0) {
        return;
      }
      long before = file.content.sizeBytes();
      file.content.write(positionBytes, bytes, 0, bytes.length);
      usedBytes += file.content.sizeBytes() - before;
      pending.add(new Pending.Write(++sequence, file, positionBytes, bytes));
    }

    @Override
    public int read(long positionBytes, ByteBuffer target) throws IOException {
      int wanted = target.remaining();
      Faults.Outcome outcome = enterOpen(DeviceCall.Kind.READ, positionBytes, wanted, false);
      int start = target.position();
      guard.lock();
      try {
        refuse(outcome, path, false);
        PagedBytes content = outcome == Faults.Outcome.STALE_READ ? staleContent() : file.content;
        long from = positionBytes;
        if (outcome == Faults.Outcome.MISDIRECTED_READ && content.sizeBytes() > wanted) {
          from = random.nextLong((content.sizeBytes() - wanted) / SECTOR_BYTES + 1) * SECTOR_BYTES;
        }
        content.read(from, target);
      } finally {
        guard.unlock();
      }
      int read = target.position() - start;
      if (read > 0 && outcome == Faults.Outcome.FLIPPED_READ) {
        int at = start + random.nextInt(read);
        target.put(at, (byte) (target.get(at) ^ (1 << random.nextInt(8))));
      }
      var checksum = new CRC32C();
      checksum.update(target.duplicate().flip().position(start));
      leave(DeviceCall.Kind.READ, path, checksum.getValue() << 32 | read, outcome);
      return read == 0 && wanted > 0 ? -1 : read;
    }

    /** What the disk has, in the size that is seen. */
    private PagedBytes staleContent() {
      PagedBytes stale = file.durable.snapshot();
      stale.resize(file.content.sizeBytes());
      return stale;
    }

    @Override
    public void force() throws IOException {
      Faults.Outcome outcome = enterOpen(DeviceCall.Kind.FORCE, 0, 0, false);
      PagedBytes covered;
      long until;
      guard.lock();
      try {
        failForce(outcome, path, file);
        covered = file.content.snapshot();
        until = sequence;
      } finally {
        guard.unlock();
      }
      othersRun();
      guard.lock();
      try {
        checkAlive();
        if (outcome != Faults.Outcome.LOST_FORCE && until >= file.durableSequence) {
          file.durable = file.forceFailed ? withPending(file, until) : covered;
          file.durableSequence = until;
          dropPending(until, file);
        }
      } finally {
        guard.unlock();
      }
      leave(DeviceCall.Kind.FORCE, path, covered.sizeBytes(), outcome);
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      Faults.Outcome outcome = enterOpen(DeviceCall.Kind.TRUNCATE, sizeBytes, 0, true);
      guard.lock();
      try {
        refuse(outcome, path, false);
        if (sizeBytes < file.content.sizeBytes()) {
          resize(sizeBytes);
        }
      } finally {
        guard.unlock();
      }
      leave(DeviceCall.Kind.TRUNCATE, path, 0, outcome);
    }

    @Override
    public void allocate(long sizeBytes) throws IOException {
      Faults.Outcome outcome = enterOpen(DeviceCall.Kind.ALLOCATE, sizeBytes, 0, true);
      guard.lock();
      try {
        refuse(outcome, path, true);
        long growth = sizeBytes - file.content.sizeBytes();
        if (growth > 0) {
          if (usedBytes + growth > capacityBytes) {
            throw new StoreFullException(path + ": no space for " + sizeBytes + " bytes");
          }
          resize(sizeBytes);
        }
      } finally {
        guard.unlock();
      }
      leave(DeviceCall.Kind.ALLOCATE, path, 0, outcome);
    }

    private void resize(long sizeBytes) {
      usedBytes += sizeBytes - file.content.sizeBytes();
      file.content.resize(sizeBytes);
      pending.add(new Pending.Resize(++sequence, file, sizeBytes));
    }

    @Override
    public void close() throws IOException {
      guard.lock();
      try {
        if (closed) {
          return;
        }
        closed = true;
        file.openCount--;
        releaseSpace(file);
        trace.add("CLOSE", path, 0, 0);
      } finally {
        guard.unlock();
      }
    }
  }
}
