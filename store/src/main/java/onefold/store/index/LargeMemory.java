package onefold.store.index;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * Memory off the heap that goes back to the operating system when its arena is closed. What the C
 * library's allocator gives comes from heaps that shrink only at their end: tables and filters of
 * ever changing sizes, freed in another order than they were made, left as much unused memory in
 * them as they used, and a process in a bounded cgroup was killed for it.
 *
 * <p>On a Linux that lets us call it the memory is mapped, in large pages where the system has them
 * for whoever asks; elsewhere, and for little, it is the arena's own.
 */
final class LargeMemory {
  /** Less than this is left to the arena. */
  static final int LEAST_BYTES = 128 << 10;

  private static final int LEAST_LARGE_PAGE_BYTES = 4 << 20;
  private static final int PROT_READ_WRITE = 1 | 2;
  private static final int MAP_PRIVATE_ANONYMOUS = 2 | 0x20;
  private static final int MADV_HUGEPAGE = 14;
  private static final long MAP_FAILED = -1;
  private static final Optional<LargeMemory> LINUX = link();

  private final MethodHandle mmap;
  private final MethodHandle munmap;
  private final MethodHandle madvise;

  private LargeMemory(MethodHandle mmap, MethodHandle munmap, MethodHandle madvise) {
    this.mmap = mmap;
    this.munmap = munmap;
    this.madvise = madvise;
  }

  /**
   * Takes memory that is all zeros, aligned for any number.
   *
   * @param arena gives it back when it is closed
   * @throws OutOfMemoryError if there is none
   */
  static MemorySegment allocate(Arena arena, long bytes) {
    return bytes < LEAST_BYTES || LINUX.isEmpty()
        ? arena.allocate(bytes, 64)
        : LINUX.get().map(arena, bytes);
  }

  @SuppressWarnings("restricted") // the calls' shapes are those of the C library's headers
  private static Optional<LargeMemory> link() {
    if (!System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("linux")) {
      return Optional.empty();
    }
    try {
      Linker linker = Linker.nativeLinker();
      SymbolLookup symbols = linker.defaultLookup();
      return Optional.of(
          new LargeMemory(
              linker.downcallHandle(
                  symbols.findOrThrow("mmap"),
                  FunctionDescriptor.of(
                      ValueLayout.ADDRESS,
                      ValueLayout.ADDRESS,
                      ValueLayout.JAVA_LONG,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_LONG)),
              linker.downcallHandle(
                  symbols.findOrThrow("munmap"),
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG)),
              linker.downcallHandle(
                  symbols.findOrThrow("madvise"),
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_INT,
                      ValueLayout.ADDRESS,
                      ValueLayout.JAVA_LONG,
                      ValueLayout.JAVA_INT))));
    } catch (UnsupportedOperationException | NoSuchElementException | IllegalCallerException e) {
      return Optional.empty();
    }
  }

  @SuppressWarnings("restricted") // the segment has the size that was mapped
  private MemorySegment map(Arena arena, long bytes) {
    try {
      MemorySegment mapped =
          (MemorySegment)
              mmap.invokeExact(
                  MemorySegment.NULL, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
      if (mapped.address() == MAP_FAILED) {
        throw new OutOfMemoryError("the system has no " + bytes + " bytes for the index");
      }
      if (bytes >= LEAST_LARGE_PAGE_BYTES) {
        int ignored = (int) madvise.invokeExact(mapped, bytes, MADV_HUGEPAGE);
      }
      return mapped.reinterpret(bytes, arena, gone -> unmap(gone, bytes));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native call threw what it cannot throw", e);
    }
  }

  private void unmap(MemorySegment segment, long bytes) {
    try {
      int ignored = (int) munmap.invokeExact(segment, bytes);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native call threw what it cannot throw", e);
    }
  }
}
