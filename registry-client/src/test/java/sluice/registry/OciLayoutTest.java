package sluice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry.Content;
import sluice.core.Lane;
import sluice.core.Repository;

class OciLayoutTest {

  private static final Path FIXTURES =
      Path.of(System.getProperty("sluice.project"), "testing", "fixtures");

  private final OciLayout layouts = new OciLayout();

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "small",
        "reader",
        "pause",
        "deep",
        "second",
        "implicit",
        "rawnames",
        "empty",
        "one",
        "tarforms"
      })
  void resolve_everyTagOfEveryFixture_readsToTheConfig(String image) throws IOException {
    Repository repository = new Repository.InLayout(FIXTURES.resolve(image));
    List<Descriptor> tagged = new LayoutIndex(FIXTURES.resolve(image)).descriptors();
    assertThat(tagged).isNotEmpty();
    for (Descriptor descriptor : tagged) {
      String tag = descriptor.annotations().get("org.opencontainers.image.ref.name");
      Content content = layouts.resolve(new ImageReference(repository, tag, null));
      assertThat(content.descriptor()).isEqualTo(descriptor);
      assertThat(layouts.resolve(new ImageReference(repository, null, descriptor.digest())).bytes())
          .isEqualTo(content.bytes());
      readConfigs(repository, layouts.document(content));
    }
  }

  private void readConfigs(Repository repository, ImageDocument document) throws IOException {
    switch (document) {
      case ImageDocument.Index index -> {
        for (Descriptor manifest : index.manifests()) {
          readConfigs(repository, layouts.document(layouts.read(repository, manifest)));
        }
      }
      case ImageDocument.Manifest manifest -> {
        // Artifacts may have an empty object as their configuration.
        if (manifest.config().sizeBytes() > 2) {
          assertThat(layouts.config(layouts.read(repository, manifest.config())).platform().os())
              .isEqualTo("linux");
        }
      }
    }
  }

  @Test
  void resolve_unknownTag_listsThoseThereAre() {
    assertThatThrownBy(() ->
            layouts.resolve(ImageReference.parse("oci:" + FIXTURES.resolve("pause") + ":absent")))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("no tag \"absent\", it has [src, esgz, nydus-zstd]");
  }

  @Test
  void resolve_withoutTag_isTheOnlyOneThatHasAName() throws IOException {
    LayoutIndex index = new LayoutIndex(directory);
    Descriptor first = new Descriptor(MediaTypes.OCI_MANIFEST, Digest.sha256(new byte[] {1}), 1);
    Descriptor second = new Descriptor(MediaTypes.OCI_MANIFEST, Digest.sha256(new byte[] {2}), 1);
    index.put("v1", first);
    assertThat(index.find("latest").digest()).isEqualTo(first.digest());
    assertThatThrownBy(() -> index.find("v3")).hasMessageContaining("it has [v1]");
    index.put("v2", second);
    assertThatThrownBy(() -> index.find("latest")).hasMessageContaining("it has [v1, v2]");
  }

  @Test
  void resolve_noLayout_saysSo() {
    assertThatThrownBy(() -> layouts.resolve(ImageReference.parse("oci:" + directory)))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("no index.json");
  }

  @Test
  void referrers_bySubject_findsThoseInNestedIndexes() throws IOException {
    Repository small = new Repository.InLayout(FIXTURES.resolve("small"));
    Digest source = layouts.resolve(new ImageReference(small, "src", null)).descriptor().digest();
    List<Descriptor> all = layouts.referrers(small, source, Optional.empty());
    assertThat(all)
        .extracting(Descriptor::artifactType)
        .containsExactly("application/vnd.amazon.soci.index.v1+json");
    assertThat(layouts.referrers(small, source, Optional.of("another/type"))).isEmpty();

    Repository reader = new Repository.InLayout(FIXTURES.resolve("reader"));
    Digest readerSource =
        layouts.resolve(new ImageReference(reader, "src", null)).descriptor().digest();
    assertThat(layouts.referrers(reader, readerSource, Optional.empty()))
        .extracting(d -> d.digest().hex())
        .contains("0574af7b1341fbb0d79485f5d82604dca169d83ccb97fe70bd7ba1bd4a7dadf7");
  }

  @Test
  void read_range_givesTheBytesOfTheFile() throws Exception {
    Repository holder = new Repository.InLayout(directory);
    byte[] content = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    Descriptor blob = put(holder, content);
    ByteBuffer into = ByteBuffer.allocate(4);
    layouts.read(blob.digest(), Set.of(holder), 3, into, Lane.DEMAND);
    assertThat(into.array()).containsExactly(3, 4, 5, 6);
    try (InputStream whole = layouts.open(blob.digest(), Set.of(holder), Lane.FILL)) {
      assertThat(whole.readAllBytes()).isEqualTo(content);
    }
    assertThatThrownBy(() ->
            layouts.read(blob.digest(), Set.of(holder), 8, ByteBuffer.allocate(3), Lane.DEMAND))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("ends at byte 10, asked for 3 from 8 on");
  }

  @Test
  void read_firstHolderHasNot_triesTheNext() throws Exception {
    Repository empty = new Repository.InLayout(directory.resolve("empty"));
    Repository full = new Repository.InLayout(directory.resolve("full"));
    Descriptor blob = put(full, new byte[] {7, 8});
    Set<Repository> holders = new LinkedHashSet<>(List.of(empty, full));
    ByteBuffer into = ByteBuffer.allocate(2);
    layouts.read(blob.digest(), holders, 0, into, Lane.DEMAND);
    assertThat(into.array()).containsExactly(7, 8);
    assertThatThrownBy(() -> layouts.open(blob.digest(), Set.of(empty), Lane.DEMAND))
        .isInstanceOfSatisfying(
            FetchException.class,
            e -> assertThat(e.reason()).isEqualTo(FetchException.Reason.NOT_FOUND));
  }

  @Test
  void read_contentDoesNotMatchDigest_isCorrupt() throws Exception {
    Repository holder = new Repository.InLayout(directory);
    Descriptor blob = put(holder, "{\"a\":1}".getBytes(StandardCharsets.UTF_8));
    Path file = directory.resolve("blobs/sha256").resolve(blob.digest().hex());
    Files.writeString(file, "{\"a\":2}");
    assertThatThrownBy(() -> layouts.read(holder, blob))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("content has another digest than its name");
  }

  @Test
  void putBlob_contentIsNotWhatTheDescriptorSays_leavesNothing() throws Exception {
    Repository holder = new Repository.InLayout(directory);
    Path content = Files.writeString(directory.resolve("content"), "abc");
    Descriptor wrong = new Descriptor("x/y", Digest.sha256(new byte[] {1}), 3);
    assertThatThrownBy(() -> layouts.putBlob(holder, wrong, content))
        .isInstanceOf(CorruptException.class);
    try (var files = Files.list(directory.resolve("blobs/sha256"))) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void putManifest_byManyThreads_keepsEveryTagAndReplacesEqualOnes() throws Exception {
    Repository holder = new Repository.InLayout(directory);
    Content content = manifest();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      ImageReference target = new ImageReference(holder, "tag" + i % 8, null);
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                try {
                  new OciLayout().putManifest(target, content);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(new LayoutIndex(directory).descriptors()).hasSize(8);
    assertThat(layouts.resolve(new ImageReference(holder, "tag3", null)).bytes())
        .isEqualTo(content.bytes());
    assertThat(Files.readString(directory.resolve("oci-layout")))
        .isEqualTo("{\"imageLayoutVersion\":\"1.0.0\"}");
  }

  private static Content manifest() {
    Bytes bytes =
        Bytes.utf8(
            """
            {"schemaVersion":2,"mediaType":"%s","layers":[],
             "config":{"mediaType":"a/b","digest":"%s","size":0}}
            """
                .formatted(MediaTypes.OCI_MANIFEST, Digest.sha256(new byte[0])));
    Digest digest = Digest.sha256(bytes.toArray());
    return new Content(new Descriptor(MediaTypes.OCI_MANIFEST, digest, bytes.length()), bytes);
  }

  private Descriptor put(Repository holder, byte[] content) throws IOException {
    Path file = Files.write(directory.resolve("source"), content);
    Descriptor descriptor = new Descriptor("x/y", Digest.sha256(content), content.length);
    layouts.putBlob(holder, descriptor, file);
    return descriptor;
  }
}
