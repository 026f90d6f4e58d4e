package sluice.fuse.raw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.fuse.FuseRequest;
import sluice.fuse.NodeAttributes;
import sluice.fuse.Opcode;
import sluice.fuse.ReadOnlyFileSystem.Statistics;

/**
 * Sizes and offsets of the wire structures. The expected numbers are what {@code sizeof} and {@code
 * offsetof} of a C compiler give for {@code linux/fuse.h} of protocol 7.38, x86-64.
 */
final class WireTest {

  private static final NodeAttributes ATTRIBUTES =
      new NodeAttributes(
          0x1112131415161718L,
          0x21222324,
          0x31323334L,
          0xf1424344L,
          1025,
          -2,
          0x51525354,
          7,
          0xa5a6a7a8L);

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment segment = arena.allocate(512, 8).fill((byte) 0x5a);

  @AfterEach
  void free() {
    arena.close();
  }

  @Test
  void inHeader_writtenAndRead_isTheSame() {
    InHeader header = new InHeader(0xfffffff0L, 15, -3, 0x7000000012L, 4711);
    header.write(segment, 0);

    assertThat(InHeader.BYTES).isEqualTo(40);
    assertThat(InHeader.read(segment, 0)).isEqualTo(header);
    assertThat(u32(0)).isEqualTo(0xfffffff0L);
    assertThat(u32(4)).isEqualTo(15);
    assertThat(i64(8)).isEqualTo(-3);
    assertThat(i64(16)).isEqualTo(0x7000000012L);
    assertThat(u32(32)).isEqualTo(4711);
    untouchedFrom(40);
  }

  @Test
  void outHeader_writtenAndRead_isTheSame() {
    OutHeader header = new OutHeader(104, -5, 1L << 63 | 8);
    header.write(segment, 0);

    assertThat(OutHeader.BYTES).isEqualTo(16);
    assertThat(OutHeader.read(segment, 0)).isEqualTo(header);
    assertThat(u32(0)).isEqualTo(104);
    assertThat(segment.get(ValueLayout.JAVA_INT, 4)).isEqualTo(-5);
    assertThat(i64(8)).isEqualTo(1L << 63 | 8);
    untouchedFrom(16);
  }

  @Test
  void attr_written_hasItsFieldsInPlace() {
    Attr.write(segment, 0, ATTRIBUTES);

    assertThat(Attr.BYTES).isEqualTo(88);
    assertThat(Attr.read(segment, 0)).isEqualTo(ATTRIBUTES);
    assertThat(i64(0)).isEqualTo(0x1112131415161718L);
    assertThat(i64(8)).as("size").isEqualTo(1025);
    assertThat(i64(16)).as("blocks").isEqualTo(3);
    assertThat(List.of(i64(24), i64(32), i64(40))).as("times").containsOnly(-2L);
    assertThat(List.of(u32(48), u32(52), u32(56))).as("nanoseconds").containsOnly(0x51525354L);
    assertThat(u32(60)).as("mode").isEqualTo(0x21222324);
    assertThat(u32(64)).as("nlink").isEqualTo(7);
    assertThat(u32(68)).as("uid").isEqualTo(0x31323334L);
    assertThat(u32(72)).as("gid").isEqualTo(0xf1424344L);
    assertThat(u32(76)).as("rdev").isEqualTo(0xa5a6a7a8L);
    assertThat(u32(80)).as("blksize").isEqualTo(4096);
    assertThat(u32(84)).as("flags").isZero();
    untouchedFrom(88);
  }

  @Test
  void entryOut_written_hasItsFieldsInPlace() {
    EntryOut.write(segment, 0, 0x500000021L, 11, 12, ATTRIBUTES);

    assertThat(EntryOut.BYTES).isEqualTo(128);
    assertThat(List.of(i64(0), i64(8), i64(16), i64(24), i64(32)))
        .containsExactly(0x500000021L, 0L, 11L, 12L, 0L);
    assertThat(Attr.read(segment, 40)).isEqualTo(ATTRIBUTES);
    untouchedFrom(128);
  }

  @Test
  void entryOut_none_isNodeZero() {
    EntryOut.writeNone(segment, 0, 11);

    assertThat(i64(0)).isZero();
    assertThat(i64(16)).isEqualTo(11);
    assertThat(segment.asSlice(24, 104).mismatch(arena.allocate(104))).isEqualTo(-1);
    untouchedFrom(128);
  }

  @Test
  void attrOut_written_hasItsFieldsInPlace() {
    AttrOut.write(segment, 0, 13, ATTRIBUTES);

    assertThat(AttrOut.BYTES).isEqualTo(104);
    assertThat(List.of(i64(0), i64(8))).containsExactly(13L, 0L);
    assertThat(Attr.read(segment, 16)).isEqualTo(ATTRIBUTES);
    untouchedFrom(104);
  }

