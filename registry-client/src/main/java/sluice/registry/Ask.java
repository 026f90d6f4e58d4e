package sluice.registry;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import okhttp3.HttpUrl;
import okhttp3.RequestBody;
import org.jspecify.annotations.Nullable;

/**
 * One request of the protocol, before it is authorized.
 *
 * @param url where it goes first
 * @param headers besides those that authorize
 * @param body what is sent, null for requests without a body
 * @param scopes what a token for it must allow, in the words of token servers: {@code
 *     repository:NAME:pull}
 * @param accepted statuses that are an answer; all others are a refusal
 * @param use what the answer's connection is for
 */
record Ask(
    String method,
    HttpUrl url,
    Map<String, String> headers,
    @Nullable RequestBody body,
    List<String> scopes,
    Set<Integer> accepted,
    Slots.Use use) {

  /** Reads from a repository. */
  static Ask get(Source source, HttpUrl url) {
    return new Ask(
        "GET", url, Map.of(), null, List.of(scope(source, "pull")), Set.of(200), Slots.Use.ANSWER);
  }

  /** Writes to a repository, whatever the method. */
  static Ask push(Source source, String method, HttpUrl url, @Nullable RequestBody body) {
    return new Ask(
        method,
        url,
        Map.of(),
        body,
        List.of(scope(source, "pull,push")),
        Set.of(),
        Slots.Use.ANSWER);
  }

  Ask with(String header, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new Ask(method, url, more, body, scopes, accepted, use);
  }

  Ask accepting(Integer... statuses) {
    return new Ask(method, url, headers, body, scopes, Set.of(statuses), use);
  }

  Ask allowing(List<String> wanted) {
    return new Ask(method, url, headers, body, wanted, accepted, use);
  }

  Ask asStream() {
    return new Ask(method, url, headers, body, scopes, accepted, Slots.Use.STREAM);
  }

  /** Whether repeating it elsewhere is harmless and needs nothing sent again. */
  boolean isRead() {
    return body == null && (method.equals("GET") || method.equals("HEAD"));
  }

  static String scope(Source source, String actions) {
    return "repository:" + source.repository().name() + ':' + actions;
  }

  /** Method, host, path and range: what a message says of it. */
  @Override
  public String toString() {
    String range = headers.get("Range");
    return method + ' ' + Urls.redacted(url) + (range == null ? "" : " (" + range + ')');
  }
}
