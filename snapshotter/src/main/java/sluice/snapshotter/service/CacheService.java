package sluice.snapshotter.service;

import io.grpc.stub.StreamObserver;
import sluice.api.control.CacheCheck;
import sluice.api.control.CacheDevice;
import sluice.api.control.CacheGrpc;
import sluice.api.control.CheckCacheRequest;
import sluice.api.control.ListCacheRequest;
import sluice.api.control.PruneCacheRequest;
import sluice.api.control.PruneCacheResponse;

/** {@code sluice.control.v1.Cache}: what {@code sluice cache} asks the daemon. */
public final class CacheService extends CacheGrpc.CacheImplBase {

  private final CacheControl cache;

  public CacheService(CacheControl cache) {
    this.cache = cache;
  }

  @Override
  public void list(ListCacheRequest request, StreamObserver<CacheDevice> replies) {
    Calls.stream("List of the cache", replies, cache::list);
  }

  @Override
  public void check(CheckCacheRequest request, StreamObserver<CacheCheck> replies) {
    Calls.stream("Check of the cache", replies, cache::check);
  }

  @Override
  public void prune(PruneCacheRequest request, StreamObserver<PruneCacheResponse> replies) {
    Calls.unary("Prune of the cache", replies, () -> cache.prune(request.getDryRun()));
  }
}
