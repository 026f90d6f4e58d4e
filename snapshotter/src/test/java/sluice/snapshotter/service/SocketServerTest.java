package sluice.snapshotter.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SocketServerTest {

  @TempDir Path directory;

  @Test
  void listen_makesSocketForItsOwnerAlone() throws Exception {
    Path socket = directory.resolve("run/s.sock");
    try (SocketServer server = SocketServer.listen(socket, List.of())) {
      assertThat(server.socket()).isEqualTo(socket);
      assertThat(mode(socket)).isEqualTo("rw-------");
      assertThat(mode(directory.resolve("run"))).isEqualTo("rwx--x--x");
    }
    assertThat(socket).doesNotExist();
  }

  @Test
  void listen_whereSomebodyListens() throws Exception {
    Path socket = directory.resolve("s.sock");
    try (SocketServer first = SocketServer.listen(socket, List.of())) {
      assertThatThrownBy(() -> SocketServer.listen(socket, List.of()))
          .hasMessageContaining("another process listens there");
      assertThat(first.socket()).exists();
    }
  }

  @Test
  void listen_whereSomebodyListened() throws Exception {
    Path socket = directory.resolve("s.sock");
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(socket));
    }
    assertThat(socket).exists();
    SocketServer.listen(socket, List.of()).close();
    assertThat(socket).doesNotExist();
  }

  @Test
  void listen_whereThereIsAFile() throws Exception {
    Path file = Files.writeString(directory.resolve("s.sock"), "precious");
    assertThatThrownBy(() -> SocketServer.listen(file, List.of()))
        .hasMessageContaining("something else than a socket");
    assertThat(file).hasContent("precious");
  }

  @Test
  void listen_onPathThatIsTooLong() {
    Path socket = directory.resolve("s".repeat(108));
    assertThatThrownBy(() -> SocketServer.listen(socket, List.of()))
        .hasMessageContaining("at most 107");
  }

  private static String mode(Path path) throws Exception {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}