  @Test
  void dirent_written_isPaddedToEight() {
    Bytes name = Bytes.utf8("nine char");
    Dirent.write(segment, 0, 21, 22, 4, name);

    assertThat(Dirent.bytes(name)).isEqualTo(40);
    assertThat(Dirent.bytes(Bytes.utf8("12345678"))).isEqualTo(32);
    assertThat(List.of(i64(0), i64(8), u32(16), u32(20))).containsExactly(21L, 22L, 9L, 4L);
    assertThat(segment.asSlice(24, 9).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(name.toArray());
    assertThat(segment.asSlice(33, 7).mismatch(arena.allocate(7))).isEqualTo(-1);
    untouchedFrom(40);
  }

  @Test
  void initOut_writtenAndRead_isTheSame() {
    InitOut init = new InitOut(41, 1 << 20, 1L << 40 | 1 << 30 | 1, 4096, 3072, 4097, 256);
    init.write(segment, 0);

    assertThat(InitOut.BYTES).isEqualTo(64);
    assertThat(InitOut.read(segment, 0)).isEqualTo(init);
    assertThat(List.of(u32(0), u32(4), u32(8), u32(12), u32(20), u32(24), u32(32)))
        .containsExactly(7L, 41L, 1L << 20, 1L << 30 | 1, 4097L, 1L, 256L);
    assertThat(segment.get(ValueLayout.JAVA_SHORT, 16))
        .as("max_background")
        .isEqualTo((short) 4096);
    assertThat(segment.get(ValueLayout.JAVA_SHORT, 28)).as("max_pages").isEqualTo((short) 256);
    untouchedFrom(64);
  }

  @Test
  void statFsOut_written_hasItsFieldsInPlace() {
    StatFsOut.write(segment, 0, new Statistics(31, 32));

    assertThat(StatFsOut.BYTES).isEqualTo(80);
    assertThat(List.of(i64(0), i64(8), i64(16), i64(24), i64(32)))
        .containsExactly(31L, 0L, 0L, 32L, 0L);
    assertThat(List.of(u32(40), u32(44), u32(48), u32(52))).containsExactly(4096L, 255L, 4096L, 0L);
    untouchedFrom(80);
  }

  @Test
  void notifications_written_haveTheirFieldsInPlace() {
    assertThat(NotifyBodies.invalidateEntry(segment, 1, Bytes.utf8("name"))).isEqualTo(16 + 5);
    assertThat(List.of(i64(0), u32(8), u32(12))).containsExactly(1L, 4L, 0L);
    assertThat(segment.getString(16)).isEqualTo("name");

    assertThat(NotifyBodies.invalidateNode(segment, 1)).isEqualTo(24);
    assertThat(List.of(i64(0), i64(8), i64(16))).containsExactly(1L, 0L, 0L);
  }

  @Test
  void decode_aRead_takesNodeOffsetSizeAndThread() throws IOException {
    // fuse_in_header, then fuse_read_in: fh, offset, size, read_flags, lock_owner, flags, padding
    assertThat(
            decode(
                "50000000 0f000000 0800000000000000 2100000001000000 00000000 00000000 67120000 00000000"
                    + "0000000000000000 0010000000000000 00200000 00000000 0000000000000000 00000000 00000000"))
        .isEqualTo(new FuseRequest.Read(8, 0x100000021L, 4096, 8192, 4711));
  }

  @Test
  void decode_aLookup_takesTheNameWithoutItsEnd() throws IOException {
    assertThat(
            decode(
                "2c000000 01000000 0a00000000000000 0100000000000000 00000000 00000000 01000000 00000000"
                    + HexFormat.of().formatHex("abc\0".getBytes(StandardCharsets.US_ASCII))))
        .isEqualTo(new FuseRequest.Lookup(10, 1, Bytes.utf8("abc")));
  }

  @Test
  void decode_aBatch_takesNoMoreThanThereIs() throws IOException {
    assertThat(
            decode(
                "40000000 2a000000 0c00000000000000 0000000000000000 00000000 00000000 00000000 00000000"
                    + "ffffffff 00000000 2100000001000000 0300000000000000"))
        .isEqualTo(
            new FuseRequest.BatchForget(12, List.of(new FuseRequest.Forget(12, 0x100000021L, 3))));
  }

  @Test
  void decode_whatIsTooShort_isRefused() {
    for (Opcode opcode :
        List.of(Opcode.INIT, Opcode.READ, Opcode.LOOKUP, Opcode.GETXATTR, Opcode.INTERRUPT)) {
      InHeader header = new InHeader(InHeader.BYTES, opcode.code(), 1, 1, 1);
      assertThatThrownBy(() -> RequestDecoder.decode(header, opcode, segment, InHeader.BYTES))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining(opcode.label());
    }
  }

  @Test
  void decode_everyOpcode_isARequestOfIt() throws IOException {
    segment.fill((byte) 0);
    for (Opcode opcode : Opcode.values()) {
      InHeader header = new InHeader(512, opcode.code(), 1, 1, 1);
      assertThat(RequestDecoder.decode(header, opcode, segment, 512).opcode()).isEqualTo(opcode);
    }
  }

  private FuseRequest decode(String hex) throws IOException {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    segment.asSlice(0, bytes.length).copyFrom(MemorySegment.ofArray(bytes));
    InHeader header = InHeader.read(segment, 0);
    assertThat(header.lengthBytes()).isEqualTo(bytes.length);
    Opcode opcode = Opcode.of(header.opcode());
    assertThat(opcode).isNotNull();
    return RequestDecoder.decode(header, Objects.requireNonNull(opcode), segment, bytes.length);
  }

  private long u32(long at) {
    return Integer.toUnsignedLong(segment.get(ValueLayout.JAVA_INT, at));
  }

  private long i64(long at) {
    return segment.get(ValueLayout.JAVA_LONG, at);
  }

  private void untouchedFrom(long at) {
    assertThat(segment.get(ValueLayout.JAVA_BYTE, at)).isEqualTo((byte) 0x5a);
  }
}
