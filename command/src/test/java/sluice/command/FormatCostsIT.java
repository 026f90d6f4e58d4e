package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.cache.CacheListener;
import sluice.core.FetchException;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.Lane;
import sluice.registry.FetchListener;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;

/**
 * What each format asks of a registry until the tree of an image can be listed, and until one file
 * of 4 KiB was read. The table is written to {@code target/format-costs.md}.
 */
final class FormatCostsIT {

  private static final Fixtures SMALL = Fixtures.of("small");
  private static final String FILE = "data/sizes/f4096";

  @TempDir private Path temporary = Path.of("");

  /**
   * One row.
   *
   * @param tag what is mounted
   * @param indexRequests what a tree of three layers may ask at most, manifest and configuration
   *     included
   * @param lazy whether less than the layers is fetched
   */
  private record Row(String name, String tag, IndexTrust trust, int indexRequests, boolean lazy) {}

  /** Not of what nothing vouches for: that would be looked for in each layer. */
  private static final IndexTrust REFERRERS =
      (layer, binding) ->
          binding == Binding.NOTHING ? Optional.of("it is not measured") : Optional.empty();

  private static final List<Row> ROWS =
      List.of(
          new Row("RAFS", "nydus-zstd", IndexTrust.PINNED, 3, true),
          new Row("RAFS zran", "nydus-zran", IndexTrust.PINNED, 6, true),
          new Row("eStargz", "esgz", IndexTrust.PINNED, 5, true),
          new Row("eStargz, external TOC", "esgz-ext", IndexTrust.PINNED, 9, true),
          new Row("zstd:chunked, podman", "zstdc-podman", IndexTrust.PINNED, 5, true),
          new Row("zstd:chunked, podman 2022", "zstdc-podman-old", IndexTrust.PINNED, 5, true),
          new Row("zstd:chunked, stargz", "zstdc-stargz", IndexTrust.PINNED, 5, true),
          new Row("SOCI v2", "soci2", IndexTrust.PINNED, 9, true),
          new Row("SOCI v1 (referrer)", Fixtures.SOURCE, REFERRERS, 8, true),
          new Row("none: streamed", Fixtures.SOURCE, IndexTrust.PINNED, 5, false));

  /** Counts what registries are asked for and give. */
  private static final class Counter implements FetchListener {
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();

    @Override
    public void answered(Lane lane, int status, Duration latency) {
      requests.incrementAndGet();
    }

    @Override
    public void received(Lane lane, long lengthBytes) {
      bytes.addAndGet(lengthBytes);
    }

    @Override
    public void failed(Lane lane, FetchException.Reason reason) {}
  }

  @Test
  void eachFormat_asksForItsIndexAndThenForWhatIsRead() throws Exception {
    List<String> table = new ArrayList<>();
    table.add(
        "| format | layers | listed: requests | bytes | one file of 4 KiB: requests | bytes |");
    table.add("| --- | ---: | ---: | ---: | ---: | ---: |");
    try (DockerRegistry registry = DockerRegistry.open()) {
      LayoutPush.push(SMALL.directory(), registry.host(), "small");
      for (Row row : ROWS) {
        table.add(measured(row, registry.host() + "/small:" + row.tag));
      }
    }
    Files.write(Path.of("target", "format-costs.md"), table);
  }

  private String measured(Row row, String reference) throws Exception {
    Path root = Files.createTempDirectory(temporary, "root");
    Path directory = Files.createTempDirectory(temporary, "mnt");
    Counter counter = new Counter();
    try (Engine engine =
            Engines.open(root, row.trust, new Engine.Listeners(counter, CacheListener.NONE));
        ImageMount mount = Engines.mount(engine, reference, directory)) {
      list(directory);
      long requests = counter.requests.get();
      long bytes = counter.bytes.get();
      assertThat(requests).as(row.name).isLessThanOrEqualTo(row.indexRequests);

      assertThat(Files.readAllBytes(directory.resolve(FILE))).hasSize(4096);
      long moreRequests = counter.requests.get() - requests;
      long moreBytes = counter.bytes.get() - bytes;
      long layers = mount.image().manifest().sizeBytes();
      if (row.lazy) {
        assertThat(moreRequests).as(row.name).isEqualTo(1);
      } else {
        assertThat(moreRequests).as(row.name).isZero();
        assertThat(bytes).as(row.name).isGreaterThanOrEqualTo(layers);
      }
      return "| %s | %,d | %d | %,d | %d | %,d |"
          .formatted(row.name, layers, requests, bytes, moreRequests, moreBytes);
    }
  }

  private static void list(Path directory) throws IOException {
    try (Stream<Path> walk = Files.walk(directory)) {
      assertThat(walk.filter(Files::isRegularFile).count()).isPositive();
    }
  }
}
