package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Digest;
import sluice.testing.DockerRegistry;
import sluice.testing.FaultyRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.PrivateContainerd;
import sluice.testing.RegistryFault;

/** What a program in a container, and whoever reads the daemon's log, see of a bad registry. */
@Timeout(180)
final class ContainerFaultsIT {

  private static final Fixtures READER = Fixtures.of("reader");
  private static final String TAG = "nydus-zstd";

  /** A file of one chunk that the default command does not need to start. */
  private static final String FILE = "/data/text1";

  /** The blob that holds it, that of the third layer; its first chunk is the file. */
  private static final Digest BLOB = READER.document(TAG).layers().get(2).digest();

  private static final long IN_ITS_CHUNK = 100;

  @TempDir private Path temporary;
  private DockerRegistry behind;
  private FaultyRegistry registry;
  private Node node;
  private PrivateContainerd containerd;

  @BeforeEach
  void start() throws Exception {
    behind = DockerRegistry.open();
    registry = FaultyRegistry.before(behind);
    LayoutPush.push(READER.directory(), behind.host(), "reader");
    node = Node.start();
    containerd = PrivateContainerd.start(Map.of("sluice", node.socket()));
  }

  @AfterEach
  void stop() throws Exception {
    containerd.close();
    node.close();
    registry.close();
    behind.close();
  }

  @Test
  void wrongByte_isAnErrorInTheContainerUntilTheRegistryIsMended() throws Exception {
    String image = registry.host() + "/reader:" + TAG;
    pull(image);
    containerd.ctr("run", "-d", "--snapshotter", "sluice", image, "c", "/bin/reader", "wait");

    registry.fail(request -> request.isFor(BLOB), new RegistryFault.WrongByte(IN_ITS_CHUNK));
    PrivateContainerd.Result wrong = read();
    assertThat(wrong.status()).isNotZero();
    // EIO
    assertThat(wrong.output()).isEqualTo("error 5 " + FILE + "\ndone\n");
    assertThat(node.daemon().log().lines())
        .filteredOn(line -> line.contains(" ERROR "))
        .singleElement()
        .asString()
        .contains("EIO", "blob " + BLOB)
        .containsPattern("chunk 0, bytes \\[0, [0-9]+\\): \\w+:[0-9a-f]{64} expected")
        .containsPattern("\\w+:[0-9a-f]{64} found");

    registry.mend();
    assertThat(read().output()).isEqualTo(expected());
    containerd.ctr("task", "rm", "--force", "c");
    containerd.ctr("container", "rm", "c");
  }

  /** Reads the file in the container. */
  private PrivateContainerd.Result read() throws Exception {
    return containerd.tryCtr("task", "exec", "--exec-id", "read", "c", "/bin/reader", FILE);
  }

  private void pull(String image) throws Exception {
    try (SluiceProcess sluice =
        SluiceProcess.start(
            temporary.resolve("pull"),
            Map.of(),
            "pull",
            "--containerd",
            containerd.socket().toString(),
            image)) {
      assertThat(sluice.end(SluiceProcess.START_LIMIT)).as(sluice.log()).isZero();
    }
  }

  /** What {@code /bin/reader} says of the file. */
  private static String expected() throws IOException {
    return Files.readAllLines(Fixtures.root().resolve("reader.out")).stream()
            .filter(line -> line.endsWith(FILE))
            .findFirst()
            .orElseThrow()
        + "\ndone\n";
  }
}
