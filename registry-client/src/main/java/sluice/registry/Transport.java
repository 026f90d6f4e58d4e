package sluice.registry;

import java.io.Closeable;
import java.io.IOException;
import java.net.ProxySelector;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.X509TrustManager;
import okhttp3.Authenticator;
import okhttp3.Call;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import sluice.core.Lane;

/**
 * Sends single requests: no redirects, no credentials, no second try. Each lane has a client with
 * connections of its own, because bytes in flight on a shared connection cannot be overtaken; the
 * fill lane speaks HTTP/1.1, where a connection carries one answer at a time and can be left
 * unread.
 *
 * <p>A call runs on a virtual thread while its caller waits, so that an interrupt or a deadline is
 * obeyed at once, whatever kind of thread the caller is.
 */
final class Transport implements Closeable {

  /** Less than servers keep an idle connection (nginx: 75 s), so that few are found dead. */
  private static final long KEEP_ALIVE_SECONDS = 30;

  /** Connections that stay open while idle; more open on demand. */
  private static final int IDLE_CONNECTIONS = 16;

  private final Map<Lane, OkHttpClient> clients;
  private final Slots slots;
  private final FetchListener listener;

  private Transport(Map<Lane, OkHttpClient> clients, Slots slots, FetchListener listener) {
    this.clients = clients;
    this.slots = slots;
    this.listener = listener;
  }

  static Transport open(
      RegistryConfig config,
      ProxySelector proxies,
      Authenticator proxyAuthenticator,
      SSLSocketFactory sockets,
      X509TrustManager trust,
      FetchListener listener) {
    OkHttpClient base =
        new OkHttpClient.Builder()
            .followRedirects(false)
            .followSslRedirects(false)
            .retryOnConnectionFailure(false)
            .connectTimeout(config.timeouts().connect())
            .readTimeout(config.timeouts().idle())
            .writeTimeout(config.timeouts().idle())
            .proxySelector(proxies)
            .proxyAuthenticator(proxyAuthenticator)
            .sslSocketFactory(sockets, trust)
            .build();
    Map<Lane, OkHttpClient> clients =
        Arrays.stream(Lane.values())
            .collect(
                Collectors.toMap(
                    Function.identity(),
                    lane -> client(base, lane),
                    (one, other) -> one,
                    () -> new EnumMap<>(Lane.class)));
    return new Transport(clients, new Slots(config.connectionsPerHost()), listener);
  }

  private static OkHttpClient client(OkHttpClient base, Lane lane) {
    List<Protocol> protocols =
        switch (lane) {
          case DEMAND, STARTUP -> List.of(Protocol.HTTP_2, Protocol.HTTP_1_1);
          case FILL -> List.of(Protocol.HTTP_1_1);
        };
    return base.newBuilder()
        .protocols(protocols)
        .connectionPool(new ConnectionPool(IDLE_CONNECTIONS, KEEP_ALIVE_SECONDS, TimeUnit.SECONDS))
        .build();
  }

  /**
   * Sends {@code request} and waits for the head of its answer, which the caller closes.
   *
   * @throws IOException if no answer came before the deadline, or within the timeouts
   */
  Answer send(Request request, Lane lane, Slots.Use use, Deadline deadline)
      throws IOException, InterruptedException {
    Slots.Slot slot = slots.acquire(Urls.host(request.url()), lane, use, deadline);
    long start = System.nanoTime();
    Answer answer = null;
    try {
      OkHttpClient client = clients.get(lane);
      if (client == null) {
        throw new AssertionError("every lane has a client");
      }
      Call call = client.newCall(request);
      answer = new Answer(call, head(call, deadline), slot);
    } finally {
      if (answer == null) {
        slot.release();
      }
    }
    listener.answered(lane, answer.status(), Duration.ofNanos(System.nanoTime() - start));
    return answer;
  }

  /**
   * Unlike the reader of a body, this thread holds nothing of the caller's, so it is not waited for
   * when the caller gives up: a name server that hangs can't be interrupted.
   */
  private static Response head(Call call, Deadline deadline)
      throws IOException, InterruptedException {
    CompletableFuture<Response> head = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("registry-call")
        .start(() -> Waiting.complete(head, call::execute, Response::close));
    boolean ended = false;
    try {
      Response response = Waiting.get(head, deadline);
      ended = true;
      return response;
    } finally {
      if (!ended) {
        call.cancel();
        if (!head.cancel(false) && !head.isCompletedExceptionally()) {
          head.join().close();
        }
      }
    }
  }

  @Override
  public void close() {
    for (OkHttpClient client : clients.values()) {
      client.dispatcher().cancelAll();
      client.connectionPool().evictAll();
    }
  }
}
