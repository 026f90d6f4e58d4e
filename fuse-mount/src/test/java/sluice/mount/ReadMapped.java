package sluice.mount;

import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * Prints the SHA-256 of a file that it maps. A process of its own: the JVM that serves a mount must
 * not map its files.
 */
final class ReadMapped {

  private ReadMapped() {}

  public static void main(String[] arguments) throws Exception {
    try (FileChannel file = FileChannel.open(Path.of(arguments[0]))) {
      MappedByteBuffer map = file.map(FileChannel.MapMode.READ_ONLY, 0, file.size());
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(map);
      System.out.write(
          HexFormat.of().formatHex(sha256.digest()).getBytes(StandardCharsets.US_ASCII));
      System.out.flush();
    }
  }
}
