package sluice.formats.tar;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.CorruptException;

/** Any statement of any part of a tar stream: it agrees, or is refused. */
class HeaderCheckFuzzTest {

  private static final HeaderCheck CHECK = new HeaderCheck();

  static Stream<byte[]> inputs() throws IOException {
    byte[] tar = HeaderCheckTest.tar();
    return Stream.of(
        new byte[0],
        together(new byte[0], tar),
        together(HeaderCheckTest.statement(2560), new byte[0]),
        together(HeaderCheckTest.statement(2560), tar),
        together(HeaderCheckTest.statement(2048), tar));
  }

  /** The statement's length as u16, the statement, the tar stream. */
  private static byte[] together(byte[] statement, byte[] tar) {
    return ByteBuffer.allocate(Short.BYTES + statement.length + tar.length)
        .putShort((short) statement.length)
        .put(statement)
        .put(tar)
        .array();
  }

  @MethodSource("inputs")
  @FuzzTest(maxDuration = "10m")
  void check_anyStatementOfAnyTar(byte[] input) {
    ByteBuffer in = ByteBuffer.wrap(input);
    int stated = in.remaining() < Short.BYTES ? 0 : Short.toUnsignedInt(in.getShort());
    int length = Math.min(stated, in.remaining());
    ByteBuffer statement = in.slice(in.position(), length);
    ByteBuffer tar = in.slice(in.position() + length, in.remaining() - length);
    try {
      CHECK.check(statement, tar, "bad");
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=bad");
    }
  }
}
