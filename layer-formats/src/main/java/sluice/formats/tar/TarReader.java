package sluice.formats.tar;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.erofs.LayerTree;

/**
 * Reads the entries of a tar stream, in the order and with the meaning that Go's {@code
 * archive/tar} gives them: extended headers (x) and long names (L, K) change the next entry, global
 * ones (g) change nothing, sparse files of every GNU dialect come with their holes. For one thread.
 *
 * <p>Global headers are ignored because every tool that unpacks images does so; what they could say
 * would make a container see other times or owners than elsewhere.
 */
final class TarReader {

  /** Takes the content of one file, by rising offset. */
  interface ContentSink extends TarInput.Sink {
    /** The next {@code length} bytes of the file are zeros and lie nowhere. */
    void hole(long length) throws IOException;
  }

  /**
   * What a byte of a special header becomes on the heap at most: PAX records of 6 bytes, which a
   * recording copies, too.
   */
  private static final int SPECIAL_HEAP_BYTES = 36;

  private final TarInput input;
  private final LayerTree.Growth growth;
  private final SparseMaps sparseMaps;

  /** Of the longest special header so far: there are a few at a time. */
  private int mostSpecialBytes;

  /** Data of the current entry that nobody has read, and what pads it to a whole block. */
  private long unreadBytes;

  private long paddingBytes;

  /**
   * @param growth is asked before headers and maps of sparse files are larger than those before
   *     them
   */
  TarReader(TarInput input, LayerTree.Growth growth) {
    this.input = input;
    this.growth = growth;
    this.sparseMaps = new SparseMaps(input, growth);
  }

  /**
   * Skips what is left of the entry before, and reads the next one's headers.
   *
   * @return null at the end of the tar stream; what follows it is unread
   * @throws sluice.core.CorruptException if there is no header, or one that cannot be
   */
  @Nullable TarEntry next() throws IOException {
    HeaderChain chain = new HeaderChain();
    while (true) {
      skipRest();
      long offset = input.position();
      byte[] block = new byte[TarHeader.BYTES];
      if (!header(block)) {
        return null;
      }
      TarHeader header = TarHeader.read(block, offset, input.resource());
      if (!HeaderChain.isSpecial(header)) {
        return entry(chain.end(header, new TarField(block, offset, input.resource()), offset));
      }
      chain.add(header, special(header, offset), offset, input.resource());
    }
  }

  /** Passes the content of the entry that {@link #next} returned last to {@code sink}. */
  void content(TarEntry entry, ContentSink sink) throws IOException {
    SparseMap sparse = entry.sparse();
    long left = unreadBytes;
    unreadBytes = 0;
    if (sparse == null) {
      input.transfer(left, sink);
      return;
    }
    if (sparse.dataBytes() != left) {
      throw input.corrupt(
          "sparse file \"%s\": %d bytes of data, its map has %d"
              .formatted(entry.name(), left, sparse.dataBytes()),
          entry.offset());
    }
    long position = 0;
    for (int i = 0; i < sparse.count(); i++) {
      sink.hole(sparse.offset(i) - position);
      input.transfer(sparse.length(i), sink);
      position = sparse.offset(i) + sparse.length(i);
    }
    sink.hole(entry.size() - position);
  }

  private TarEntry entry(EntryHeaders headers) throws IOException {
    try {
      TarHeader own = headers.own();
      PaxRecords.Time mtime = headers.mtime();
      long statedSize = headers.statedSize();
      beginData(own.headerOnly() ? 0 : statedSize, headers);
      Sparse sparse = sparse(headers);
      Bytes name = sparse.name == null ? headers.name() : sparse.name;
      return new TarEntry(
          headers.offset(),
          headers.type(name),
          name,
          headers.linkName(),
          sparse.map == null ? unreadBytes : sparse.size,
          own.mode(),
          headers.uid(),
          headers.gid(),
          mtime.seconds(),
          mtime.nanos(),
          own.devMajor(),
          own.devMinor(),
          headers.pax().xattrs(),
          sparse.map,
          new TarEntry.Raw(
              input.position(),
              statedSize,
              headers.userName(),
              headers.groupName(),
              headers.pax()));
    } catch (IllegalArgumentException e) {
      throw wrong("a PAX record of \"%s\": %s".formatted(headers.name(), e.getMessage()), headers);
    }
  }

