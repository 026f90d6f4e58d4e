package sluice.benchmarks;

/** A directory with the sample tree. */
enum Target {
  /** The tree on the disk's own file system: what the others are compared with. */
  PLAIN,
  /** The image through {@code /dev/fuse} itself. */
  RAW,
  /** The image through libfuse 2 and jnr-fuse. */
  JNR;

  /** Name of its directory. */
  String label() {
    return switch (this) {
      case PLAIN -> "plain";
      case RAW -> "raw";
      case JNR -> "jnr";
    };
  }
}
