package sluice.formats.rafs;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.ChunkEncoding.DeflateCheckpoint;
import sluice.core.ContentHasher;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Placement;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.formats.decode.EncodingDecoder;

/**
 * Devices on the heap, filled chunk by chunk from a source: what the chunk cache does, without
 * files, locks or laziness that would matter here. For one thread.
 */
final class MemoryDevices implements DeviceStore {
  private final RangeSource source;
  private final Map<DeviceId, Device> devices = new LinkedHashMap<>();

  MemoryDevices(RangeSource source) {
    this.source = source;
  }

  List<DeviceIndex> indexes() {
    return devices.values().stream().map(device -> device.index).toList();
  }

  @Override
  public LazyDevice add(DeviceIndex index, Set<Repository> holders) throws IOException {
    StringBuilder table = new StringBuilder(index.blob().toString());
    long before = 0;
    for (Chunk chunk : index.chunks()) {
      table.append('\n').append(chunk);
      if (chunk.deviceOffset() < before) {
        throw new CorruptException("chunks out of order: " + chunk, "test", -1);
      }
      before = chunk.deviceOffset();
    }
    DeviceId id =
        new DeviceId(Digest.sha256(table.toString().getBytes(StandardCharsets.UTF_8)).hex());
    return devices.computeIfAbsent(id, key -> new Device(key, index, holders));
  }

  @Override
  public LazyDevice open(DeviceId id) throws IOException {
    return device(id);
  }

  /** Bytes of a device, fetched and verified where that is still to do. */
  byte[] read(DeviceId id, long offset, int length) throws IOException, InterruptedException {
    Device device = device(id);
    device.ensure(offset, length, Lane.DEMAND);
    byte[] bytes = new byte[length];
    device.content.get((int) offset, bytes);
    return bytes;
  }

  private Device device(DeviceId id) throws NoSuchFileException {
    Device device = devices.get(id);
    if (device == null) {
      throw new NoSuchFileException(id.hex());
    }
    return device;
  }

  @Override
  public void addHolders(DeviceId id, Set<Repository> holders) {
    throw new AssertionError("no format adds holders later");
  }

  @Override
  public Staged stage() {
    throw new AssertionError("RAFS stages nothing");
  }

  @Override
  public long occupiedBytes(DeviceId id) throws IOException {
    return device(id).lengthBytes();
  }

  @Override
  public void retain(Collection<DeviceId> live) {
    devices.keySet().retainAll(live);
  }

  private final class Device implements LazyDevice {
    private final DeviceId id;
    private final DeviceIndex index;
    private final Set<Repository> holders;
    private final ByteBuffer content;
    private final ByteBuffer windows;
    private final List<Chunk> present = new ArrayList<>();

    Device(DeviceId id, DeviceIndex index, Set<Repository> holders) {
      this.id = id;
      this.index = index;
      this.holders = holders;
      this.content = ByteBuffer.allocate(Math.toIntExact(index.lengthBytes()));
      // A copy: the store's own must outlive the segment, too.
      this.windows = ByteBuffer.wrap(index.windows().toArray(ValueLayout.JAVA_BYTE));
    }

    @Override
    public DeviceId id() {
      return id;
    }

    @Override
    public long lengthBytes() {
      return index.lengthBytes();
    }

    @Override
    public Path file() {
      throw new AssertionError("on the heap");
    }

    @Override
    public boolean present(long offset, long length) {
      throw new AssertionError("nobody asks here");
    }

    @Override
    public void ensure(long offset, long length, Lane lane)
        throws IOException, InterruptedException {
      for (Chunk chunk : index.chunks()) {
        boolean wanted =
            chunk.placements().stream()
                .anyMatch(placement ->
                    placement.deviceOffset() < offset + length
                        && offset < placement.deviceRange().end());
        if (wanted && !present.contains(chunk)) {
          fill(chunk, lane);
          present.add(chunk);
        }
      }
    }

    private ByteBuffer window(ChunkEncoding encoding) {
      return encoding instanceof DeflateCheckpoint checkpoint
          ? windows.slice((int) checkpoint.window().offset(), (int) checkpoint.window().length())
          : ByteBuffer.allocate(0);
    }

    private void fill(Chunk chunk, Lane lane) throws IOException, InterruptedException {
      ByteBuffer encoded = ByteBuffer.allocate(Math.toIntExact(chunk.encoded().length()));
      source.read(index.blob(), holders, chunk.encoded().offset(), encoded, lane);
      ByteBuffer decoded = ByteBuffer.allocate(Math.toIntExact(chunk.decodedLength()));
      new EncodingDecoder()
          .decode(chunk.encoding(), encoded.flip(), window(chunk.encoding()), decoded);
      for (Placement placement : chunk.placements()) {
        ByteBuffer bytes =
            decoded.slice((int) placement.decodedOffset(), (int) placement.lengthBytes());
        Digest digest = placement.digest();
        if (digest == null || !ContentHasher.matches(digest, bytes)) {
          throw new CorruptException("chunk is not " + digest, index.blob().toString(), -1);
        }
        content.put((int) placement.deviceOffset(), bytes, 0, bytes.remaining());
      }
    }
  }
}
