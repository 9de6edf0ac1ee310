package onefold.appliance.tree;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The POSIX and Linux calls that a backup needs and the JDK's file API does not give: names as
 * bytes, descriptors relative to directories, extended attributes, holes, owners by number, times
 * in nanoseconds. Layouts are those of 64-bit Linux; statx and getdents64 have the same on every
 * machine.
 *
 * <p>One thread at a time uses an instance: it owns the buffers that the calls work on.
 */
// The foreign-function API is restricted by nature; the JVM is started with --enable-native-access.
@SuppressWarnings("restricted")
final class Posix implements AutoCloseable {
  static final int AT_FDCWD = -100;
  static final int ENOENT = 2;
  static final int ENXIO = 6;
  static final int EEXIST = 17;
  static final int ENOTDIR = 20;
  static final int ENOTSUP = 95;
  static final int ELOOP = 40;
  static final int EPERM = 1;
  static final int O_RDONLY = 0;
  static final int O_WRONLY = 1;
  static final int O_CREAT = 0100;
  static final int O_EXCL = 0200;
  static final int O_NONBLOCK = 04000;
  static final int O_CLOEXEC = 02000000;
  private static final boolean ARM = System.getProperty("os.arch", "").equals("aarch64");
  static final int O_DIRECTORY = ARM ? 040000 : 0200000;
  static final int O_NOFOLLOW = ARM ? 0100000 : 0400000;
  static final int O_NOATIME = 01000000;

  /**
   * Longest name of an extended attribute or of a path that the kernel takes, and the largest
   * value.
   */
  private static final int PATH_BYTES = 4096;

  private static final int MAX_ATTRIBUTE_BYTES = 64 << 10;

