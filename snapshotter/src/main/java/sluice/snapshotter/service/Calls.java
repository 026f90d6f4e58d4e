package sluice.snapshotter.service;

import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs one call: its result or its fault goes to the caller, and a caller who gives up ends it. */
final class Calls {
  private static final Logger log = LoggerFactory.getLogger(Calls.class);

  private Calls() {}

  /** What a call does. */
  @FunctionalInterface
  interface Body<T> {
    T run() throws IOException, InterruptedException;
  }

  static <T> void unary(String name, StreamObserver<T> replies, Body<T> body) {
    try {
      T reply = interruptible(body);
      replies.onNext(reply);
      replies.onCompleted();
    } catch (IOException | InterruptedException | RuntimeException e) {
      replies.onError(failed(name, e));
    }
  }

  /** What a call does that has many replies. */
  @FunctionalInterface
  interface Source<T> {
    void sendTo(Consumer<T> replies) throws IOException, InterruptedException;
  }

  static <T> void stream(String name, StreamObserver<T> replies, Source<T> source) {
    try {
      interruptible(() -> {
        source.sendTo(replies::onNext);
        return name;
      });
      replies.onCompleted();
    } catch (IOException | InterruptedException | RuntimeException e) {
      replies.onError(failed(name, e));
    }
  }

  static StatusRuntimeException failed(String name, Exception e) {
    StatusRuntimeException status = StatusMapping.of(e);
    if (StatusMapping.isOurs(status.getStatus().getCode())) {
      log.warn("{} failed: {}", name, status.getStatus().getDescription(), e);
    } else {
      log.debug("{}: {}", name, status.getMessage());
    }
    return status;
  }

  /** A thread of a call serves nobody else meanwhile, so it can be interrupted. */
  private static <T> T interruptible(Body<T> body) throws IOException, InterruptedException {
    Thread self = Thread.currentThread();
    Context call = Context.current();
    Context.CancellationListener listener = cancelled -> self.interrupt();
    call.addListener(listener, Runnable::run);
    try {
      return body.run();
    } finally {
      call.removeListener(listener);
    }
  }
}
