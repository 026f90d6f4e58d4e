package sluice.formats.toc;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The fields of a TOC entry that say something to us. */
enum TocField {
  NAME("name"),
  TYPE("type"),
  SIZE("size"),
  MODTIME("modtime"),
  LINK_NAME("linkName"),
  MODE("mode"),
  UID("uid"),
  GID("gid"),
  DEV_MAJOR("devMajor"),
  DEV_MINOR("devMinor"),
  XATTRS("xattrs"),
  DIGEST("digest"),
  OFFSET("offset"),
  INNER_OFFSET("innerOffset"),
  END_OFFSET("endOffset"),
  CHUNK_OFFSET("chunkOffset"),
  CHUNK_SIZE("chunkSize"),
  CHUNK_DIGEST("chunkDigest"),
  CHUNK_TYPE("chunkType");

  private static final Map<String, TocField> BY_KEY = new HashMap<>();

  static {
    for (TocField field : values()) {
      BY_KEY.put(field.key, field);
    }
  }

  private final String key;

  TocField(String key) {
    this.key = key;
  }

  /** The field of a JSON key; empty for one that we do not read. */
  static Optional<TocField> of(String key) {
    return Optional.ofNullable(BY_KEY.get(key));
  }

  String key() {
    return key;
  }
}
