package sluice.erofs;

import sluice.core.Bytes;
import sluice.core.CorruptException;

/** Receives the entries of a directory. */
@FunctionalInterface
public interface DirectoryVisitor {

  /**
   * One entry, {@code .} and {@code ..} among them.
   *
   * @param nextCookie where to go on after this entry; never 0, stable as long as the image exists
   * @param nid the inode's number
   * @param linuxType {@code DT_*} as {@code readdir} wants it; 0 if the image does not say
   * @param name 1 to 255 bytes without {@code /} and NUL
   * @return false to stop: the entry counts as not taken if its own {@code nextCookie} is not used
   */
  boolean entry(long nextCookie, long nid, int linuxType, Bytes name) throws CorruptException;
}
