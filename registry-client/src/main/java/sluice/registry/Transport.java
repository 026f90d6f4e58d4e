package sluice.registry;

import java.io.Closeable;
import java.io.IOException;
import java.net.ProxySelector;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
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
 * fill lane and streams of whole blobs speak HTTP/1.1, where a connection carries one answer at a
 * time and can be left unread.
 *
 * <p>A call runs on a virtual thread while its caller waits, so that an interrupt or a deadline is
 * obeyed at once, whatever kind of thread the caller is.
 */
final class Transport implements Closeable {

  /** Less than servers keep an idle connection (nginx: 75 s), so that few are found dead. */
  private static final long KEEP_ALIVE_SECONDS = 30;

  /** Connections that stay open while idle; more open on demand. */
  private static final int IDLE_CONNECTIONS = 16;

  private final Map<Lane, OkHttpClient> answers;
  private final Map<Lane, OkHttpClient> streams;
  private final Slots slots;
  private final FetchListener listener;

  private Transport(
      Map<Lane, OkHttpClient> answers,
      Map<Lane, OkHttpClient> streams,
      Slots slots,
      FetchListener listener) {
    this.answers = answers;
    this.streams = streams;
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
    return new Transport(
        clients(base, Transport::protocols),
        clients(base, lane -> List.of(Protocol.HTTP_1_1)),
        new Slots(config.connectionsPerHost()),
        listener);
  }

  private static List<Protocol> protocols(Lane lane) {
    return switch (lane) {
      case DEMAND, STARTUP -> List.of(Protocol.HTTP_2, Protocol.HTTP_1_1);
      case FILL -> List.of(Protocol.HTTP_1_1);
    };
  }

  private static Map<Lane, OkHttpClient> clients(
      OkHttpClient base, Function<Lane, List<Protocol>> protocols) {
    Map<Lane, OkHttpClient> clients = new EnumMap<>(Lane.class);
    for (Lane lane : Lane.values()) {
      ConnectionPool pool =
          new ConnectionPool(IDLE_CONNECTIONS, KEEP_ALIVE_SECONDS, TimeUnit.SECONDS);
      clients.put(
          lane, base.newBuilder().protocols(protocols.apply(lane)).connectionPool(pool).build());
    }
    return clients;
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
      Call call = client(lane, use).newCall(request);
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

  private OkHttpClient client(Lane lane, Slots.Use use) {
    OkHttpClient client =
        switch (use) {
          case ANSWER -> answers.get(lane);
          case STREAM -> streams.get(lane);
        };
    if (client == null) {
      throw new AssertionError("every lane has its clients");
    }
    return client;
  }

  @Override
  public void close() {
    for (Map<Lane, OkHttpClient> clients : List.of(answers, streams)) {
      for (OkHttpClient client : clients.values()) {
        client.dispatcher().cancelAll();
        client.connectionPool().evictAll();
      }
    }
  }
}
