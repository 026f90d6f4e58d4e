package sluice.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import mockwebserver3.MockResponse;
import mockwebserver3.SocketEffect;
import okio.Buffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sluice.core.Lane;
import sluice.core.Repository;

/** Two repositories hold a blob, and one gives other bytes for it. */
@Timeout(30)
final class HoldersTest {

  private static final byte[] LIE = new byte[5];

  private TestRegistry liar;
  private TestRegistry honest;
  private RegistryClient client;
  private Set<Repository> holders;

  @BeforeEach
  void start() throws IOException {
    liar = TestRegistry.start();
    honest = TestRegistry.start();
    client = honest.client();
    holders = new LinkedHashSet<>(List.of(liar.repository(), honest.repository()));
  }

  @AfterEach
  void stop() {
    client.close();
    honest.close();
    liar.close();
  }

  @Test
  void read_afterWrongBytes_asksTheOtherHolders() throws Exception {
    liar.enqueue(lie(10));
    honest.enqueue(TestRegistry.part(10, 5).build(), TestRegistry.part(15, 5).build());

    assertThat(read(10)).isEqualTo(LIE);
    client.rejected(TestRegistry.DIGEST, holders, 10);
    assertThat(read(10)).isEqualTo(TestRegistry.slice(10, 5));
    assertThat(read(15)).isEqualTo(TestRegistry.slice(15, 5));

    assertThat(liar.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void read_whoGaveWrongBytes_staysLastWhateverItAnswers() throws Exception {
    liar.enqueue(lie(10), lie(15));
    honest.enqueue(TestRegistry.status(404), TestRegistry.part(20, 5).build());

    assertThat(read(10)).isEqualTo(LIE);
    client.rejected(TestRegistry.DIGEST, holders, 10);
    assertThat(read(15)).isEqualTo(LIE);
    assertThat(read(20)).isEqualTo(TestRegistry.slice(20, 5));

    assertThat(liar.server.getRequestCount()).isEqualTo(2);
  }

  @Test
  void read_onlyHolderGaveWrongBytes_isAskedAgain() throws Exception {
    liar.enqueue(lie(10), TestRegistry.part(10, 5).build());
    holders = Set.of(liar.repository());

    assertThat(read(10)).isEqualTo(LIE);
    client.rejected(TestRegistry.DIGEST, holders, 10);
    assertThat(read(10)).isEqualTo(TestRegistry.slice(10, 5));
  }

  @Test
  void rejected_blamesOnlyWhoGaveThoseBytes() throws Exception {
    liar.enqueue(lie(10));
    honest.enqueue(TestRegistry.part(10, 5).build());

    assertThat(read(10)).isEqualTo(LIE);
    client.rejected(TestRegistry.DIGEST, holders, 10);
    // The same again, and bytes that nobody gave.
    client.rejected(TestRegistry.DIGEST, holders, 10);
    client.rejected(TestRegistry.DIGEST, holders, 11);
    assertThat(read(10)).isEqualTo(TestRegistry.slice(10, 5));
  }

  @Test
  void rejected_forgetsWhereTheHolderRedirectedTo() throws Exception {
    try (TestRegistry store = TestRegistry.start()) {
      holders = Set.of(honest.repository());
      honest.enqueue(
          TestRegistry.redirect("http://" + store.host() + "/one"),
          TestRegistry.redirect("http://" + store.host() + "/two"));
      store.enqueue(lie(10), TestRegistry.part(10, 5).build());

      assertThat(read(10)).isEqualTo(LIE);
      client.rejected(TestRegistry.DIGEST, holders, 10);
      assertThat(read(10)).isEqualTo(TestRegistry.slice(10, 5));

      assertThat(store.request().getTarget()).isEqualTo("/one");
      assertThat(store.request().getTarget()).isEqualTo("/two");
    }
  }

  @Test
  void rejected_blamesAllWhoGaveAStream() throws Exception {
    try (TestRegistry third = TestRegistry.start()) {
      liar.enqueue(
          TestRegistry.whole().onResponseBody(new SocketEffect.CloseSocket()).build(),
          TestRegistry.status(404),
          lie(15));
      honest.enqueue(TestRegistry.part(50_000, 50_000).build());
      third.enqueue(TestRegistry.status(404), TestRegistry.part(20, 5).build());

      try (InputStream stream = client.open(TestRegistry.DIGEST, holders, Lane.DEMAND)) {
        assertThat(stream.readAllBytes()).hasSize(TestRegistry.BLOB.length);
      }
      client.rejected(TestRegistry.DIGEST, holders, 0);

      holders = new LinkedHashSet<>(List.of(liar.repository(), third.repository()));
      assertThat(read(15)).isEqualTo(LIE);
      assertThat(read(20)).isEqualTo(TestRegistry.slice(20, 5));

      assertThat(liar.server.getRequestCount()).isEqualTo(3);
    }
  }

  private static MockResponse lie(int offset) {
    return TestRegistry.part(offset, 5).body(new Buffer().write(LIE)).build();
  }

  private byte[] read(int offset) throws IOException, InterruptedException {
    ByteBuffer into = ByteBuffer.allocate(5);
    client.read(TestRegistry.DIGEST, holders, offset, into, Lane.DEMAND);
    return into.array();
  }
}
