package onefold.store.device;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The calls of the C library that the JDK does not offer: {@code open}, {@code fallocate}, {@code
 * posix_fadvise}, {@code strerror}. Where they are missing (another operating system, native access
 * denied) callers do without.
 */
final class NativeFiles {
  static final int ENOSPC = 28;
  static final int EDQUOT = 122;

  private static final int O_RDONLY = 0;
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;
  private static final int POSIX_FADV_WILLNEED = 3;
  private static final int EINTR = 4;
  private static final int ENOSYS = 38;
  private static final int EOPNOTSUPP = 95;

  /** What came of asking the file system for space. */
  enum Allocation {
    DONE,
    FULL,
    UNSUPPORTED
  }

  private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final Optional<NativeFiles> LINUX = link();

  private final MethodHandle open;
  private final MethodHandle close;
  private final MethodHandle fallocate;
  private final MethodHandle fadvise;
  private final MethodHandle strerror;

  private NativeFiles(
      MethodHandle open,
      MethodHandle close,
      MethodHandle fallocate,
      MethodHandle fadvise,
      MethodHandle strerror) {
    this.open = open;
    this.close = close;
    this.fallocate = fallocate;
    this.fadvise = fadvise;
    this.strerror = strerror;
  }

  /** The calls, if this is a Linux that lets us make them. */
  static Optional<NativeFiles> linux() {
    return LINUX;
  }

  @SuppressWarnings("restricted") // the calls' shapes are those of the C library's headers
  private static Optional<NativeFiles> link() {
    if (!System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("linux")) {
      return Optional.empty();
    }
    try {
      Linker linker = Linker.nativeLinker();
      SymbolLookup symbols = linker.defaultLookup();
      Linker.Option errno = Linker.Option.captureCallState("errno");
      return Optional.of(
          new NativeFiles(
              linker.downcallHandle(
                  symbols.findOrThrow("open"),
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
                  errno,
                  Linker.Option.firstVariadicArg(2)),
              linker.downcallHandle(
                  symbols.findOrThrow("close"),
                  FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT)),
              linker.downcallHandle(
                  symbols.findOrThrow("fallocate"),
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_LONG,
                      ValueLayout.JAVA_LONG),
                  errno),
              linker.downcallHandle(
                  symbols.findOrThrow("posix_fadvise"),
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_LONG,
                      ValueLayout.JAVA_LONG,
                      ValueLayout.JAVA_INT)),
              linker.downcallHandle(
                  symbols.findOrThrow("strerror"),
                  FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT))));
    } catch (UnsupportedOperationException
        | java.util.NoSuchElementException
        | IllegalCallerException e) {
      return Optional.empty();
    }
  }

  /**
   * Asks the file system for space for a range of a file; the file grows to its end.
   *
   * @throws IOException for any error that is neither "full" nor "not supported"
   */
  Allocation allocate(Path file, long offsetBytes, long lengthBytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      int descriptor =
          (int) open.invokeExact(state, arena.allocateFrom(file.toString()), O_RDWR | O_CLOEXEC);
      if (descriptor < 0) {
        throw new IOException(file + ": " + text((int) ERRNO.get(state, 0L)));
      }
      try {
        return allocate(file, descriptor, offsetBytes, lengthBytes, state);
      } finally {
        int ignored = (int) close.invokeExact(descriptor);
      }
    } catch (IOException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native call threw what it cannot throw", e);
    }
  }

  private Allocation allocate(
      Path file, int descriptor, long offsetBytes, long lengthBytes, MemorySegment state)
      throws Throwable {
    while (true) {
      int answer = (int) fallocate.invokeExact(state, descriptor, 0, offsetBytes, lengthBytes);
      if (answer == 0) {
        return Allocation.DONE;
      }
      int errno = (int) ERRNO.get(state, 0L);
      switch (errno) {
        case EINTR -> {}
        case ENOSPC, EDQUOT -> {
          return Allocation.FULL;
        }
        case EOPNOTSUPP, ENOSYS -> {
          return Allocation.UNSUPPORTED;
        }
        default ->
            throw new IOException(
                file + ": cannot allocate " + lengthBytes + " bytes: " + text(errno));
      }
    }
  }

  /**
   * A file that is only told what will be read. Any number of threads; the descriptor is closed
   * when the last call that uses it has ended.
   */
  final class Advised implements AutoCloseable {
    private final int descriptor;
    private final AtomicInteger users = new AtomicInteger(1);
    private final AtomicBoolean closed = new AtomicBoolean();

    private Advised(int descriptor) {
      this.descriptor = descriptor;
    }

    /** Has a range fetched into the operating system's cache, without waiting for it. */
    void willRead(long offsetBytes, long lengthBytes) {
      int now = users.get();
      while (now > 0 && !users.compareAndSet(now, now + 1)) {
        now = users.get();
      }
      if (now == 0) {
        return;
      }
      try {
        int ignored =
            (int) fadvise.invokeExact(descriptor, offsetBytes, lengthBytes, POSIX_FADV_WILLNEED);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException("a native call threw what it cannot throw", e);
      } finally {
        release();
      }
    }

    private void release() {
      if (users.decrementAndGet() > 0) {
        return;
      }
      try {
        int ignored = (int) close.invokeExact(descriptor);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException("a native call threw what it cannot throw", e);
      }
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        release();
      }
    }
  }

  /** Opens a file to tell what will be read of it; null if it cannot be opened. */
  @Nullable Advised advise(Path file) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      int descriptor =
          (int) open.invokeExact(state, arena.allocateFrom(file.toString()), O_RDONLY | O_CLOEXEC);
      return descriptor < 0 ? null : new Advised(descriptor);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native call threw what it cannot throw", e);
    }
  }

  /**
   * What the C library says for an error number, in the language that the JDK's own errors have.
   */
  @SuppressWarnings("restricted") // strerror answers a string that ends with a zero byte
  String text(int errno) {
    try {
      MemorySegment text = (MemorySegment) strerror.invokeExact(errno);
      return text.equals(MemorySegment.NULL)
          ? "error " + errno
          : text.reinterpret(Long.MAX_VALUE).getString(0);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native call threw what it cannot throw", e);
    }
  }
}
