package sluice.erofs;

import java.util.List;
import java.util.Optional;
import sluice.core.Bytes;

/**
 * A prefix of xattr names that EROFS stores as a number ({@code EROFS_XATTR_INDEX_*}). Entries with
 * a number that is not listed are invisible in a kernel mount.
 *
 * @param whole whether the prefix is a whole name already
 */
record XattrNamespace(int index, Bytes prefix, boolean whole) {

  private static final List<XattrNamespace> ALL =
      List.of(
          new XattrNamespace(1, Bytes.utf8("user."), false),
          new XattrNamespace(2, Bytes.utf8("system.posix_acl_access"), true),
          new XattrNamespace(3, Bytes.utf8("system.posix_acl_default"), true),
          new XattrNamespace(4, Bytes.utf8("trusted."), false),
          new XattrNamespace(6, Bytes.utf8("security."), false));

  /** The namespace that a full name lies in. */
  static Optional<XattrNamespace> ofName(Bytes name) {
    for (XattrNamespace namespace : ALL) {
      Bytes prefix = namespace.prefix;
      if (namespace.whole
          ? name.equals(prefix)
          : name.startsWith(prefix) && name.length() > prefix.length()) {
        return Optional.of(namespace);
      }
    }
    return Optional.empty();
  }

  static Optional<XattrNamespace> ofIndex(int index) {
    for (XattrNamespace namespace : ALL) {
      if (namespace.index == index) {
        return Optional.of(namespace);
      }
    }
    return Optional.empty();
  }
}
