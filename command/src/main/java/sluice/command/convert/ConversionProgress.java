package sluice.command.convert;

/** Is told how far long work is. For one thread. */
@FunctionalInterface
public interface ConversionProgress {

  /** Tells nobody. */
  ConversionProgress NONE = (name, totalBytes) -> done -> {};

  /**
   * Begins a phase of the work, which the caller closes before the next one.
   *
   * @param totalBytes what {@link Phase#reached} will be told at the end
   */
  Phase begin(String name, long totalBytes);

  /** One phase. */
  @FunctionalInterface
  interface Phase extends AutoCloseable {

    /** So many bytes of the phase are done. */
    void reached(long doneBytes);

    @Override
    default void close() {}
  }
}
