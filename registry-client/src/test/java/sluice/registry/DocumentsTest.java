package sluice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageRegistry.Content;
import sluice.core.Platform;

class DocumentsTest {

  private static final Digest EMPTY = Digest.sha256(new byte[0]);
  private static final String DESCRIPTOR = descriptor("");
  private static final String MANIFEST =
      "{'schemaVersion':2,'config':%s,'layers':[%s]}".formatted(DESCRIPTOR, DESCRIPTOR);

  @Test
  void document_manifestWithEverything_isRead() throws Exception {
    String subject = descriptor(",'artifactType':'s/t'");
    ImageDocument document =
        manifest(
            """
            {'schemaVersion':2,'mediaType':'%s','artifactType':'art/ifact','subject':%s,
             'config':%s,'layers':[%s],'annotations':{'a':'b'},'unknown':[1,{'x':null}]}
            """
                .formatted(
                    MediaTypes.OCI_MANIFEST,
                    subject,
                    DESCRIPTOR,
                    descriptor(
                        ",'annotations':{'k':'v'},'urls':['https://x.example/y'],"
                            + "'platform':{'os':'linux','architecture':'arm64','variant':'v8','os.features':['f']}")));
    assertThat(document)
        .isInstanceOfSatisfying(
            ImageDocument.Manifest.class,
            manifest -> {
              assertThat(manifest.artifactType()).isEqualTo("art/ifact");
              assertThat(manifest.annotations()).containsEntry("a", "b");
              Descriptor layer = manifest.layers().getFirst();
              assertThat(layer.annotations()).containsEntry("k", "v");
              assertThat(layer.urls()).hasToString("[https://x.example/y]");
              assertThat(layer.platform())
                  .isEqualTo(new Platform("linux", "arm64", "v8", List.of("f")));
              assertThat(manifest.subject())
                  .extracting(s -> s == null ? null : s.artifactType())
                  .isEqualTo("s/t");
            });
  }

  @Test
  void document_nullList_isEmpty() throws Exception {
    assertThat(manifest("{'schemaVersion':2,'config':%s,'layers':null}".formatted(DESCRIPTOR)))
        .isInstanceOfSatisfying(
            ImageDocument.Manifest.class, manifest -> assertThat(manifest.layers()).isEmpty());
    assertThat(index("{'schemaVersion':2,'manifests':[]}"))
        .isEqualTo(new ImageDocument.Index(List.of(), Map.of()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "[]|an object expected, found ARRAY",
        "{}|schemaVersion: a number expected, is missing",
        "{'schemaVersion':3}|schemaVersion: 2 expected, found 3",
        "{'schemaVersion':'2'}|schemaVersion: a whole number, 0 or more, expected, found STRING",
        "{'schemaVersion':1,'fsLayers':[]}|schema 1",
        "{'schemaVersion':2}|layers: a list expected, is missing",
        "{'schemaVersion':2,'layers':[]}|config: a descriptor expected, is missing",
        "{'schemaVersion':2,'layers':{},'config':{}}|config.mediaType: a string expected, is missing",
        "{'schemaVersion':2,'layers':[],'config':[]}|config: an object expected, found ARRAY",
        "{'schemaVersion':2,'layers':[],'manifests':[]}|the fields of an index and of a manifest",
        "{'schemaVersion':2,'mediaType':'a/b','layers':[]}|mediaType is a/b, its descriptor says",
        "{'schemaVersion':2,'schemaVersion':2}|JSON: Duplicate",
        "{'schemaVersion':2}{}|JSON: Trailing",
        "{'schemaVersion':2|JSON: Unexpected end-of-input",
        "nonsense|JSON: Unrecognized token",
      })
  void document_nonsense_saysWhat(String json, String message) {
    assertCorrupt(json, message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "'size':-1|layers[0].size: a whole number, 0 or more, expected, found -1",
        "'size':1.5|layers[0].size: a whole number, 0 or more, expected, found 1.5",
        "'size':99999999999999999999|layers[0].size: a whole number",
        "'size':null|layers[0].size: a number expected, is missing",
        "'digest':'sha256:zz'|layers[0]: digest: 64 lower-case hexadecimal digits expected",
        "'digest':'md5:abc'|layers[0]: digest: sha256:…, sha512:… or blake3:… expected",
        "'digest':7|layers[0].digest: a string expected, found 7",
        "'mediaType':''|layers[0]: mediaType is empty",
        "'annotations':{'a':1}|layers[0].annotations.a: a string expected, found 1",
        "'urls':['%%']|layers[0]: urls: no URL at character 0",
        "'platform':{'os':'linux'}|layers[0].platform.architecture: a string expected, is missing",
        "'data':'!'|layers[0]: data is not base64",
        "'data':'YWJj'|layers[0]: data has 3 bytes, size says 0",
      })
  void document_badDescriptor_saysWhere(String field, String message) {
    String name = field.substring(0, field.indexOf(':'));
    String good =
        switch (name) {
          case "'size'" -> "'mediaType':'a/b','digest':'" + EMPTY + "',";
          case "'digest'" -> "'mediaType':'a/b','size':0,";
          case "'mediaType'" -> "'size':0,'digest':'" + EMPTY + "',";
          default -> "'mediaType':'a/b','size':0,'digest':'" + EMPTY + "',";
        };
    assertCorrupt(
        "{'schemaVersion':2,'config':%s,'layers':[{%s%s}]}".formatted(DESCRIPTOR, good, field),
        message);
  }

  @Test
  void document_data_isVerified() throws Exception {
    byte[] content = {1, 2, 3};
    String base64 = Base64.getEncoder().encodeToString(content);
    String good =
        "{'mediaType':'a/b','size':3,'digest':'%s','data':'%s'}"
            .formatted(Digest.sha256(content), base64);
    assertThat(manifest("{'schemaVersion':2,'config':%s,'layers':[]}".formatted(good)))
        .isInstanceOfSatisfying(
            ImageDocument.Manifest.class,
            manifest -> assertThat(manifest.config().data()).isEqualTo(Bytes.of(content)));
    String bad = "{'mediaType':'a/b','size':3,'digest':'%s','data':'%s'}".formatted(EMPTY, base64);
    assertCorrupt(
        "{'schemaVersion':2,'config':%s,'layers':[]}".formatted(bad),
        "config: data has the digest " + Digest.sha256(content) + ", expected " + EMPTY);
  }

  @Test
  void document_deepNesting_isRefused() {
    String deep = "[".repeat(100_000);
    assertCorrupt("{'schemaVersion':2,'x':" + deep, "JSON: Document nesting depth");
  }

  @Test
  void document_manyTokens_areRefused() {
    assertCorrupt(
        "{'schemaVersion':2,'x':[" + "0,".repeat(Limits.JSON_TOKENS) + "0]}", "JSON: Token count");
  }

  @Test
  void document_anotherMediaType_isRefused() {
    assertThatThrownBy(
            () -> Documents.document(content(MANIFEST, "application/vnd.oci.image.config.v1+json")))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("is neither a manifest's nor an index's");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws"
      })
  void mediaType_schema1_isRefusedByName(String served) {
    assertThatThrownBy(() -> Documents.mediaType(bytes("{}"), served, "x"))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("schema 1")
        .hasMessageContaining("push the image again");
  }

