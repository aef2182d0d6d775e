package io.millrace.core.cache;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * One range of anonymous memory, mapped once. Exists because {@link Arena#allocate} zeroes what it
 * hands out: a cache of 64 GiB would touch all its pages at start. Mapped pages cost nothing until
 * written. Owns its arena: after {@link #close} every segment cut from it refuses access.
 */
final class Region implements AutoCloseable {
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x2 | 0x20 | 0x4000;
  private static final long MAP_FAILED = -1;
  private static final MethodHandle MMAP =
      handle(
          "mmap",
          FunctionDescriptor.of(
              ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle MUNMAP =
      handle("munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));

  private final Arena arena;
  private final MemorySegment bytes;

  /** Takes over the arena. */
  Region(long sizeBytes, Arena arena) {
    this.arena = arena;
    bytes = map(sizeBytes, arena);
  }

  MemorySegment bytes() {
    return bytes;
  }

  @Override
  public void close() {
    arena.close();
  }

  @SuppressWarnings("restricted")
  private static MemorySegment map(long sizeBytes, Arena arena) {
    MemorySegment address;
    try {
      address =
          (MemorySegment)
              MMAP.invokeExact(
                  MemorySegment.NULL,
                  sizeBytes,
                  PROT_READ_WRITE,
                  MAP_PRIVATE_ANONYMOUS_NORESERVE,
                  -1,
                  0L);
    } catch (Throwable failure) {
      throw new IllegalStateException("mmap can't be called", failure);
    }
    if (address.address() == MAP_FAILED) {
      throw new FsException(Errno.ENOMEM, "no address space for a cache", "bytes", sizeBytes);
    }
    return address.reinterpret(sizeBytes, arena, mapped -> unmap(mapped, sizeBytes));
  }

  private static void unmap(MemorySegment mapped, long sizeBytes) {
    try {
      int result = (int) MUNMAP.invokeExact(mapped, sizeBytes);
      assert result == 0;
    } catch (Throwable failure) {
      throw new IllegalStateException("munmap can't be called", failure);
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
  }
}
