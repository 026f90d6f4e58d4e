package sluice.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Random;
import org.bouncycastle.crypto.digests.Blake3Digest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ContentHasherTest {

  private static final long SEED = 0x5eed_b1a4e3L;

  /** The vectors that the authors publish: byte i of the input is i mod 251. */
  @ParameterizedTest
  @CsvSource({
    "0,af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    "1,2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    "1023,10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
    "1024,42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
    "1025,d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
    "2048,e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a",
    "2049,5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030",
    "3072,b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2",
    "3073,7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3",
    "4096,015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969",
    "4097,9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995",
    "5120,9cadc15fed8b5d854562b26a9536d9707cadeda9b143978f319ab34230535833",
    "5121,628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff",
    "6144,3e2e5b74e048f3add6d21faab3f83aa44d3b2278afb83b80b3c35164ebeca205",
    "6145,f1323a8631446cc50536a9f705ee5cb619424d46887f3c376c695b70e0f0507f",
    "7168,61da957ec2499a95d6b8023e2b0e604ec7f6b50e80a9678b89d2628e99ada77a",
    "7169,a003fc7a51754a9b3c7fae0367ab3d782dccf28855a03d435f8cfe74605e7817",
    "8192,aae792484c8efe4f19e2ca7d371d8c467ffb10748d8a5a1ae579948f718a2a63",
    "8193,bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b",
    "16384,f875d6646de28985646f34ee13be9a576fd515f76b5b0a26bb324735041ddde4",
    "31744,62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47",
    "102400,bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085",
  })
  void hash_isTheOfficialBlake3Vector(int length, String hex) {
    byte[] input = new byte[length];
    for (int i = 0; i < length; i++) {
      input[i] = (byte) (i % 251);
    }
    assertThat(blake3(ByteBuffer.wrap(input))).isEqualTo(hex);
    assertThat(blake3(direct(input))).isEqualTo(hex);
  }

  @Test
  void hash_isWhatBouncyCastleFindsForAnyLength() {
    Random random = new Random(SEED);
    byte[] input = new byte[1 << 20];
    random.nextBytes(input);
    for (int i = 0; i < 200; i++) {
      int length = random.nextInt(1 << random.nextInt(1, 21));
      assertThat(blake3(ByteBuffer.wrap(input, 0, length)))
          .as("length %d", length)
          .isEqualTo(bouncyCastle(input, length));
    }
  }

  /** Runs of 256 chunks are hashed side by side: the edges of runs, and of what one level holds. */
  @ParameterizedTest
  @ValueSource(
      ints = {31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 257, 258, 511, 512, 513, 769, 1024, 1500})
  void hash_isWhatBouncyCastleFindsAroundRuns(int chunks) {
    byte[] input = new byte[chunks * 1024 + 1];
    new Random(SEED).nextBytes(input);
    for (int length = chunks * 1024 - 1; length <= chunks * 1024 + 1; length++) {
      assertThat(blake3(ByteBuffer.wrap(input, 0, length)))
          .as("length %d", length)
          .isEqualTo(bouncyCastle(input, length));
    }
  }

  @ParameterizedTest
  @EnumSource(Digest.Algorithm.class)
  void hash_readsTheRemainingBytesAndMovesNothing(Digest.Algorithm algorithm) {
    byte[] input = new byte[5000];
    new Random(SEED).nextBytes(input);
    byte[] middle = new byte[4000];
    System.arraycopy(input, 500, middle, 0, 4000);
    for (ByteBuffer buffer : new ByteBuffer[] {ByteBuffer.wrap(input), direct(input)}) {
      buffer.position(500).limit(4500);
      assertThat(ContentHasher.hash(algorithm, buffer))
          .hasSize(algorithm.lengthBytes())
          .isEqualTo(ContentHasher.hash(algorithm, ByteBuffer.wrap(middle)));
      assertThat(buffer.position()).isEqualTo(500);
      assertThat(buffer.limit()).isEqualTo(4500);
    }
  }

  @ParameterizedTest
  @EnumSource(Digest.Algorithm.class)
  void matches_isFalseForOneOtherBit(Digest.Algorithm algorithm) {
    byte[] input = new byte[70_000];
    Digest digest = Digest.of(algorithm, ContentHasher.hash(algorithm, ByteBuffer.wrap(input)));
    assertThat(ContentHasher.matches(digest, ByteBuffer.wrap(input))).isTrue();
    input[69_999] ^= 1;
    assertThat(ContentHasher.matches(digest, ByteBuffer.wrap(input))).isFalse();
  }

  @Test
  void hash_isTheJdksSha512() throws Exception {
    byte[] input = {1, 2, 3};
    assertThat(ContentHasher.hash(Digest.Algorithm.SHA512, ByteBuffer.wrap(input)))
        .isEqualTo(MessageDigest.getInstance("SHA-512").digest(input));
  }

  private static String blake3(ByteBuffer input) {
    return Digest.of(Digest.Algorithm.BLAKE3, ContentHasher.hash(Digest.Algorithm.BLAKE3, input))
        .hex();
  }

  private static String bouncyCastle(byte[] input, int length) {
    Blake3Digest digest = new Blake3Digest(32);
    digest.update(input, 0, length);
    byte[] hash = new byte[32];
    digest.doFinal(hash, 0);
    return Digest.of(Digest.Algorithm.BLAKE3, hash).hex();
  }

  private static ByteBuffer direct(byte[] bytes) {
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }
}