  private void beginData(long sizeBytes, EntryHeaders headers) throws IOException {
    if (sizeBytes < 0 || sizeBytes > Long.MAX_VALUE - TarLimits.BLOCK_BYTES) {
      throw wrong("\"%s\" has %d bytes".formatted(headers.name(), sizeBytes), headers);
    }
    unreadBytes = sizeBytes;
    paddingBytes = -sizeBytes & (TarLimits.BLOCK_BYTES - 1);
  }

  /**
   * What makes an entry a sparse file.
   *
   * @param map null if it is none
   * @param size of the whole file
   * @param name null if the name is that of the headers
   */
  private record Sparse(@Nullable SparseMap map, long size, @Nullable Bytes name) {
    static final Sparse NOT = new Sparse(null, 0, null);
  }

  private Sparse sparse(EntryHeaders headers) throws IOException {
    Sparse sparse = headers.own().type() == 'S' ? gnuSparse(headers) : paxSparse(headers);
    if (sparse.map == null) {
      return sparse;
    }
    if (headers.own().headerOnly() || sparse.size < sparse.map.end()) {
      throw wrong(
          "sparse file \"%s\" of %d bytes has data up to %d"
              .formatted(headers.name(), sparse.size, sparse.map.end()),
          headers);
    }
    return sparse;
  }

  private Sparse gnuSparse(EntryHeaders headers) throws IOException {
    if (headers.own().dialect() != TarHeader.Dialect.GNU) {
      throw wrong("a sparse file (type S) without a GNU header", headers);
    }
    SparseMap map = sparseMaps.oldGnu(headers.fields());
    return new Sparse(map, headers.fields().number("realsize", 483, 12), null);
  }

  private Sparse paxSparse(EntryHeaders headers) throws IOException {
    PaxRecords pax = headers.pax();
    String version = pax.text("GNU.sparse.major") + "." + pax.text("GNU.sparse.minor");
    boolean inRecords =
        switch (version) {
          case "0.0", "0.1" -> true;
          case "." -> pax.value(PaxRecords.SPARSE_MAP) != null;
          default -> false;
        };
    boolean inData = version.equals("1.0");
    if (!inRecords && !inData) {
      return Sparse.NOT;
    }
    long size = pax.number("GNU.sparse.size", pax.number("GNU.sparse.realsize", unreadBytes));
    SparseMap map;
    if (inData) {
      long before = input.position();
      map = sparseMaps.pax10(unreadBytes);
      unreadBytes -= input.position() - before;
    } else {
      map = sparseMaps.pax01(pax, headers.offset());
    }
    return new Sparse(map, size, pax.value("GNU.sparse.name"));
  }

  /**
   * Reads the next header block.
   *
   * @return false at the end: two blocks of zeros, or the end of the stream before or after the
   *     first of them
   */
  private boolean header(byte[] block) throws IOException {
    if (!input.read(block)) {
      return false;
    }
    if (!TarHeader.isZero(block)) {
      return true;
    }
    if (input.read(block) && !TarHeader.isZero(block)) {
      throw input.corrupt(
          "a block of zeros and then one that is not", input.position() - TarHeader.BYTES);
    }
    return false;
  }

  private void skipRest() throws IOException {
    input.transfer(unreadBytes, (offset, bytes, from, length) -> {});
    unreadBytes = 0;
    // A stream may end without the padding of its last entry; Go's reader allows it.
    input.skipPadding(paddingBytes);
    paddingBytes = 0;
  }

  /** The whole data of an entry that belongs to another one. */
  private byte[] special(TarHeader header, long offset) throws IOException {
    int size = HeaderChain.specialBytes(header, offset, input.resource());
    if (size > mostSpecialBytes) {
      growth.grow((long) SPECIAL_HEAP_BYTES * (size - mostSpecialBytes));
      mostSpecialBytes = size;
    }
    byte[] content = new byte[size];
    if (size > 0 && !input.read(content)) {
      throw input.corrupt("the stream ends inside a header", input.position());
    }
    paddingBytes = -size & (TarLimits.BLOCK_BYTES - 1);
    return content;
  }

  private IOException wrong(String problem, EntryHeaders headers) {
    return input.corrupt("header: " + problem, headers.offset());
  }
}
