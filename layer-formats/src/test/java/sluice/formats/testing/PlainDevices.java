package sluice.formats.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkDecoder;
import sluice.core.ChunkEncoding;
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
import sluice.core.StatementCheck;
import sluice.formats.decode.EncodingDecoder;
import sluice.formats.tar.HeaderCheck;

/**
 * Devices, each a file in a directory, with the index that describes it. Their bytes are staged, or
 * fetched from a source, decoded and verified, all of them when the device is opened: what the
 * chunk cache does, without laziness that would matter here. For one thread.
 */
public final class PlainDevices implements DeviceStore {

  private static final ChunkDecoder DECODER = new EncodingDecoder();
  private static final StatementCheck HEADERS = new HeaderCheck();

  private final Path directory;
  private final Map<DeviceId, Device> devices = new LinkedHashMap<>();
  private final Map<DeviceId, Set<Repository>> holdersOf = new HashMap<>();
  private final @Nullable RangeSource source;
  private int staged;
  private @Nullable IOException writeFailure;

  /** Keeps staged devices in {@code directory}, which is there. */
  public PlainDevices(Path directory) {
    this.directory = directory;
    this.source = null;
  }

  /** Keeps devices in {@code directory}, which is there, and fills them from {@code source}. */
  public PlainDevices(Path directory, RangeSource source) {
    this.directory = directory;
    this.source = source;
  }

  /** Lets every write fail from now on, as a full disk would. */
  public PlainDevices failingWrites(IOException failure) {
    writeFailure = failure;
    return this;
  }

  /** A device with what it was described as. */
  public record Device(DeviceId id, Path file, DeviceIndex index) implements LazyDevice {
    @Override
    public long lengthBytes() {
      return index.lengthBytes();
    }

    @Override
    public boolean present(long offset, long length) {
      return true;
    }

    @Override
    public void ensure(long offset, long length, Lane lane) {}
  }

  @Override
  public Device add(DeviceIndex index, Set<Repository> holders) {
    DeviceId id = id(index);
    holdersOf.put(id, Set.copyOf(holders));
    return devices.computeIfAbsent(
        id, key -> new Device(id, directory.resolve("a" + id.hex()), index));
  }

  /** All devices in the order in which they were added or finished. */
  public List<Device> all() {
    return List.copyOf(devices.values());
  }

  @Override
  public Device open(DeviceId id) throws IOException {
    Device device = devices.get(id);
    if (device == null) {
      throw new NoSuchFileException(id.hex());
    }
    if (!Files.exists(device.file())) {
      fill(device);
    }
    return device;
  }

  private void fill(Device device) throws IOException {
    RangeSource from = Objects.requireNonNull(source, "devices are added, but have no source");
    DeviceIndex index = device.index();
    try (FileChannel file = FileChannel.open(device.file(), CREATE_NEW, READ, WRITE)) {
      if (index.lengthBytes() > 0) {
        file.write(ByteBuffer.allocate(1), index.lengthBytes() - 1);
      }
      for (Chunk chunk : index.chunks()) {
        ByteBuffer encoded = ByteBuffer.allocate(Math.toIntExact(chunk.encoded().length()));
        from.read(
            index.blob(),
            holdersOf.getOrDefault(device.id(), Set.of()),
            chunk.encoded().offset(),
            encoded,
            Lane.FILL);
        place(index, chunk, encoded.flip(), file);
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private static void place(DeviceIndex index, Chunk chunk, ByteBuffer encoded, FileChannel file)
      throws IOException {
    verify(chunk.encodedDigest(), encoded, chunk);
    ByteRange range =
        switch (chunk.encoding()) {
          case ChunkEncoding.DeflateCheckpoint checkpoint -> checkpoint.window();
          case ChunkEncoding.DeflateSpan span -> span.window();
          default -> new ByteRange(0, 0);
        };
    ByteBuffer window = index.windows().asSlice(range.offset(), range.length()).asByteBuffer();
    ByteBuffer decoded = ByteBuffer.allocate(Math.toIntExact(chunk.decodedLength()));
    DECODER.decode(chunk.encoding(), encoded, window, decoded);
    compare(index, chunk, decoded.flip());
    for (Placement placement : chunk.placements()) {
      ByteBuffer bytes =
          decoded.slice((int) placement.decodedOffset(), (int) placement.lengthBytes());
      verify(placement.digest(), bytes, chunk);
      file.write(bytes, placement.deviceOffset());
    }
  }

  private static void compare(DeviceIndex index, Chunk chunk, ByteBuffer decoded)
      throws CorruptException {
    ByteRange range = chunk.statement();
    if (range.length() > 0) {
      ByteBuffer statement =
          index.statements().asSlice(range.offset(), range.length()).asByteBuffer();
      HEADERS.check(statement, decoded, "blob " + index.blob());
    }
  }

  private static void verify(@Nullable Digest digest, ByteBuffer bytes, Chunk chunk)
      throws CorruptException {
    if (digest != null && !ContentHasher.matches(digest, bytes)) {
      throw new CorruptException("not what " + digest + " names", chunk.toString(), -1);
    }
  }

  private static DeviceId id(DeviceIndex index) {
    MessageDigest table = Digest.sha256();
    table.update(index.blob().toString().getBytes(UTF_8));
    for (Chunk chunk : index.chunks()) {
      table.update(chunk.toString().getBytes(UTF_8));
    }
    return new DeviceId(Digest.of(Digest.Algorithm.SHA256, table.digest()).hex());
  }

  @Override
  public void addHolders(DeviceId id, Set<Repository> holders) {}

  @Override
  public Staged stage() throws IOException {
    Path file = directory.resolve("s" + staged++);
    return new StagedFile(file, FileChannel.open(file, CREATE_NEW, READ, WRITE));
  }

  @Override
  public long occupiedBytes(DeviceId id) throws IOException {
    return Files.size(open(id).file());
  }

  @Override
  public void retain(Collection<DeviceId> live) {
    devices.keySet().retainAll(live);
  }

  private final class StagedFile implements Staged {
    private final Path file;
    private final FileChannel channel;
    private boolean finished;

    StagedFile(Path file, FileChannel channel) {
      this.file = file;
      this.channel = channel;
    }

    @Override
    public void write(ByteBuffer data, long deviceOffset) throws IOException {
      if (writeFailure != null) {
        throw writeFailure;
      }
      long at = deviceOffset;
      while (data.hasRemaining()) {
        at += channel.write(data, at);
      }
    }

    @Override
    public LazyDevice finish(DeviceIndex index, Set<Repository> holders) throws IOException {
      if (channel.size() > index.lengthBytes()) {
        throw new AssertionError("written up to " + channel.size() + ", index says " + index);
      }
      if (channel.size() < index.lengthBytes()) {
        channel.write(ByteBuffer.allocate(1), index.lengthBytes() - 1);
      }
      DeviceId id = id(index);
      Device device = new Device(id, file, index);
      devices.put(id, device);
      finished = true;
      return device;
    }

    @Override
    public void close() throws IOException {
      channel.close();
      if (!finished) {
        Files.delete(file);
      }
    }
  }
}
