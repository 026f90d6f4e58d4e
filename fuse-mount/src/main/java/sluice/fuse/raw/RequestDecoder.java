package sluice.fuse.raw;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.fuse.FuseRequest;
import sluice.fuse.Opcode;

/** Reads requests as the kernel writes them: a {@link InHeader}, the opcode's structure, names. */
final class RequestDecoder {

  /** {@code struct fuse_init_in} before INIT_EXT: major, minor, max_readahead, flags. */
  private static final int INIT_SHORT_BYTES = 16;

  private static final int FORGET_ONE_BYTES = 16;
  private static final int BATCH_FORGET_BYTES = 8;
  private static final int GETXATTR_BYTES = 8;

  /** What a request must hold of the structures whose fields are read here. */
  private static final int READ_BYTES = 24;

  private static final int LSEEK_BYTES = 24;

  private RequestDecoder() {}

  /**
   * Reads one request.
   *
   * @param buffer what read(2) gave; nothing of the result refers to it
   * @param lengthBytes how much that is, at least a header
   * @throws CorruptException if it is shorter than its opcode needs
   */
  static FuseRequest decode(InHeader header, Opcode opcode, MemorySegment buffer, long lengthBytes)
      throws IOException {
    MemorySegment body = buffer.asSlice(InHeader.BYTES, lengthBytes - InHeader.BYTES);
    long unique = header.unique();
    long node = header.node();
    return switch (opcode) {
      case INIT -> init(unique, need(body, INIT_SHORT_BYTES, opcode));
      case LOOKUP -> new FuseRequest.Lookup(unique, node, name(body, 0, opcode));
      case FORGET ->
          new FuseRequest.Forget(unique, node, Wire.i64(need(body, Long.BYTES, opcode), 0));
      case BATCH_FORGET -> batchForget(unique, need(body, BATCH_FORGET_BYTES, opcode));
      case GETATTR -> new FuseRequest.GetAttr(unique, node);
      case READLINK -> new FuseRequest.ReadLink(unique, node);
      case READ -> {
        need(body, READ_BYTES, opcode);
        yield new FuseRequest.Read(
            unique, node, Wire.i64(body, 8), Wire.i32(body, 16), header.pid());
      }
      case READDIR -> {
        need(body, READ_BYTES, opcode);
        yield new FuseRequest.ReadDir(unique, node, Wire.i64(body, 8), Wire.i32(body, 16));
      }
      case READDIRPLUS -> {
        need(body, READ_BYTES, opcode);
        yield new FuseRequest.ReadDirPlus(unique, node, Wire.i64(body, 8), Wire.i32(body, 16));
      }
      case STATFS -> new FuseRequest.StatFs(unique, node);
      case GETXATTR -> {
        need(body, GETXATTR_BYTES, opcode);
        yield new FuseRequest.GetXattr(
            unique, node, name(body, GETXATTR_BYTES, opcode), Wire.i32(body, 0));
      }
      case LISTXATTR -> {
        need(body, GETXATTR_BYTES, opcode);
        yield new FuseRequest.ListXattr(unique, node, Wire.i32(body, 0));
      }
      case LSEEK -> {
        need(body, LSEEK_BYTES, opcode);
        yield new FuseRequest.Lseek(unique, node, Wire.i64(body, 8), Wire.i32(body, 16));
      }
      case INTERRUPT ->
          new FuseRequest.Interrupt(unique, Wire.i64(need(body, Long.BYTES, opcode), 0));
      case DESTROY -> new FuseRequest.Destroy(unique);
      case IOCTL -> new FuseRequest.Ioctl(unique, node);
      case RELEASE, RELEASEDIR, NOTIFY_REPLY -> new FuseRequest.Done(unique, node, opcode);
      case SETATTR,
          SYMLINK,
          MKNOD,
          MKDIR,
          UNLINK,
          RMDIR,
          RENAME,
          LINK,
          WRITE,
          SETXATTR,
          REMOVEXATTR,
          CREATE,
          FALLOCATE,
          RENAME2,
          COPY_FILE_RANGE,
          TMPFILE ->
          new FuseRequest.Change(unique, node, opcode);
      case OPEN,
          OPENDIR,
          FLUSH,
          FSYNC,
          FSYNCDIR,
          SYNCFS,
          ACCESS,
          GETLK,
          SETLK,
          SETLKW,
          BMAP,
          POLL,
          SETUPMAPPING,
          REMOVEMAPPING,
          STATX ->
          new FuseRequest.Declined(unique, node, opcode);
    };
  }

  /** {@code struct fuse_init_in}: u32 major, minor, max_readahead, flags, flags2, unused[11]. */
  private static FuseRequest init(long unique, MemorySegment body) {
    long flags = Wire.u32(body, 12);
    if ((flags & Handshake.INIT_EXT) != 0 && body.byteSize() >= INIT_SHORT_BYTES + Integer.BYTES) {
      flags |= Wire.u32(body, INIT_SHORT_BYTES) << Integer.SIZE;
    }
    return new FuseRequest.Init(
        unique, Wire.i32(body, 0), Wire.i32(body, 4), Wire.i32(body, 8), flags);
  }

  /**
   * {@code struct fuse_batch_forget_in} (u32 count, dummy), then {@code struct fuse_forget_one}s.
   */
  private static FuseRequest batchForget(long unique, MemorySegment body) {
    long fits = (body.byteSize() - BATCH_FORGET_BYTES) / FORGET_ONE_BYTES;
    int count = (int) Math.min(Wire.u32(body, 0), fits);
    List<FuseRequest.Forget> forgets = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      long at = BATCH_FORGET_BYTES + (long) i * FORGET_ONE_BYTES;
      forgets.add(new FuseRequest.Forget(unique, Wire.i64(body, at), Wire.i64(body, at + 8)));
    }
    return new FuseRequest.BatchForget(unique, forgets);
  }

  private static MemorySegment need(MemorySegment body, long bytes, Opcode opcode)
      throws CorruptException {
    if (body.byteSize() < bytes) {
      throw new CorruptException(
          "request %s: %d bytes, expected %d".formatted(opcode.label(), body.byteSize(), bytes),
          "/dev/fuse",
          -1);
    }
    return body;
  }

  /** A name that ends with a NUL. */
  private static Bytes name(MemorySegment body, long from, Opcode opcode) throws CorruptException {
    long end = from;
    while (end < body.byteSize() && body.get(ValueLayout.JAVA_BYTE, end) != 0) {
      end++;
    }
    need(body, end + 1, opcode);
    return Bytes.of(body.asSlice(from, end - from).toArray(ValueLayout.JAVA_BYTE));
  }
}
