package sluice.cache;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Whatever bytes a table has, it is read or refused; nothing else happens. */
final class ChunkTableFuzzTest {

  @FuzzTest(maxDuration = "10m")
  void read_anyBytes_isRefusedOrRead(byte[] bytes) {
    TableReads.readAll(bytes);
  }
}
