package sluice.fuse;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import sluice.core.Lane;

/**
 * Where the bytes of one read lie. Good while the kernel, or whoever made it, holds the node.
 *
 * <p>Used in this order: {@link #readCached} answers from the page cache without waiting; where it
 * can't, {@link #read} waits for the disk if the bytes are {@link #present}, and after {@link
 * #ensure} if they are not.
 */
public final class ReadPlan {

  /**
   * Bytes that lie together.
   *
   * @param file the device's file; null for zeros
   */
  record Run(@Nullable DeviceFile file, long deviceOffset, int lengthBytes) {}

  private final ServedImage image;
  private final long node;
  private final long offset;
  private final int lengthBytes;
  private final List<Run> runs;

  ReadPlan(ServedImage image, long node, long offset, int lengthBytes, List<Run> runs) {
    this.image = image;
    this.node = node;
    this.offset = offset;
    this.lengthBytes = lengthBytes;
    this.runs = runs;
  }

  /** Length of the answer in bytes. */
  public int lengthBytes() {
    return lengthBytes;
  }

  /** The image that it reads, for what is counted and limited by image. */
  public ServedImage image() {
    return image;
  }

  /** Whether every byte is in a device file and verified. Costs no system call. */
  public boolean present() {
    for (Run run : runs) {
      if (run.file() != null && !run.file().present(run.deviceOffset(), run.lengthBytes())) {
        return false;
      }
    }
    return true;
  }

  /** Waits until all bytes are {@link #present}, fetching what is missing. */
  public void ensure() throws IOException, InterruptedException {
    for (Run run : runs) {
      if (run.file() != null) {
        run.file().device().ensure(run.deviceOffset(), run.lengthBytes(), Lane.DEMAND);
      }
    }
  }

  /**
   * Reads what is {@link #present} if the kernel has it in memory.
   *
   * @return false if the disk must be waited for; then {@code into} holds nothing useful
   */
  public boolean readCached(MemorySegment into) throws IOException {
    long at = 0;
    for (Run run : runs) {
      MemorySegment part = into.asSlice(at, run.lengthBytes());
      at += run.lengthBytes();
      if (run.file() == null) {
        part.fill((byte) 0);
      } else if (!run.file().readCached(part, run.deviceOffset())) {
        return false;
      }
    }
    return true;
  }

  /** Reads what is {@link #present}, waiting for the disk: for platform threads. */
  public void read(MemorySegment into) throws IOException {
    long at = 0;
    for (Run run : runs) {
      MemorySegment part = into.asSlice(at, run.lengthBytes());
      at += run.lengthBytes();
      if (run.file() == null) {
        part.fill((byte) 0);
      } else {
        run.file().read(part, run.deviceOffset());
      }
    }
  }

  @Override
  public String toString() {
    return "image %s, node 0x%x, offset %d, %d bytes"
        .formatted(image.name(), node, offset, lengthBytes);
  }
}
