package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;

/** What a supervisor hears of a daemon whose mount somebody else has taken away. */
@Timeout(180)
final class HealthIT {

  private static final Fixtures SMALL = Fixtures.of("small");
  private static final String TAG = "nydus-zstd";

  @Test
  void healthz_afterTheNodesMountIsGone_says503AndWhat() throws Exception {
    try (DockerRegistry registry = DockerRegistry.open();
        Node node = Node.start()) {
      LayoutPush.push(SMALL.directory(), registry.host(), "small");
      assertThat(node.get("/healthz").statusCode()).isEqualTo(200);

      var _ = node.client().container("one", SMALL, TAG, registry.host() + "/small:" + TAG);
      Thread.sleep(1100);
      assertThat(node.get("/healthz").body()).isEqualTo("ok\n");

      Shell.run("umount", "-f", "-l", nodeMount(node)).done();
      HttpResponse<String> answer = node.get("/healthz");
      for (int i = 0; i < 20 && answer.statusCode() == 200; i++) {
        Thread.sleep(500);
        answer = node.get("/healthz");
      }
      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(answer.body()).contains("mounts: 1 have ended", "root/m/", "unmounted");
      assertThat(node.directory().resolve("root/health-probe")).doesNotExist();
    }
  }

  /** Where the daemon's one FUSE mount is; that of images with ACLs has a name of its own. */
  private static String nodeMount(Node node) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mounts")).stream()
        .map(line -> line.split(" ", -1)[1])
        .filter(target -> target.startsWith(node.directory() + "/root/node"))
        .findFirst()
        .orElseThrow();
  }
}
