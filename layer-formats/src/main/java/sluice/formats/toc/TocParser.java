package sluice.formats.toc;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.formats.entry.EntryLimits;

/**
 * Reads a TOC entry by entry: {@code {"version": 1, "entries": […]}}, where Go writes {@code null}
 * for no entries. Fields have the type that is asked for and come once in an entry; {@code null}
 * counts as absent; fields that are not known are skipped. Holds one entry. For one thread.
 */
final class TocParser {

  private static final int VERSION = 1;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxDocumentLength(TocLimits.MAX_TOC_BYTES)
                  .maxNestingDepth(TocLimits.MAX_JSON_DEPTH)
                  .maxStringLength(TocLimits.MAX_STRING_CHARS)
                  .maxNameLength(TocLimits.MAX_FIELD_NAME_CHARS)
                  .maxNumberLength(TocLimits.MAX_NUMBER_CHARS)
                  .build())
          // Names of xattrs are fields, and anybody chooses them: they are not to stay in the JVM.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .build();

  private final JsonParser json;
  private final String resource;

  /** Takes the entries in their order. */
  @FunctionalInterface
  interface Sink {
    /** Takes the next entry, which is not used again. */
    void entry(TocEntry entry) throws IOException;
  }

  private TocParser(JsonParser json, String resource) {
    this.json = json;
    this.resource = resource;
  }

  /**
   * Parses a whole TOC; the caller closes the stream.
   *
   * @param resource what is read, for messages
   * @throws CorruptException if it is no TOC
   */
  static void parse(InputStream toc, String resource, Sink sink) throws IOException {
    try (JsonParser json = JSON.createParser(toc)) {
      json.disable(JsonParser.Feature.AUTO_CLOSE_SOURCE);
      new TocParser(json, resource).document(sink);
    } catch (JsonProcessingException e) {
      long at = e.getLocation() == null ? -1 : e.getLocation().getByteOffset();
      CorruptException corrupt =
          new CorruptException("TOC: JSON: " + e.getOriginalMessage(), resource, at);
      corrupt.initCause(e);
      throw corrupt;
    } catch (CharConversionException e) {
      CorruptException corrupt = new CorruptException("TOC: " + e.getMessage(), resource, -1);
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  private void document(Sink sink) throws IOException {
    expect(json.nextToken(), JsonToken.START_OBJECT, "an object");
    boolean version = false;
    boolean entries = false;
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String key = json.currentName();
      JsonToken value = json.nextToken();
      if (key.equals("version") && !version) {
        version = true;
        long found = number(key);
        if (found != VERSION) {
          throw corrupt("version %d, only %d is known".formatted(found, VERSION));
        }
      } else if (key.equals("entries") && !entries) {
        entries = true;
        if (value != JsonToken.VALUE_NULL) {
          entries(sink);
        }
      } else if (key.equals("version") || key.equals("entries")) {
        throw corrupt("\"" + key + "\" is there twice");
      } else {
        json.skipChildren();
      }
    }
    if (!version || !entries) {
      throw corrupt("\"" + (version ? "entries" : "version") + "\" is missing");
    }
    if (json.nextToken() != null) {
      throw corrupt("something follows the end");
    }
  }

  private void entries(Sink sink) throws IOException {
    expect(json.currentToken(), JsonToken.START_ARRAY, "a list");
    while (json.nextToken() != JsonToken.END_ARRAY) {
      expect(json.currentToken(), JsonToken.START_OBJECT, "an object");
      sink.entry(entry());
    }
  }

  private TocEntry entry() throws IOException {
    TocEntry entry = new TocEntry(json.currentTokenLocation().getByteOffset());
    Set<TocField> seen = EnumSet.noneOf(TocField.class);
    while (json.nextToken() != JsonToken.END_OBJECT) {
      TocField field = TocField.of(json.currentName()).orElse(null);
      boolean absent = json.nextToken() == JsonToken.VALUE_NULL;
      if (field == null) {
        json.skipChildren();
        continue;
      }
      if (!seen.add(field)) {
        throw corrupt("an entry has \"" + field.key() + "\" twice");
      }
      if (!absent) {
        set(entry, field);
      }
    }
    return entry;
  }

  private void set(TocEntry entry, TocField field) throws IOException {
    switch (field) {
      case NAME -> entry.name = name(field.key());
      case TYPE -> entry.type = text(field.key());
      case SIZE -> entry.size = number(field.key());
      case MODTIME -> entry.modtime = text(field.key());
      case LINK_NAME -> entry.linkName = name(field.key());
      case MODE -> entry.mode = number(field.key());
      case UID -> entry.uid = number(field.key());
      case GID -> entry.gid = number(field.key());
      case DEV_MAJOR -> entry.devMajor = number(field.key());
      case DEV_MINOR -> entry.devMinor = number(field.key());
      case XATTRS -> entry.xattrs = xattrs();
      case DIGEST -> entry.digest = text(field.key());
      case OFFSET -> entry.offset = number(field.key());
      case INNER_OFFSET -> entry.innerOffset = number(field.key());
      case END_OFFSET -> entry.endOffset = number(field.key());
      case CHUNK_OFFSET -> entry.chunkOffset = number(field.key());
      case CHUNK_SIZE -> entry.chunkSize = number(field.key());
      case CHUNK_DIGEST -> entry.chunkDigest = text(field.key());
      case CHUNK_TYPE -> entry.chunkType = text(field.key());
    }
  }

  private SortedMap<Bytes, Bytes> xattrs() throws IOException {
    expect(json.currentToken(), JsonToken.START_OBJECT, "an object");
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
    long bytes = 0;
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String key = json.currentName();
      Bytes name = checked(key, "an xattr's name");
      Bytes value =
          json.nextToken() == JsonToken.VALUE_NULL ? Bytes.EMPTY : base64(text("xattr " + key));
      bytes += EntryLimits.XATTR_RECORD_BYTES + name.length() + value.length();
      if (bytes > EntryLimits.MAX_XATTRS_BYTES) {
        throw corrupt(
            "xattrs of an entry: %d bytes, at most %d"
                .formatted(bytes, EntryLimits.MAX_XATTRS_BYTES));
      }
      if (xattrs.put(name, value) != null) {
        throw corrupt("xattr \"" + key + "\" is there twice");
      }
    }
    return xattrs;
  }

  private Bytes base64(String text) throws CorruptException {
    try {
      return Bytes.of(Base64.getDecoder().decode(text));
    } catch (IllegalArgumentException e) {
      throw corrupt("an xattr's value is not base64: " + e.getMessage());
    }
  }

  private Bytes name(String key) throws IOException {
    return checked(text(key), key);
  }

  private Bytes checked(String text, String what) throws CorruptException {
    String problem = TocText.problem(text).orElse(null);
    if (problem != null) {
      throw corrupt("%s \"%s\" %s".formatted(what, text, problem));
    }
    return TocText.bytes(text);
  }

  private String text(String key) throws IOException {
    expect(json.currentToken(), JsonToken.VALUE_STRING, key + ": a string");
    return json.getText();
  }

  private long number(String key) throws IOException {
    expect(json.currentToken(), JsonToken.VALUE_NUMBER_INT, key + ": a whole number");
    return json.getLongValue();
  }

  private void expect(@Nullable JsonToken found, JsonToken wanted, String what)
      throws CorruptException {
    if (found != wanted) {
      throw corrupt("%s expected, found %s".formatted(what, found));
    }
  }

  private CorruptException corrupt(String problem) {
    return new CorruptException(
        "TOC: " + problem, resource, json.currentTokenLocation().getByteOffset());
  }
}
