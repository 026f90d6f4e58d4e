package sluice.snapshotter.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.CorruptException;
import sluice.core.DeviceStore;

final class ScratchDevicesTest {

  private static final int LIMIT = 1000;

  @TempDir private Path directory = Path.of("");

  @Test
  void write_beyondTheLimit_isTheLayersFault() throws Exception {
    try (ScratchDevices devices = new ScratchDevices(directory, LIMIT, 10 * LIMIT);
        DeviceStore.Staged staged = devices.stage()) {
      staged.write(ByteBuffer.allocate(LIMIT), 0);
      assertThatThrownBy(() -> staged.write(ByteBuffer.allocate(1), LIMIT))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("more than its index shows");
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void write_ofAllTogetherBeyondTheRoom_isNobodysFault() throws Exception {
    try (ScratchDevices devices = new ScratchDevices(directory, LIMIT, LIMIT);
        DeviceStore.Staged one = devices.stage();
        DeviceStore.Staged other = devices.stage()) {
      one.write(ByteBuffer.allocate(LIMIT - 1), 0);
      other.write(ByteBuffer.allocate(1), 0);
      assertThatThrownBy(() -> other.write(ByteBuffer.allocate(1), 1))
          .isInstanceOf(IOException.class)
          .isNotInstanceOf(CorruptException.class)
          .hasMessageContainingAll("1000 bytes", directory.toString());
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void close_ofWhatWasNotFinished_givesItsRoomBack() throws Exception {
    try (ScratchDevices devices = new ScratchDevices(directory, LIMIT, LIMIT)) {
      for (int tries = 0; tries < 2; tries++) {
        try (DeviceStore.Staged staged = devices.stage()) {
          staged.write(ByteBuffer.allocate(LIMIT), 0);
        }
      }
    }
    assertThat(directory).isEmptyDirectory();
  }
}
