package sluice.snapshotter.service;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/** Keeps the namespace that containerd sends with each call (its package namespaces). */
final class NamespaceHeader implements ServerInterceptor {

  private static final Metadata.Key<String> HEADER =
      Metadata.Key.of("containerd-namespace", Metadata.ASCII_STRING_MARSHALLER);
  private static final Context.Key<String> NAMESPACE = Context.key("containerd-namespace");

  /** The namespace of the current call; empty if the caller did not say. */
  static String current() {
    String namespace = NAMESPACE.get();
    return namespace == null ? "" : namespace;
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
