package sluice.registry;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import sluice.core.Bytes;
import sluice.core.ContentHasher;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImagePublisher;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.core.Repository.InLayout;
import sluice.core.Repository.InRegistry;

/**
 * Images in registries and in image layouts: looks at the kind of each repository, and asks the one
 * or the other. Of a blob's holders, layouts are asked first, for they are on this machine.
 *
 * <p>Safe for use by many threads. Calls block; an interrupt ends them at once. Nothing hangs:
 * every call is bounded by {@link RegistryConfig.Timeouts}, and a registry that hangs holds up
 * nobody who asks another. Close it when no call is under way.
 */
public final class RegistryClient implements RangeSource, ImageRegistry, ImagePublisher, Closeable {

  /** A credential helper may ask a cloud's metadata service. */
  private static final Duration HELPER_LIMIT = Duration.ofSeconds(15);

  private final OciLayout layouts = new OciLayout();
  private final RegistryConfig.Timeouts timeouts;
  private final Transport transport;
  private final EndpointSource endpoints;
  private final Failover failover;
  private final Exchanger exchanger;
  private final Givers givers = new Givers();
  private final BlobRange ranges;
  private final SmallContent content;
  private final ReferrersList referrers;
  private final BlobPush blobs;
  private final ManifestPush manifests;
  private final BlobStream.Origin streams;

  private RegistryClient(
      RegistryConfig.Timeouts timeouts,
      Transport transport,
      Exchanger exchanger,
      EndpointSource endpoints,
      Failover failover,
      FetchListener listener) {
    this.timeouts = timeouts;
    this.transport = transport;
    this.endpoints = endpoints;
    this.failover = failover;
    this.exchanger = exchanger;
    this.ranges = new BlobRange(exchanger, listener);
    this.content = new SmallContent(exchanger, listener);
    this.referrers = new ReferrersList(exchanger, content, listener);
    this.blobs = new BlobPush(exchanger);
    this.manifests = new ManifestPush(exchanger, content);
    this.streams = new BlobStream.Origin(exchanger, failover, givers, listener, timeouts);
  }

  /**
   * Makes a client; nothing is asked yet.
   *
   * @throws IOException if this JDK can't do TLS
   */
  public static RegistryClient open(RegistryConfig config, FetchListener listener)
      throws IOException {
    return open(config, listener, new DirectEndpoints(config.plainHttpHosts()), Thread::sleep);
  }

  static RegistryClient open(
      RegistryConfig config,
      FetchListener listener,
      EndpointSource endpoints,
      Failover.Sleeper sleeper)
      throws IOException {
    HostTrust trust = HostTrust.of(config.environment());
    ProxyRules proxies = ProxyRules.of(config.environment());
    Transport transport =
        Transport.open(
            config, proxies, proxies.authenticator(), trust.sockets(), trust.manager(), listener);
    InstantSource clock = InstantSource.system();
    DockerConfig credentials =
        new DockerConfig(
            config.environment(), new CredentialHelper(config.environment(), HELPER_LIMIT));
    Authorizer authorizer = new Authorizer(credentials, new TokenServer(transport, clock), clock);
    Exchanger exchanger = new Exchanger(transport, authorizer, new RedirectCache(clock), clock);
    Failover failover =
        new Failover(listener, () -> ThreadLocalRandom.current().nextLong(), sleeper);
    return new RegistryClient(
        config.timeouts(), transport, exchanger, endpoints, failover, listener);
  }

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException, InterruptedException {
    int start = into.position();
    fromHolders(
        holders,
        inLayouts -> {
          layouts.read(blob, inLayouts, offset, into, lane);
          return into;
        },
        sources ->
            failover.run(
                lane,
                sources,
                timeouts.request(),
                (source, deadline) -> {
                  into.position(start);
                  if (into.hasRemaining()) {
                    ranges.read(source, blob, offset, into, lane, deadline);
                    givers.gave(blob, offset, Set.of(source));
                  }
                  return into;
                }));
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane)
      throws IOException, InterruptedException {
    return fromHolders(
        holders,
        inLayouts -> layouts.open(blob, inLayouts, lane),
        sources -> BlobStream.open(streams, sources, blob, lane));
  }

  @Override
  public void rejected(Digest blob, Set<Repository> holders, long offset) {
    for (Source giver : givers.take(blob, offset)) {
      failover.gaveWrongBytes(giver);
      exchanger.forgetRedirect(giver, blob);
    }
  }

  @Override
  public Content resolve(ImageReference reference) throws IOException, InterruptedException {
    return switch (reference.repository()) {
      case InLayout layout -> layouts.resolve(reference);
      case InRegistry registry ->
          asked(
              registry,
              (source, deadline) ->
                  content.manifest(source, reference.selector(), reference.digest(), deadline));
    };
  }

