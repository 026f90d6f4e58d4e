package sluice.fuse;

import java.util.List;
import sluice.core.Bytes;

/**
 * What the kernel asks. Each holds {@code unique}, which names the request in its answer, and
 * {@code node}, the node id that it is about (0 where it is about none).
 *
 * <p>Made for every request: only values, no copies of what the answer does not need. Their text
 * forms are the debug log.
 */
public sealed interface FuseRequest {

  long unique();

  long node();

  Opcode opcode();

  /** Begins the session. The flags are both words of the wire together. */
  record Init(long unique, int major, int minor, int maxReadaheadBytes, long flags)
      implements FuseRequest {
    @Override
    public long node() {
      return ReadOnlyFileSystem.NO_NODE;
    }

    @Override
    public Opcode opcode() {
      return Opcode.INIT;
    }
  }

  /** Finds a name in the directory {@code node}. */
  record Lookup(long unique, long node, Bytes name) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.LOOKUP;
    }
  }

  /** The kernel drops references; not answered. */
  record Forget(long unique, long node, long references) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.FORGET;
    }
  }

  /** Many {@link Forget}s; not answered. */
  record BatchForget(long unique, List<Forget> forgets) implements FuseRequest {
    public BatchForget {
      forgets = List.copyOf(forgets);
    }

    @Override
    public long node() {
      return ReadOnlyFileSystem.NO_NODE;
    }

    @Override
    public Opcode opcode() {
      return Opcode.BATCH_FORGET;
    }
  }

  record GetAttr(long unique, long node) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.GETATTR;
    }
  }

  record ReadLink(long unique, long node) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.READLINK;
    }
  }

  /**
   * Reads a file.
   *
   * @param pid the thread that reads, 0 if it is in a PID namespace that this process can't see
   */
  record Read(long unique, long node, long offset, int sizeBytes, int pid) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.READ;
    }
  }

  record StatFs(long unique, long node) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.STATFS;
    }
  }

  /** Reads an attribute; {@code sizeBytes} 0 asks how long it is. */
  record GetXattr(long unique, long node, Bytes name, int sizeBytes) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.GETXATTR;
    }
  }

  /** Lists the names of attributes; {@code sizeBytes} 0 asks how long the list is. */
  record ListXattr(long unique, long node, int sizeBytes) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.LISTXATTR;
    }
  }

  record ReadDir(long unique, long node, long cookie, int sizeBytes) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.READDIR;
    }
  }

  /** Lists a directory with the attributes of its entries, each a lookup. */
  record ReadDirPlus(long unique, long node, long cookie, int sizeBytes) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.READDIRPLUS;
    }
  }

  /** lseek(2) with {@code SEEK_DATA} or {@code SEEK_HOLE}. */
  record Lseek(long unique, long node, long offset, int whence) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.LSEEK;
    }
  }

  /** The reader of the request {@code target} got a signal; not answered. */
  record Interrupt(long unique, long target) implements FuseRequest {
    @Override
    public long node() {
      return ReadOnlyFileSystem.NO_NODE;
    }

    @Override
    public Opcode opcode() {
      return Opcode.INTERRUPT;
    }
  }

  /** Ends the session. */
  record Destroy(long unique) implements FuseRequest {
    @Override
    public long node() {
      return ReadOnlyFileSystem.NO_NODE;
    }

    @Override
    public Opcode opcode() {
      return Opcode.DESTROY;
    }
  }

  /** Anything that would change the file system: refused with EROFS. */
  record Change(long unique, long node, Opcode opcode) implements FuseRequest {}

  /** An ioctl: files here have none, ENOTTY. */
  record Ioctl(long unique, long node) implements FuseRequest {
    @Override
    public Opcode opcode() {
      return Opcode.IOCTL;
    }
  }

  /**
   * What is declined with ENOSYS, which the kernel remembers: it does without a request from then
   * on. Files and directories need no OPEN (nothing is kept for an open file), ACCESS is checked by
   * the kernel, FLUSH and FSYNC have nothing to write, STATX would say no more than GETATTR.
   */
  record Declined(long unique, long node, Opcode opcode) implements FuseRequest {}

  /** The end of what {@link Declined} began, or an answer to a notification: nothing to do. */
  record Done(long unique, long node, Opcode opcode) implements FuseRequest {}
}