  @Test
  void mediaType_fromDocumentOrServerOrLooks() throws Exception {
    String own = "{'mediaType':'" + MediaTypes.DOCKER_LIST + "'}";
    assertThat(Documents.mediaType(bytes(own), "text/plain", "x"))
        .isEqualTo(MediaTypes.DOCKER_LIST);
    assertThat(Documents.mediaType(bytes("{}"), MediaTypes.DOCKER_MANIFEST, "x"))
        .isEqualTo(MediaTypes.DOCKER_MANIFEST);
    assertThat(Documents.mediaType(bytes("{'manifests':[]}"), "", "x"))
        .isEqualTo(MediaTypes.OCI_INDEX);
    assertThat(Documents.mediaType(bytes("{'mediaType':'','manifests':[]}"), "", "x"))
        .isEqualTo(MediaTypes.OCI_INDEX);
    assertThat(Documents.mediaType(bytes("{'layers':[]}"), "", "x"))
        .isEqualTo(MediaTypes.OCI_MANIFEST);
    assertThatThrownBy(() -> Documents.mediaType(bytes(own), MediaTypes.OCI_MANIFEST, "x"))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("but it was served as");
  }

  @Test
  void config_platformAndDiffIds_areRead() throws Exception {
    ImageConfig config =
        config(
            "{'os':'linux','architecture':'amd64','rootfs':{'type':'layers','diff_ids':['%s']},'history':null}"
                .formatted(EMPTY));
    assertThat(config.platform()).isEqualTo(new Platform("linux", "amd64"));
    assertThat(config.diffIds()).containsExactly(EMPTY);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{'rootfs':{}}|os: a string expected, is missing",
        "{'os':'linux','rootfs':{}}|architecture: a string expected, is missing",
        "{'os':'linux','architecture':'a'}|rootfs: an object expected, is missing",
        "{'os':'linux','architecture':'a','rootfs':{'diff_ids':['x']}}|rootfs: digest: sha256",
        "{'os':'linux','architecture':'a','rootfs':{'diff_ids':[3]}}|rootfs.diff_ids[0]: a string",
      })
  void config_nonsense_saysWhat(String json, String message) {
    assertThatThrownBy(() -> config(json))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("resource=config sha256:");
  }

  private static String descriptor(String more) {
    return "{'mediaType':'a/b','size':0,'digest':'%s'%s}".formatted(EMPTY, more);
  }

  private static void assertCorrupt(String json, String message) {
    assertThatThrownBy(() -> manifest(json))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("resource=manifest sha256:");
  }

  private static ImageDocument manifest(String json) throws CorruptException {
    return Documents.document(content(json, MediaTypes.OCI_MANIFEST));
  }

  private static ImageDocument index(String json) throws CorruptException {
    return Documents.document(content(json, MediaTypes.OCI_INDEX));
  }

  private static ImageConfig config(String json) throws CorruptException {
    return Documents.config(content(json, "application/vnd.oci.image.config.v1+json"));
  }

  private static Content content(String json, String mediaType) {
    Bytes bytes = bytes(json);
    return new Content(
        new Descriptor(mediaType, Digest.sha256(bytes.toArray()), bytes.length()), bytes);
  }

  private static Bytes bytes(String json) {
    return Bytes.utf8(json.replace('\'', '"'));
  }
}
