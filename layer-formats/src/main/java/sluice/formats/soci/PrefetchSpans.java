package sluice.formats.soci;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import sluice.core.ByteRange;
import sluice.core.CorruptException;

/**
 * Reads a prefetch artifact: the spans that are worth fetching before anybody asks, {@code
 * {"version":"1.0","prefetch_spans":[{"start_span":2,"end_span":5}]}}, the last one included.
 */
final class PrefetchSpans {

  /** Ten thousand ranges of spans; a layer has as many only if it is larger than any. */
  static final int MAX_BYTES = 1 << 20;

  private static final JsonFactory JSON = new JsonFactory();

  private PrefetchSpans() {}

  /**
   * The parts of the tar stream that the spans decode to, in the artifact's order.
   *
   * @throws CorruptException if it is no such document, or names spans that are not there
   */
  static List<ByteRange> read(byte[] document, Spans spans, String resource)
      throws CorruptException {
    List<ByteRange> ranges = new ArrayList<>();
    try (JsonParser json = JSON.createParser(document)) {
      require(json.nextToken() == JsonToken.START_OBJECT, "no object", resource);
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        boolean wanted = json.currentName().equals("prefetch_spans");
        JsonToken value = json.nextToken();
        if (wanted && value == JsonToken.START_ARRAY) {
          while (json.nextToken() == JsonToken.START_OBJECT) {
            ranges.add(range(json, spans, resource));
          }
        } else {
          json.skipChildren();
        }
      }
      require(json.currentToken() == JsonToken.END_OBJECT, "no end", resource);
    } catch (CorruptException e) {
      throw e;
    } catch (JsonProcessingException e) {
      throw corrupt(e.getOriginalMessage(), e, resource);
    } catch (IOException e) {
      // Jackson guesses the encoding by the first bytes, and knows some that it cannot read.
      throw corrupt(String.valueOf(e.getMessage()), e, resource);
    }
    return ranges;
  }

  private static ByteRange range(JsonParser json, Spans spans, String resource) throws IOException {
    int first = -1;
    int last = -1;
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      JsonToken value = json.nextToken();
      if (value == JsonToken.VALUE_NUMBER_INT && name.equals("start_span")) {
        first = json.getIntValue();
      } else if (value == JsonToken.VALUE_NUMBER_INT && name.equals("end_span")) {
        last = json.getIntValue();
      } else {
        json.skipChildren();
      }
    }
    require(
        first >= 0 && first <= last && last < spans.count(),
        "spans %d to %d of %d".formatted(first, last, spans.count()),
        resource);
    long from = spans.decoded(first).offset();
    return new ByteRange(from, spans.decoded(last).end() - from);
  }

  private static CorruptException corrupt(String problem, IOException cause, String resource) {
    CorruptException corrupt = corrupt(problem, resource);
    corrupt.initCause(cause);
    return corrupt;
  }

  private static void require(boolean holds, String problem, String resource)
      throws CorruptException {
    if (!holds) {
      throw corrupt(problem, resource);
    }
  }

  private static CorruptException corrupt(String problem, String resource) {
    return new CorruptException("prefetch artifact: " + problem, resource, -1);
  }
}
