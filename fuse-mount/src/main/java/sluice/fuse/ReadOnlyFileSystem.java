package sluice.fuse;

import java.io.Closeable;
import java.io.IOException;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;

/**
 * A read-only tree whose nodes have ids. Safe for use by many threads. Nothing here waits for a
 * registry: only {@link ReadPlan#ensure} does.
 *
 * <p>Ids are the kernel's node ids. An id stays good while the kernel counts references to it
 * ({@link #retain}, {@link #forget}) and is never given to another node. Asked for one that it does
 * not know, any method throws {@link StaleNodeException}; where metadata is broken, {@link
 * sluice.core.CorruptException}.
 */
public interface ReadOnlyFileSystem extends Closeable {

  /** {@code FUSE_ROOT_ID}. */
  long ROOT_NODE = 1;

  /** No node has this id; as an answer: there is no such name. */
  long NO_NODE = 0;

  /** Takes the entries of a directory. */
  @FunctionalInterface
  interface EntryVisitor {
    /**
     * Takes one entry.
     *
     * @param nextCookie where a listing goes on after this entry
     * @param type {@code d_type} of readdir(3)
     * @return whether to go on; if not, the entry counts as not taken
     */
    boolean entry(long nextCookie, long node, long ino, int type, Bytes name) throws IOException;
  }

  /**
   * What statfs(2) says.
   *
   * @param blocks in units of {@link #BLOCK_BYTES}; none is free
   */
  record Statistics(long blocks, long files) {
    public static final int BLOCK_BYTES = 4096;
    public static final int MAX_NAME_BYTES = 255;
  }

  /**
   * Whether files may have POSIX ACLs. The kernel then asks for the ACL of each file that somebody
   * but its owner reads, and must be told that there is none, not that there can be none: it takes
   * that for the result of the permission check ({@code __fuse_get_acl}, fs/fuse/acl.c).
   */
  boolean holdsAcls();

  NodeAttributes attributes(long node) throws IOException;

  /** The node of that name, {@code .} and {@code ..} included, or {@link #NO_NODE}. */
  long lookup(long directory, Bytes name) throws IOException;

  /** Whether the entries of the directory never change, so that they may be cached for ever. */
  boolean lasting(long directory);

  /**
   * Lists a directory, {@code .} and {@code ..} included.
   *
   * @param cookie 0, or what an earlier listing gave with the last entry that was taken
   */
  void list(long directory, long cookie, EntryVisitor visitor) throws IOException;

  Bytes linkTarget(long node) throws IOException;

  /** Names of the node's extended attributes, in the order of their bytes. */
  Set<Bytes> xattrNames(long node) throws IOException;

  /** An extended attribute by its full name, or null. */
  @Nullable Bytes xattr(long node, Bytes name) throws IOException;

  /**
   * Whether the tree that the node is of can hold an xattr of that name. Where not, a program is
   * told so, and need not ask for each file.
   */
  boolean supportsXattr(long node, Bytes name) throws IOException;

  /** Where the bytes of a read lie; shorter than {@code lengthBytes} only at the file's end. */
  ReadPlan plan(long node, long offset, int lengthBytes) throws IOException;

  /**
   * lseek(2) with {@code SEEK_DATA} or {@code SEEK_HOLE}: the first byte at or after {@code offset}
   * that is data, or that is in a hole (the end of the file counts as one). Empty past the end, and
   * where only a hole follows.
   */
  OptionalLong seek(long node, long offset, boolean data) throws IOException;

  Statistics statistics();

  /** Counts one reference of the kernel; false if the node is gone. */
  boolean retain(long node);

  /** Drops {@code references} that were counted before. */
  void forget(long node, long references);

  /**
   * Lets go of metadata and devices. No other call may be under way or follow, but for another
   * {@code close}, which does nothing.
   */
  @Override
  void close();
}
