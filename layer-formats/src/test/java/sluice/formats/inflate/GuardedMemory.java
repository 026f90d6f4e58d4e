package sluice.formats.inflate;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;

/**
 * Native memory between pages that cannot be touched: who reads or writes one byte past its end
 * ends the process with SIGSEGV.
 */
@SuppressWarnings("restricted") // What a test may do.
final class GuardedMemory implements AutoCloseable {

  private static final int PROT_NONE = 0;
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  /** A multiple of each page size. */
  private static final long GUARD_BYTES = 64 * 1024;

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final MethodHandle MMAP = bind("mmap", LONG, LONG, LONG, INT, INT, INT, LONG);
  private static final MethodHandle MPROTECT = bind("mprotect", INT, LONG, LONG, INT);
  private static final MethodHandle MUNMAP = bind("munmap", INT, LONG, LONG);

  private final long address;
  private final long bytes;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory;

  /** Maps room for {@code capacity} bytes. */
  GuardedMemory(long capacity) throws Throwable {
    bytes = (capacity + 2 * GUARD_BYTES) / GUARD_BYTES * GUARD_BYTES + GUARD_BYTES;
    address = (long) MMAP.invokeExact(0L, bytes, PROT_NONE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
    long usable = bytes - 2 * GUARD_BYTES;
    if (address == -1
        || (int) MPROTECT.invokeExact(address + GUARD_BYTES, usable, PROT_READ_WRITE) != 0) {
      throw new IllegalStateException("mmap of " + bytes + " bytes");
    }
    memory = MemorySegment.ofAddress(address + GUARD_BYTES).reinterpret(usable, arena, null);
  }

  /** The last {@code length} bytes before the guard. */
  ByteBuffer last(int length) {
    return memory.asSlice(memory.byteSize() - length, length).asByteBuffer();
  }

  /** The first {@code length} bytes after the guard. */
  ByteBuffer first(int length) {
    return memory.asSlice(0, length).asByteBuffer();
  }

  @Override
  public void close() {
    arena.close();
    try {
      if ((int) MUNMAP.invokeExact(address, bytes) != 0) {
        throw new IllegalStateException("munmap");
      }
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static MethodHandle bind(String name, MemoryLayout result, MemoryLayout... arguments) {
    return Linker.nativeLinker()
        .downcallHandle(
            Linker.nativeLinker().defaultLookup().findOrThrow(name),
            FunctionDescriptor.of(result, arguments));
  }
}
