package sluice.erofs;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import sluice.core.Bytes;

/** Writes what an {@link ImagePlan} says, in one pass. */
final class ImageEmitter {

  private final ImagePlan plan;
  private final TreeSource source;
  private final ImageOutput output;

  private ImageEmitter(ImagePlan plan, ImageOutput output) {
    this.plan = plan;
    this.source = plan.source();
    this.output = output;
  }

  /** Creates the image; if that fails, nothing is left of it. */
  static void write(ImagePlan plan, Path image) throws IOException {
    try (ImageOutput output = ImageOutput.create(image)) {
      try {
        new ImageEmitter(plan, output).write();
      } catch (IOException | RuntimeException | Error e) {
        Files.delete(image);
        throw e;
      }
    }
  }

  private void write() throws IOException {
    output.padTo(Superblock.OFFSET);
    plan.superblock().write(output.next(Superblock.BYTES));
    for (int i = 0; i < plan.devices().size(); i++) {
      DeviceSlot device = plan.devices().get(i);
      long blocks = device.lengthBytes() >> ImagePlan.BLOCK_BITS;
      new DeviceTable.Slot(device.tag(), blocks, 0, i).write(output.next(DeviceTable.SLOT_BYTES));
    }
    for (int inode = 0; inode < source.inodes(); inode++) {
      writeInode(inode);
    }
    output.padTo(plan.sharedXattrsAt());
    plan.xattrs().writeShared(output);
    output.padTo(plan.dataAt());
    for (int inode = 0; inode < source.inodes(); inode++) {
      writeBlocks(inode);
    }
    output.padTo(plan.imageBytes());
    output.finish(ImagePlan.BLOCK_BITS);
  }

  private void writeInode(int number) throws IOException {
    output.padTo(plan.offset(number));
    Inode inode = plan.inode(number);
    inode.write(output.next(Inode.EXTENDED_BYTES), number + 1);
    plan.xattrs().write(output, plan.xattrs().area(number));
    if (plan.chunkPlanned(number)) {
      writeChunks(number);
    } else if (plan.isInline(number)) {
      if (inode.isDirectory()) {
        writeDirectory(number, plan.dataBlocks(number), Integer.MAX_VALUE);
      } else {
        writeTarget(source.target(number));
      }
    }
  }

  private void writeBlocks(int number) throws IOException {
    int blocks = plan.dataBlocks(number);
    if (blocks == 0) {
      return;
    }
    if (FileType.DIRECTORY.of(source.head(number).mode())) {
      writeDirectory(number, 0, blocks);
    } else {
      writeTarget(source.target(number));
    }
    output.padTo((output.position() + ImagePlan.BLOCK_BYTES - 1) & -ImagePlan.BLOCK_BYTES);
  }

  /** Writes some blocks of a directory, the last of them as long as it is used. */
  private void writeDirectory(int number, int fromBlock, int toBlock) throws IOException {
    int[] next = {0};
    long start = output.position();
    plan.directories()
        .forEachBlock(
            number,
            (entries, used) -> {
              int block = next[0]++;
              if (block >= fromBlock && block < toBlock) {
                output.padTo(start + (long) (block - fromBlock) * ImagePlan.BLOCK_BYTES);
                plan.directories().write(entries, plan, output.next(used));
              }
            });
  }

  private void writeTarget(Bytes target) throws IOException {
    MemorySegment.copy(
        MemorySegment.ofBuffer(target.asBuffer()),
        0,
        output.next(target.length()),
        0,
        target.length());
  }

  private void writeChunks(int number) throws IOException {
    output.padTo((output.position() + ChunkIndexes.INDEX_BYTES - 1) & -ChunkIndexes.INDEX_BYTES);
    ChunkPlan chunks = plan.chunks(number);
    ChunkWriter writer = new ChunkWriter(output, chunks);
    source.extents(number, writer);
    writer.finish();
  }
}
