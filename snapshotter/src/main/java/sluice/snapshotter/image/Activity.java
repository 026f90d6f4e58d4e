package sluice.snapshotter.image;

import java.io.IOException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Work of which any amount may run at once, and a clean-up that runs only while none does. The lock
 * guards two fields and is never held while either runs.
 */
final class Activity {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition cleaned = lock.newCondition();
  private int running;
  private boolean cleaning;

  /** A clean-up on local disk. */
  @FunctionalInterface
  interface CleanUp {
    void run() throws IOException;
  }

  /** Runs {@code work}, once a clean-up that is under way has ended. */
  <V> V run(Work<V> work) throws IOException, InterruptedException {
    enter();
    try {
      return work.run();
    } finally {
      leave();
    }
  }

  /** Runs {@code cleanUp} if no work runs, and keeps work from beginning until it has ended. */
  boolean tryAlone(CleanUp cleanUp) throws IOException {
    if (!tryBeginCleaning()) {
      return false;
    }
    try {
      cleanUp.run();
      return true;
    } finally {
      endCleaning();
    }
  }

  private void enter() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (cleaning) {
        cleaned.await();
      }
      running++;
    } finally {
      lock.unlock();
    }
  }

  private void leave() {
    lock.lock();
    try {
      running--;
    } finally {
      lock.unlock();
    }
  }

  private boolean tryBeginCleaning() {
    lock.lock();
    try {
      if (running > 0 || cleaning) {
        return false;
      }
      cleaning = true;
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void endCleaning() {
    lock.lock();
    try {
      cleaning = false;
      cleaned.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
