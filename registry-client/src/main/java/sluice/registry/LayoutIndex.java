package sluice.registry;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.FetchException;

/**
 * The {@code index.json} of an image layout (OCI image specification, "Image Layout"): what its
 * tags lead to. Replaced whole by a rename, so that a reader sees the old or the new one; writers
 * take turns, those of several processes by a lock on the file {@code oci-layout}.
 */
final class LayoutIndex {

  private static final String REF_NAME = "org.opencontainers.image.ref.name";

  /** What a reference without a tag gets. */
  private static final String NO_TAG = "latest";

  private static final String LAYOUT_FILE = "oci-layout";
  private static final String LAYOUT_VERSION = "{\"imageLayoutVersion\":\"1.0.0\"}";

  /** What a message lists of the tags that a layout has. */
  private static final int TAGS_SHOWN = 20;

  /** Guards the file lock, which a process can hold only once. */
  private static final ReentrantLock WRITER = new ReentrantLock();

  private final Path directory;

  LayoutIndex(Path directory) {
    this.directory = directory;
  }

  /** All descriptors, in the order of the file. */
  List<Descriptor> descriptors() throws IOException {
    return Descriptors.parseAll(read().objects("manifests"));
  }

  /**
   * The descriptor with the name {@code tag}. In a layout of a single manifest without a name, any
   * tag means that one; in a layout with a single name, the tag that stands for none means that
   * one.
   */
  Descriptor find(String tag) throws IOException {
    List<Descriptor> descriptors = descriptors();
    for (Descriptor descriptor : descriptors) {
      if (tag.equals(descriptor.annotations().get(REF_NAME))) {
        return descriptor;
      }
    }
    if (descriptors.size() == 1 && !descriptors.getFirst().annotations().containsKey(REF_NAME)) {
      return descriptors.getFirst();
    }
    List<Descriptor> named =
        descriptors.stream().filter(d -> d.annotations().containsKey(REF_NAME)).toList();
    if (tag.equals(NO_TAG) && named.size() == 1) {
      return named.getFirst();
    }
    List<String> tags =
        descriptors.stream()
            .flatMap(d -> Optional.ofNullable(d.annotations().get(REF_NAME)).stream())
            .limit(TAGS_SHOWN)
            .toList();
    throw new FetchException(
        "image layout %s: no tag \"%s\", it has %s".formatted(directory, tag, tags),
        FetchException.Reason.NOT_FOUND,
        0,
        null);
  }

  /**
   * Lets {@code tag} lead to {@code descriptor}, or lists it without a name if the tag is null and
   * the index does not list it yet. Makes the layout if it is not there.
   */
  void put(@Nullable String tag, Descriptor descriptor) throws IOException {
    Files.createDirectories(directory);
    WRITER.lock();
    try (FileChannel marker =
            FileChannel.open(
                directory.resolve(LAYOUT_FILE),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock held = marker.lock()) {
      if (held.channel().size() == 0) {
        marker.write(ByteBuffer.wrap(LAYOUT_VERSION.getBytes(StandardCharsets.UTF_8)));
      }
      ObjectNode index = Files.exists(file()) ? read().node() : emptyIndex();
      if (update(index, tag, descriptor)) {
        replace(index);
      }
    } finally {
      WRITER.unlock();
    }
  }

  private JsonObject read() throws IOException {
    byte[] bytes;
    try {
      long length = Files.size(file());
      if (length > Limits.CONFIG_BYTES) {
        throw new CorruptException(
            "index.json of %d bytes, at most %d are read".formatted(length, Limits.CONFIG_BYTES),
            "image layout " + directory,
            -1);
      }
      bytes = Files.readAllBytes(file());
    } catch (NoSuchFileException e) {
      throw new FetchException(
          "image layout " + directory + ": no index.json; is this an OCI image layout?",
          FetchException.Reason.NOT_FOUND,
          0,
          e);
    }
    return JsonObject.parse(Bytes.of(bytes), "image layout " + directory + ", index.json");
  }

  private static boolean update(ObjectNode index, @Nullable String tag, Descriptor descriptor) {
    ArrayNode kept = index.arrayNode();
    for (var manifest : index.withArray("manifests")) {
      String name = manifest.path("annotations").path(REF_NAME).asText("");
      boolean same = manifest.path("digest").asText("").equals(descriptor.digest().toString());
      if (tag == null && same) {
        return false;
      }
      if (tag == null || !name.equals(tag)) {
        kept.add(manifest);
      }
    }
    ObjectNode added = kept.addObject();
    added.put("mediaType", descriptor.mediaType());
    added.put("digest", descriptor.digest().toString());
    added.put("size", descriptor.sizeBytes());
    if (tag != null) {
      added.putObject("annotations").put(REF_NAME, tag);
    }
    index.set("manifests", kept);
    return true;
  }

  private void replace(ObjectNode index) throws IOException {
    Path temporary = Files.createTempFile(directory, "index", ".tmp");
    try {
      DurableFile.write(temporary, index.toPrettyString().getBytes(StandardCharsets.UTF_8));
      Files.move(temporary, file(), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static ObjectNode emptyIndex() {
    ObjectNode index = JsonObject.empty();
    index.put("schemaVersion", 2);
    index.put("mediaType", MediaTypes.OCI_INDEX);
    index.putArray("manifests");
    return index;
  }

  private Path file() {
    return directory.resolve("index.json");
  }
}
