package sluice.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import sluice.api.control.CacheCheck;
import sluice.api.control.CacheDevice;
import sluice.api.control.CacheGrpc;
import sluice.api.control.CheckCacheRequest;
import sluice.api.control.ListCacheRequest;
import sluice.api.control.PruneCacheRequest;
import sluice.api.control.PruneCacheResponse;
import sluice.snapshotter.service.CacheControl;

/**
 * The chunk cache of a running daemon, which may take as long as it needs.
 *
 * @param socket where it listens
 */
record RemoteCache(Path socket) implements CacheControl {

  @Override
  public void list(Consumer<CacheDevice> devices) throws IOException, InterruptedException {
    ControlClient.<Boolean>ask(
        socket,
        channel -> {
          CacheGrpc.newBlockingStub(channel)
              .list(ListCacheRequest.getDefaultInstance())
              .forEachRemaining(devices);
          return true;
        });
  }

  @Override
  public void check(Consumer<CacheCheck> events) throws IOException, InterruptedException {
    ControlClient.<Boolean>ask(
        socket,
        channel -> {
          CacheGrpc.newBlockingStub(channel)
              .check(CheckCacheRequest.getDefaultInstance())
              .forEachRemaining(events);
          return true;
        });
  }

  @Override
  public PruneCacheResponse prune(boolean dryRun) throws IOException, InterruptedException {
    PruneCacheRequest request = PruneCacheRequest.newBuilder().setDryRun(dryRun).build();
    return ControlClient.ask(socket, channel -> CacheGrpc.newBlockingStub(channel).prune(request));
  }
}