  @Override
  public Content read(Repository repository, Descriptor descriptor)
      throws IOException, InterruptedException {
    Bytes data = descriptor.data();
    if (data != null) {
      return new Content(descriptor, data);
    }
    return switch (repository) {
      case InLayout layout -> layouts.read(layout, descriptor);
      case InRegistry registry ->
          asked(
              registry,
              (source, deadline) ->
                  MediaTypes.isDocument(descriptor.mediaType())
                      ? content.manifest(source, descriptor, deadline)
                      : content.blob(source, descriptor, deadline));
    };
  }

  @Override
  public List<Descriptor> referrers(
      Repository repository, Digest subject, Optional<String> artifactType)
      throws IOException, InterruptedException {
    return switch (repository) {
      case InLayout layout -> layouts.referrers(layout, subject, artifactType);
      case InRegistry registry ->
          asked(
              registry,
              (source, deadline) -> referrers.list(source, subject, artifactType, deadline));
    };
  }

  @Override
  public ImageDocument document(Content document) throws CorruptException {
    return Documents.document(document);
  }

  @Override
  public ImageConfig config(Content config) throws CorruptException {
    return Documents.config(config);
  }

  @Override
  public void putBlob(Repository repository, Descriptor descriptor, Path file)
      throws IOException, InterruptedException {
    switch (repository) {
      case InLayout layout -> layouts.putBlob(layout, descriptor, file);
      case InRegistry registry ->
          pushed(
              registry,
              (source, deadline) -> {
                blobs.put(source, descriptor, file, deadline);
                return descriptor;
              });
    }
  }

  @Override
  public void putManifest(ImageReference target, Content manifest)
      throws IOException, InterruptedException {
    switch (target.repository()) {
      case InLayout layout -> layouts.putManifest(target, manifest);
      case InRegistry registry -> {
        Digest digest = manifest.descriptor().digest();
        Digest pinned = target.digest();
        if (!ContentHasher.matches(digest, manifest.bytes().asBuffer())
            || (pinned != null && !pinned.equals(digest))) {
          throw new IllegalArgumentException(
              "manifest for " + target + ": its bytes have not the digest " + digest);
        }
        String tag = target.tag();
        String selector = tag == null ? digest.toString() : tag;
        pushed(
            registry,
            (source, deadline) -> {
              manifests.put(source, selector, manifest, deadline);
              return manifest;
            });
      }
    }
  }

  @Override
  public boolean mountBlob(Repository to, Repository from, Descriptor descriptor)
      throws IOException, InterruptedException {
    return switch (to) {
      case InLayout layout -> layouts.mountBlob(layout, from, descriptor);
      case InRegistry(String registry, String name) ->
          from instanceof InRegistry(String other, String otherName)
              && other.equals(registry)
              && pushed(
                  new InRegistry(registry, name),
                  (source, deadline) -> blobs.mount(source, otherName, descriptor, deadline));
    };
  }

  @Override
  public void close() {
    transport.close();
  }

  private <T> T asked(InRegistry repository, Failover.Attempt<T> attempt)
      throws IOException, InterruptedException {
    return failover.run(Lane.DEMAND, sources(repository), timeouts.request(), attempt);
  }

  /** Writes go to the registry itself, which is the last of its endpoints. */
  private <T> T pushed(InRegistry repository, Failover.Attempt<T> attempt)
      throws IOException, InterruptedException {
    return failover.run(
        Lane.DEMAND, List.of(sources(repository).getLast()), timeouts.upload(), attempt);
  }

  private List<Source> sources(InRegistry repository) throws FetchException {
    return endpoints.endpoints(repository.registry()).stream()
        .map(endpoint -> new Source(repository, endpoint))
        .toList();
  }

  private interface Asked<H, T> {
    T of(H holders) throws IOException, InterruptedException;
  }

  private <T> T fromHolders(
      Set<Repository> holders, Asked<Set<Repository>, T> layout, Asked<List<Source>, T> registry)
      throws IOException, InterruptedException {
    Set<Repository> inLayouts = new LinkedHashSet<>();
    List<Source> inRegistries = new ArrayList<>();
    for (Repository holder : holders) {
      switch (holder) {
        case InLayout there -> inLayouts.add(there);
        case InRegistry there -> inRegistries.addAll(sources(there));
      }
    }
    if (inLayouts.isEmpty()) {
      return registry.of(inRegistries);
    }
    try {
      return layout.of(inLayouts);
    } catch (FetchException e) {
      if (inRegistries.isEmpty()) {
        throw e;
      }
    }
    return registry.of(inRegistries);
  }
}
