package sluice.benchmarks;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import sluice.cache.CacheListener;
import sluice.cache.CacheSettings;
import sluice.cache.ChunkCache;
import sluice.cache.Failpoints;
import sluice.core.DeviceId;
import sluice.core.Digest;
import sluice.core.LazyDevice;
import sluice.core.RootfsMounter;
import sluice.core.StatementCheck;
import sluice.erofs.DeviceSlot;
import sluice.erofs.MetadataImage;
import sluice.formats.decode.EncodingDecoder;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.Transport;
import sluice.mount.FuseMounters;

/**
 * Serves images out of a cache until its standard input ends, as the daemon would: the process of
 * its own that a {@link ServerProcess} starts. Commands are lines:
 *
 * <pre>
 * raw TAB IMAGE TAB TARGET   mounts an image by that transport; so does jnr
 * heap                       collects garbage, answers with the bytes that are alive
 * hang                       lets every fetch hang from now on; fail lets them fail, as at first
 * waiting                    answers with the number of fetches that hang
 * index TAB BLOB TAB TOC TAB IMAGE
 *                            indexes a TocLayer by its TOC's digest, answers with what it took
 * </pre>
 *
 * Each is answered with a line that begins with {@link #DONE}, or says what went wrong.
 */
final class Server implements Closeable {

  static final String DONE = "done ";
  static final String HEAP = "heap";
  static final String HANG = "hang";
  static final String FAIL = "fail";
  static final String WAITING = "waiting";
  static final String INDEX = "index";

  /** Finalizers and cleaners run after one collection and leave garbage for the next. */
  private static final int COLLECTIONS = 4;

  private static final long COLLECTION_PAUSE_MILLIS = 250;

  private final StoppedRegistry registry;
  private final ChunkCache cache;
  private final RootfsMounter raw;
  private final RootfsMounter jnr;

  /** Guarded by this. */
  private boolean closed;

  private Server(StoppedRegistry registry, ChunkCache cache, RootfsMounter raw, RootfsMounter jnr) {
    this.registry = registry;
    this.cache = cache;
    this.raw = raw;
    this.jnr = jnr;
  }

  /** Argument: the directory that has the {@link #cache}. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path directory = Path.of(arguments[0]);
    StoppedRegistry registry = new StoppedRegistry();
    Server server =
        new Server(
            registry,
            cache(directory, registry),
            mounter(Transport.RAW, directory),
            mounter(Transport.JNR, directory));
    Runtime.getRuntime().addShutdownHook(new Thread(server::closeAtExit, "server-cleanup"));
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String command;
    while ((command = commands.readLine()) != null) {
      System.out.println(server.answer(command));
      System.out.flush();
    }
    server.close();
    // libfuse's threads would keep the process.
    System.exit(0);
  }

  /** Opens the cache that serves what lies in {@code directory}; the caller closes it. */
  static ChunkCache cache(Path directory, StoppedRegistry registry) throws IOException {
    return ChunkCache.open(
        directory.resolve("cache"),
        registry,
        new EncodingDecoder(),
        StatementCheck.NONE,
        CacheSettings.defaults(),
        CacheListener.NONE,
        Failpoints.NONE);
  }

  private static RootfsMounter mounter(Transport transport, Path directory) {
    return FuseMounters.forNode(
        transport, directory.resolve("node"), FuseOptions.forContainers(), FuseListener.NONE);
  }

  private String answer(String command) throws InterruptedException {
    List<String> words = List.of(command.split("\t", -1));
    try {
      return DONE
          + switch (words.getFirst()) {
            case HEAP -> heapBytes();
            case WAITING -> registry.waiting();
            case HANG -> {
              registry.hang();
              yield "";
            }
            case FAIL -> {
              registry.fail();
              yield "";
            }
            case INDEX ->
                TocIndexing.run(
                    Path.of(words.get(1)),
                    Digest.parse(words.get(2)),
                    cache,
                    Path.of(words.get(3)));
            default -> {
              RootfsMounter mounter = words.getFirst().equals(Target.JNR.label()) ? jnr : raw;
              Path image = Path.of(words.get(1));
              mounter.mount(image, devices(image), Path.of(words.get(2)));
              yield "";
            }
          };
    } catch (IOException e) {
      return "failed: " + e;
    }
  }

  private List<LazyDevice> devices(Path image) throws IOException {
    List<LazyDevice> devices = new ArrayList<>();
    try (MetadataImage metadata = MetadataImage.open(image)) {
      for (DeviceSlot slot : metadata.devices()) {
        devices.add(cache.open(new DeviceId(slot.tag())));
      }
    }
    return devices;
  }

  private static long heapBytes() throws InterruptedException {
    for (int i = 0; i < COLLECTIONS; i++) {
      System.gc();
      Thread.sleep(COLLECTION_PAUSE_MILLIS);
    }
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private void closeAtExit() {
    try {
      close();
    } catch (IOException e) {
      System.err.println("benchmark: the serving process cannot clean up: " + e);
    }
  }

  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try (cache;
        raw) {
      jnr.close();
    }
  }
}
