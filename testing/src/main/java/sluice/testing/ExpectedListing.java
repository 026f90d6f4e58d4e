package sluice.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.Digest;
import sluice.testing.TreeEntry.DeviceNumber;

/**
 * The root file system that every tag of a fixture must show, as {@code testing/fixtures/README.md}
 * describes the listings. Where a line has a {@code containerd} field, the line's own values are
 * the right ones; what containerd's own unpack shows is only for trees with layers that it
 * unpacked.
 */
public final class ExpectedListing implements Tree {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final SortedMap<Bytes, TreeEntry> entries;
  private final SortedMap<Bytes, JsonNode> unpacked;

  private ExpectedListing(
      SortedMap<Bytes, TreeEntry> entries, SortedMap<Bytes, JsonNode> unpacked) {
    this.entries = entries;
    this.unpacked = unpacked;
  }

  /** Reads a listing: one JSON object a line. */
  public static ExpectedListing read(Path file) throws IOException {
    SortedMap<Bytes, TreeEntry> entries = new TreeMap<>();
    SortedMap<Bytes, JsonNode> unpacked = new TreeMap<>();
    for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
      JsonNode node = JSON.readTree(line);
      Bytes path = path(node.required("path").textValue());
      entries.put(path, entry(path, node));
      if (node.has("containerd")) {
        unpacked.put(path, node.get("containerd"));
      }
    }
    return new ExpectedListing(Collections.unmodifiableSortedMap(entries), unpacked);
  }

  /**
   * The listing for a chain of which containerd unpacked some layers: where {@code actual} shows
   * what containerd's unpack is known to show otherwise, that is expected.
   */
  public Tree orAsUnpacked(Tree actual) {
    SortedMap<Bytes, TreeEntry> either = new TreeMap<>(entries);
    unpacked.forEach((path, fields) -> {
      TreeEntry found = actual.entries().get(path);
      if (found != null) {
        either.computeIfPresent(path, (key, own) -> either(own, fields, found));
      }
    });
    return () -> either;
  }

  private static TreeEntry either(TreeEntry own, JsonNode fields, TreeEntry found) {
    Timestamp mtime = own.mtime();
    if (fields.has("mtime")) {
      Timestamp other =
          fields.get("mtime").isNull() ? null : Timestamp.parse(fields.get("mtime").textValue());
      mtime = other == null || other.equals(found.mtime()) ? other : mtime;
    }
    SortedMap<Bytes, Bytes> xattrs = own.xattrs();
    if (fields.has("xattrs") && xattrs(fields.get("xattrs")).equals(found.xattrs())) {
      xattrs = found.xattrs();
    }
    return new TreeEntry(
        own.type(),
        own.mode(),
        own.uid(),
        own.gid(),
        own.size(),
        mtime,
        own.target(),
        own.device(),
        own.nlink(),
        own.same(),
        xattrs,
        own.content());
  }

  @Override
  public SortedMap<Bytes, TreeEntry> entries() {
    return entries;
  }

  private static TreeEntry entry(Bytes path, JsonNode node) {
    String type = node.required("type").textValue();
    String mtime = node.required("mtime").textValue();
    return new TreeEntry(
        FileType.valueOf(type.toUpperCase(Locale.ROOT)),
        Integer.parseInt(node.required("mode").textValue(), 8),
        node.required("uid").longValue(),
        node.required("gid").longValue(),
        node.path("size").asLong(),
        mtime == null ? null : Timestamp.parse(mtime),
        node.has("target") ? unescape(node.get("target").textValue()) : null,
        device(node.path("rdev").textValue()),
        node.path("nlink").asLong(1),
        node.has("same") ? path(node.get("same").textValue()) : path,
        xattrs(node.path("xattrs")),
        node.has("sha256")
            ? new Digest(Digest.Algorithm.SHA256, node.get("sha256").textValue())
            : null);
  }

  private static @Nullable DeviceNumber device(@Nullable String text) {
    if (text == null) {
      return null;
    }
    int colon = text.indexOf(':');
    return new DeviceNumber(
        Long.parseLong(text, 0, colon, 10), Long.parseLong(text, colon + 1, text.length(), 10));
  }

  private static SortedMap<Bytes, Bytes> xattrs(JsonNode node) {
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
    node.properties()
        .forEach(xattr ->
            xattrs.put(
                Bytes.utf8(xattr.getKey()),
                Bytes.of(Base64.getDecoder().decode(xattr.getValue().textValue()))));
    return xattrs;
  }

  private static Bytes path(String text) {
    return text.equals("/") ? Bytes.EMPTY : unescape(text);
  }

  /** Reads {@code %XX} as a byte and every other character as itself. */
  private static Bytes unescape(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '%') {
        bytes.write(HexFormat.fromHexDigits(text, i + 1, i + 3));
        i += 2;
      } else {
        bytes.write(text.charAt(i));
      }
    }
    return Bytes.of(bytes.toByteArray());
  }
}