  /** Bytes moved by one read or write. */
  static final int TRANSFER_BYTES = 1 << 20;

  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_REMOVEDIR = 0x200;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle OPENAT =
      variadic("openat", 3, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle CLOSE = call("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle READ = call("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle PWRITE =
      call("pwrite", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle LSEEK = call("lseek", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle FTRUNCATE = call("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle STATX =
      call("statx", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle GETDENTS =
      call("getdents64", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle READLINKAT =
      call("readlinkat", JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle SYMLINKAT =
      call("symlinkat", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
  private static final MethodHandle LINKAT =
      call("linkat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle MKDIRAT =
      call("mkdirat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle MKNODAT =
      call("mknodat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG);
  private static final MethodHandle UNLINKAT =
      call("unlinkat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle FCHOWNAT =
      call("fchownat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle FCHMOD = call("fchmod", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle FCHMODAT =
      call("fchmodat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle UTIMENSAT =
      call("utimensat", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
  private static final MethodHandle LLISTXATTR =
      call("llistxattr", JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle LGETXATTR =
      call("lgetxattr", JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle LSETXATTR =
      call("lsetxattr", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle GETEUID = call("geteuid", JAVA_INT);
  private static final MethodHandle STRERROR =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("strerror"),
          FunctionDescriptor.of(
              ADDRESS.withTargetLayout(MemoryLayout.sequenceLayout(256, JAVA_BYTE)), JAVA_INT));

  private final Arena arena = Arena.ofShared();
  private final MemorySegment state = arena.allocate(CALL_STATE);
  private final MemorySegment path = arena.allocate(PATH_BYTES);
  private final MemorySegment secondPath = arena.allocate(PATH_BYTES);
  private final MemorySegment status = arena.allocate(256, 8);
  private final MemorySegment small = arena.allocate(MAX_ATTRIBUTE_BYTES, 8);
  private final MemorySegment transfer = arena.allocate(TRANSFER_BYTES, 4096);

  /** Opens a file relative to a directory's descriptor. */
  int openAt(int directory, byte[] name, int flags, int permissions) throws PosixException {
    return (int)
        check(
            "open",
            name,
            invoke(() ->
                (int)
                    OPENAT.invokeExact(
                        state, directory, text(path, name), flags | O_CLOEXEC, permissions)));
  }

  void close(int descriptor) throws PosixException {
    check("close", new byte[0], invoke(() -> (int) CLOSE.invokeExact(state, descriptor)));
  }

  /** Reads up to {@code length} bytes, at most {@link #TRANSFER_BYTES}; 0 at the end. */
  int read(int descriptor, byte[] target, int offset, int length, byte[] name)
      throws PosixException {
    long wanted = Math.min(length, TRANSFER_BYTES);
    int read =
        (int)
            check(
                "read",
                name,
                invoke(() -> (long) READ.invokeExact(state, descriptor, transfer, wanted)));
    MemorySegment.copy(transfer, JAVA_BYTE, 0, target, offset, read);
    return read;
  }

  /** Writes all bytes at a position. */
  void write(int descriptor, long position, byte[] source, int offset, int length, byte[] name)
      throws PosixException {
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, TRANSFER_BYTES);
      MemorySegment.copy(source, offset + done, transfer, JAVA_BYTE, 0, part);
      long at = position + done;
      done +=
          (int)
              check(
                  "write",
                  name,
                  invoke(() ->
                      (long) PWRITE.invokeExact(state, descriptor, transfer, (long) part, at)));
    }
  }

  void seekStart(int descriptor, long position, byte[] name) throws PosixException {
    check("lseek", name, invoke(() -> (long) LSEEK.invokeExact(state, descriptor, position, 0)));
  }

  /** Returns where the next data begin at or after {@code position}, or -1 if there are none. */
  long nextData(int descriptor, long position, byte[] name) throws PosixException {
    long result = invoke(() -> (long) LSEEK.invokeExact(state, descriptor, position, SEEK_DATA));
    return result < 0 && errno() == ENXIO ? -1 : check("lseek", name, result);
  }

  /**
   * Returns where the next hole begins at or after {@code position}; the end of the file counts as
   * one.
   */
  long nextHole(int descriptor, long position, byte[] name) throws PosixException {
    return check(
        "lseek",
        name,
        invoke(() -> (long) LSEEK.invokeExact(state, descriptor, position, SEEK_HOLE)));
  }

  void truncate(int descriptor, long sizeBytes, byte[] name) throws PosixException {
    check(
        "ftruncate", name, invoke(() -> (int) FTRUNCATE.invokeExact(state, descriptor, sizeBytes)));
  }

  /** Status of a name below a directory, links not followed. */
  FileStatus statusAt(int directory, byte[] name) throws PosixException {
    check(
        "statx",
        name,
        invoke(() ->
            (int)
                STATX.invokeExact(
                    state,
                    directory,
                    text(path, name),
                    AT_SYMLINK_NOFOLLOW,
                    STATX_BASIC_STATS,
                    status)));
    return statusRead();
  }

  /** Status of an open file. */
  FileStatus statusOf(int descriptor, byte[] name) throws PosixException {
    check(
        "statx",
        name,
        invoke(() ->
            (int)
                STATX.invokeExact(
                    state,
                    descriptor,
                    text(path, new byte[0]),
                    AT_EMPTY_PATH,
                    STATX_BASIC_STATS,
                    status)));
    return statusRead();
  }

  private FileStatus statusRead() {
    int mode = status.get(JAVA_SHORT, 28) & 0xffff;
    return new FileStatus(
        FileType.ofMode(mode),
        mode & 07777,
        status.get(JAVA_INT, 16),
        status.get(JAVA_INT, 20),
        status.get(JAVA_INT, 24),
        ((long) status.get(JAVA_INT, 136) << 32) | (status.get(JAVA_INT, 140) & 0xffff_ffffL),
        status.get(JAVA_LONG, 32),
        status.get(JAVA_LONG, 40),
        status.get(JAVA_LONG, 48),
        status.get(JAVA_LONG, 112),
        status.get(JAVA_INT, 120),
        status.get(JAVA_LONG, 96),
        status.get(JAVA_INT, 104),
        status.get(JAVA_INT, 128),
        status.get(JAVA_INT, 132));
  }

  /**
   * Returns the names in an open directory but {@code .} and {@code ..}, in order of their bytes.
   */
  List<byte[]> names(int directory, byte[] name) throws PosixException {
    List<byte[]> names = new ArrayList<>();
    while (true) {
      long filled =
          check(
              "getdents64",
              name,
              invoke(() ->
                  (long)
                      GETDENTS.invokeExact(
                          state, directory, transfer, (long) MAX_ATTRIBUTE_BYTES)));
      if (filled == 0) {
        names.sort(Arrays::compareUnsigned);
        return names;
      }
      for (long at = 0;
          at < filled;
          at += transfer.get(ValueLayout.JAVA_SHORT_UNALIGNED, at + 16) & 0xffff) {
        byte[] entry = terminated(transfer, at + 19);
        boolean self = entry.length == 1 && entry[0] == '.';
        boolean parent = entry.length == 2 && entry[0] == '.' && entry[1] == '.';
        if (!self && !parent) {
          names.add(entry);
        }
      }
    }
  }

  byte[] linkTarget(int directory, byte[] name) throws PosixException {
    int length =
        (int)
            check(
                "readlink",
                name,
                invoke(() ->
                    (long)
                        READLINKAT.invokeExact(
                            state,
                            directory,
                            text(path, name),
                            small,
                            (long) MAX_ATTRIBUTE_BYTES)));
    return small.asSlice(0, length).toArray(JAVA_BYTE);
  }

  void symbolicLink(byte[] target, int directory, byte[] name) throws PosixException {
    check(
        "symlink",
        name,
        invoke(() ->
            (int)
                SYMLINKAT.invokeExact(
                    state, text(secondPath, target), directory, text(path, name))));
  }

  void hardLink(int fromDirectory, byte[] from, int directory, byte[] name) throws PosixException {
    check(
        "link",
        name,
        invoke(() ->
            (int)
                LINKAT.invokeExact(
                    state, fromDirectory, text(secondPath, from), directory, text(path, name), 0)));
  }

  void makeDirectory(int directory, byte[] name, int permissions) throws PosixException {
    check(
        "mkdir",
        name,
        invoke(() -> (int) MKDIRAT.invokeExact(state, directory, text(path, name), permissions)));
  }

  void makeNode(int directory, byte[] name, FileType type, int permissions, int major, int minor)
      throws PosixException {
    long device =
        ((major & 0xfffff000L) << 32)
            | ((major & 0xfffL) << 8)
            | ((minor & 0xffffff00L) << 12)
            | (minor & 0xffL);
    check(
        "mknod",
        name,
        invoke(() ->
            (int)
                MKNODAT.invokeExact(
                    state, directory, text(path, name), type.modeBits() | permissions, device)));
  }

  void remove(int directory, byte[] name, boolean isDirectory) throws PosixException {
    int flags = isDirectory ? AT_REMOVEDIR : 0;
    check(
        "unlink",
        name,
        invoke(() -> (int) UNLINKAT.invokeExact(state, directory, text(path, name), flags)));
  }

  void changeOwner(int directory, byte[] name, int userId, int groupId) throws PosixException {
    check(
        "chown",
        name,
        invoke(() ->
            (int)
                FCHOWNAT.invokeExact(
                    state, directory, text(path, name), userId, groupId, AT_SYMLINK_NOFOLLOW)));
  }

  void changeMode(int descriptor, int permissions, byte[] name) throws PosixException {
    check("fchmod", name, invoke(() -> (int) FCHMOD.invokeExact(state, descriptor, permissions)));
  }

  /** Changes the mode of a name that is known to be no link. */
  void changeModeAt(int directory, byte[] name, int permissions) throws PosixException {
    check(
        "fchmodat",
        name,
        invoke(
            () -> (int) FCHMODAT.invokeExact(state, directory, text(path, name), permissions, 0)));
  }

  /** Sets the time of modification, links not followed; the time of access becomes the same. */
  void changeTime(int directory, byte[] name, long seconds, int nanos) throws PosixException {
    for (int i = 0; i < 2; i++) {
      small.set(JAVA_LONG, i * 16L, seconds);
      small.set(JAVA_LONG, i * 16L + 8, nanos);
    }
    check(
        "utimensat",
        name,
        invoke(() ->
            (int)
                UTIMENSAT.invokeExact(
                    state, directory, text(path, name), small, AT_SYMLINK_NOFOLLOW)));
  }

  /**
   * Returns the names of a file's extended attributes, sorted; none where the file system has no
   * such thing.
   */
  List<byte[]> attributeNames(byte[] file) throws PosixException {
    long length =
        invoke(() ->
            (long)
                LLISTXATTR.invokeExact(state, text(path, file), small, (long) MAX_ATTRIBUTE_BYTES));
    if (length < 0 && errno() == ENOTSUP) {
      return List.of();
    }
    check("llistxattr", file, length);
    List<byte[]> names = new ArrayList<>();
    for (long at = 0; at < length; ) {
      byte[] name = terminated(small, at);
      names.add(name);
      at += name.length + 1;
    }
    names.sort(Arrays::compareUnsigned);
    return names;
  }

  byte[] attribute(byte[] file, byte[] name) throws PosixException {
    int length =
        (int)
            check(
                "lgetxattr",
                file,
                invoke(() ->
                    (long)
                        LGETXATTR.invokeExact(
                            state,
                            text(path, file),
                            text(secondPath, name),
                            small,
                            (long) MAX_ATTRIBUTE_BYTES)));
    return small.asSlice(0, length).toArray(JAVA_BYTE);
  }

  void setAttribute(byte[] file, byte[] name, byte[] value) throws PosixException {
    if (value.length > MAX_ATTRIBUTE_BYTES) {
      throw new IllegalArgumentException(
          "attribute of " + value.length + " bytes, at most " + MAX_ATTRIBUTE_BYTES);
    }
    MemorySegment.copy(value, 0, small, JAVA_BYTE, 0, value.length);
    check(
        "lsetxattr",
        file,
        invoke(() ->
            (int)
                LSETXATTR.invokeExact(
                    state,
                    text(path, file),
                    text(secondPath, name),
                    small,
                    (long) value.length,
                    0)));
  }

  boolean isRoot() {
    return invoke(() -> (int) GETEUID.invokeExact(state)) == 0;
  }

  /** Releases the buffers. */
  @Override
  public void close() {
    arena.close();
  }

  private int errno() {
    return (int) ERRNO.get(state, 0L);
  }

  private long check(String call, byte[] name, long result) throws PosixException {
    if (result < 0) {
      throw new PosixException(call, name, errno(), errorText(errno()));
    }
    return result;
  }

  private static String errorText(int errno) {
    try {
      return ((MemorySegment) STRERROR.invokeExact(errno)).getString(0);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("strerror threw", e);
    }
  }

  private static MemorySegment text(MemorySegment buffer, byte[] bytes) {
    if (bytes.length >= PATH_BYTES) {
      throw new IllegalArgumentException(
          "name of " + bytes.length + " bytes, at most " + (PATH_BYTES - 1));
    }
    MemorySegment.copy(bytes, 0, buffer, JAVA_BYTE, 0, bytes.length);
    buffer.set(JAVA_BYTE, bytes.length, (byte) 0);
    return buffer;
  }

  private static byte[] terminated(MemorySegment source, long from) {
    long end = from;
    while (source.get(JAVA_BYTE, end) != 0) {
      end++;
    }
    return source.asSlice(from, end - from).toArray(JAVA_BYTE);
  }

  /** A foreign call. */
  private interface Call {
    long run() throws Throwable;
  }

  private static long invoke(Call call) {
    try {
      return call.run();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a foreign call threw", e);
    }
  }

  private static MethodHandle call(String name, MemoryLayout result, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(result, arguments),
        Linker.Option.captureCallState("errno"));
  }

  private static MethodHandle variadic(
      String name, int firstVariadic, MemoryLayout result, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(result, arguments),
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(firstVariadic));
  }
}
