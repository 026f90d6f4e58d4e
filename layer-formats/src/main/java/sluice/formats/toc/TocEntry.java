package sluice.formats.toc;

import java.util.Collections;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;

/**
 * One entry of a TOC as its JSON says it (stargz-snapshotter, {@code estargz/types.go}; podman's
 * {@code endOffset} and {@code chunkType}: {@code pkg/chunked/internal/minimal/compression.go}).
 * What is not there is 0 or empty, as Go reads it. Filled by {@link TocParser} alone.
 */
final class TocEntry {

  static final String FILE = "reg";
  static final String CHUNK = "chunk";

  /** Where the entry begins in the JSON. */
  final long position;

  Bytes name = Bytes.EMPTY;
  String type = "";
  Bytes linkName = Bytes.EMPTY;
  long size;
  String modtime = "";
  long mode;
  long uid;
  long gid;
  long devMajor;
  long devMinor;
  SortedMap<Bytes, Bytes> xattrs = Collections.emptySortedMap();

  /** Digest of the whole file. */
  @Nullable String digest;

  /** Where the chunk begins in the blob. */
  long offset;

  /** First byte of the payload in what the chunk decodes to. */
  long innerOffset;

  /** podman's dialect: where the last chunk of the file ends in the blob. */
  long endOffset;

  /** First byte of the payload in the file. */
  long chunkOffset;

  /** 0: the payload reaches to the end of the file. */
  long chunkSize;

  @Nullable String chunkDigest;
  String chunkType = "";

  TocEntry(long position) {
    this.position = position;
  }

  boolean isFile() {
    return type.equals(FILE);
  }

  boolean isChunk() {
    return type.equals(CHUNK);
  }
}
