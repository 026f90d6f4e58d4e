package sluice.fuse;

import java.util.Set;
import sluice.core.Bytes;
import sluice.erofs.MetadataImage;

/**
 * Which xattrs the files of an image may have. Of those that kernel and tools ask of each file, the
 * ones that no file has are answered as not supported: nobody asks again.
 */
final class XattrAnswers {

  /**
   * What {@code ls -l} asks of each file. Told once that the file system has no such thing, it does
   * not ask again; told that this file has none, it does, and the kernel keeps no answer.
   */
  private static final Bytes LABEL = Bytes.utf8("security.selinux");

  private static final Set<Bytes> ACLS =
      Set.of(Bytes.utf8("system.posix_acl_access"), Bytes.utf8("system.posix_acl_default"));

  private XattrAnswers() {}

  /** Whether a file of the image may have a POSIX ACL. */
  static boolean holdsAcls(MetadataImage metadata) {
    Set<Bytes> names = metadata.xattrNames();
    return names == null || names.stream().anyMatch(ACLS::contains);
  }

  /** Whether files are asked for the xattr, one by one. */
  static boolean supports(MetadataImage metadata, Bytes attribute) {
    Set<Bytes> names = metadata.xattrNames();
    if (names == null || names.contains(attribute)) {
      return true;
    }
    return ACLS.contains(attribute) ? holdsAcls(metadata) : !attribute.equals(LABEL);
  }
}
