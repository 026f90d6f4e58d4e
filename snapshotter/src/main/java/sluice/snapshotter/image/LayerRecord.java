package sluice.snapshotter.image;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import sluice.core.ByteRange;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.DeviceId;
import sluice.core.Digest;
import sluice.core.LayerIndex.PrefetchHint;
import sluice.core.Repository;

/**
 * The file {@code layer.json} beside a layer's tree: what the tree itself does not say.
 *
 * @param version of this form; of one that is not known nothing is read, and nothing deleted
 * @param claims the layer's claim, or none
 */
record LayerRecord(
    @JsonProperty("version") int version,
    @JsonProperty("diffId") String diffId,
    @JsonProperty("wholeImage") boolean wholeImage,
    @JsonProperty("devices") List<String> devices,
    @JsonProperty("hints") List<Hint> hints,
    @JsonProperty("claims") List<ClaimedLayer> claims) {

  private static final int VERSION = 2;

  /** A version without claims, of which every layer vouched for its tree. */
  private static final int WITHOUT_CLAIMS = 1;

  private static final String RECORD = "layer.json";
  private static final String TREE = "tree.erofs";

  /** The record is ours; one this large is not. 65,535 devices of 67 bytes, and as many hints. */
  private static final long MAX_BYTES = 32L << 20;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .build();

  /** One {@link PrefetchHint}. */
  record Hint(
      @JsonProperty("device") String device,
      @JsonProperty("offset") long offset,
      @JsonProperty("length") long length) {}

  /** What a {@link KeptLayer.Claim} is of; the diff ID is the record's. */
  record ClaimedLayer(
      @JsonProperty("mediaType") String mediaType,
      @JsonProperty("digest") String digest,
      @JsonProperty("size") long size,
      @JsonProperty("holders") List<String> holders) {

    static ClaimedLayer of(KeptLayer.Held held) {
      Descriptor layer = held.layer();
      return new ClaimedLayer(
          layer.mediaType(),
          layer.digest().toString(),
          layer.sizeBytes(),
          held.holders().stream().map(Repository::toString).sorted().toList());
    }

    KeptLayer.Held held(Digest diffId) {
      return new KeptLayer.Held(
          new Descriptor(mediaType, Digest.parse(digest), size),
          diffId,
          holders.stream().map(Repository::parse).collect(Collectors.toUnmodifiableSet()));
    }
  }

  /** Where the tree lies in a layer's directory. */
  static Path tree(Path directory) {
    return directory.resolve(TREE);
  }

  static void write(Path directory, KeptLayer layer) throws IOException {
    LayerRecord record =
        new LayerRecord(
            VERSION,
            layer.diffId().toString(),
            layer.wholeImage(),
            layer.devices().stream().map(DeviceId::hex).toList(),
            layer.hints().stream()
                .map(h -> new Hint(h.device().hex(), h.range().offset(), h.range().length()))
                .toList(),
            Stream.ofNullable(layer.claim())
                .flatMap(claim -> claim.layers().stream())
                .map(ClaimedLayer::of)
                .toList());
    Path file = directory.resolve(RECORD);
    Path next = directory.resolve(RECORD + ".new");
    Files.write(next, JSON.writeValueAsBytes(record));
    DurableFiles.sync(next);
    DurableFiles.publish(next, file);
  }

  /**
   * Reads the layer in {@code directory}: only its record, neither its tree nor its devices.
   *
   * @throws java.nio.file.NoSuchFileException if there is no record
   * @throws CorruptException if the record is damaged
   * @throws IOException also if it is of a version that is not known
   */
  static KeptLayer read(Path directory, LayerKey key) throws IOException {
    Path file = directory.resolve(RECORD);
    if (Files.size(file) > MAX_BYTES) {
      throw new CorruptException(
          "layer record of " + Files.size(file) + " bytes", file.toString(), -1);
    }
    try {
      if (!(JSON.readTree(Files.readAllBytes(file)) instanceof ObjectNode json)) {
        throw new CorruptException("layer record: no JSON object", file.toString(), -1);
      }
      LayerRecord record = record(json);
      if (record.version != VERSION && record.version != WITHOUT_CLAIMS) {
        throw new IOException(
            "%s: layer record of version %d, this Sluice knows %d"
                .formatted(file, record.version, VERSION));
      }
      Digest diffId = Digest.parse(record.diffId);
      List<KeptLayer.Held> claimed =
          record.claims.stream().map(claim -> claim.held(diffId)).toList();
      return new KeptLayer(
          key,
          diffId,
          record.wholeImage,
          tree(directory),
          record.devices.stream().map(DeviceId::new).toList(),
          record.hints.stream().map(LayerRecord::hint).toList(),
          claimed.isEmpty() ? null : new KeptLayer.Claim(claimed));
    } catch (JacksonException e) {
      throw new CorruptException("layer record: " + e.getOriginalMessage(), file.toString(), -1);
    } catch (IllegalArgumentException e) {
      throw new CorruptException("layer record: " + e.getMessage(), file.toString(), -1);
    }
  }

  private static LayerRecord record(ObjectNode json) throws JacksonException {
    if (json.path("version").asInt() == WITHOUT_CLAIMS) {
      json.putArray("claims");
    }
    return JSON.treeToValue(json, LayerRecord.class);
  }

  private static PrefetchHint hint(Hint hint) {
    return new PrefetchHint(new DeviceId(hint.device), new ByteRange(hint.offset, hint.length));
  }
}
