package sluice.snapshotter.service;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Keeps the namespace that containerd sends with each call (its package namespaces). */
final class NamespaceHeader implements ServerInterceptor {

  private static final Metadata.Key<String> HEADER =
      Metadata.Key.of("containerd-namespace", Metadata.ASCII_STRING_MARSHALLER);
  private static final Context.Key<String> NAMESPACE = Context.key("containerd-namespace");

  /** What containerd makes of a key (its core/metadata, {@code createKey}). */
  private static final Pattern KEY = Pattern.compile("([^/]+)/\\d+/.*", Pattern.DOTALL);

  /**
   * The namespace of the current call; empty if it cannot be told. containerd 1.6 sends no header
   * to its proxy snapshotters, but every key begins with it.
   */
  static String of(String key) {
    String namespace = NAMESPACE.get();
    if (namespace != null) {
      return namespace;
    }
    Matcher matcher = KEY.matcher(key);
    return matcher.matches() ? matcher.group(1) : "";
  }

  @Override
  public <A, B> ServerCall.Listener<A> interceptCall(
      ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
    String namespace = headers.get(HEADER);
    Context context = Context.current();
    return Contexts.interceptCall(
        namespace == null ? context : context.withValue(NAMESPACE, namespace), call, headers, next);
  }
}
