package sluice.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.erofs.Attributes;
import sluice.erofs.FileContent;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImageMerge;
import sluice.erofs.MetadataImageWriter;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.FuseSession;
import sluice.fuse.Transport;
import sluice.linux.MountTable;
import sluice.testing.TreeListing;

/** Names are bytes; those that are not UTF-8 can't be passed by jnr-fuse. */
final class RawNamesIT {

  private static final Bytes LATIN = Bytes.of((byte) 'g', (byte) 'r', (byte) 0xfc, (byte) 0xdf);

  @TempDir Path scratch;
  private Path image;
  private Path target;

  @BeforeEach
  void write() throws IOException {
    LayerTree tree = new LayerTree("names");
    tree.file(LATIN, new Attributes(0100644, 0, 0, 0, 0), FileContent.empty());
    Path layer = scratch.resolve("layer.erofs");
    MetadataImageWriter.write(tree, List.of(), layer);
    image = scratch.resolve("image.erofs");
    MetadataImageMerge.merge(List.of(layer), image);
    target = Files.createDirectory(scratch.resolve("mnt"));
  }

  @Test
  void mount_byRaw_showsThem() throws IOException {
    try (FuseSession session = mount(Transport.RAW)) {
      assertThat(TreeListing.of(session.target()).entries()).containsKey(LATIN);
    }
  }

  @Test
  void mount_byJnr_isRefusedWithTheReason() throws IOException {
    assertThatThrownBy(() -> mount(Transport.JNR))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not UTF-8")
        .hasMessageContaining("fuse.transport");
    assertThat(MountTable.at(target)).isEmpty();
  }

  private FuseSession mount(Transport transport) throws IOException {
    return FuseMounters.onDirectory(
        transport, "names", image, List.of(), target, FuseOptions.forUsers(), FuseListener.NONE);
  }
}
