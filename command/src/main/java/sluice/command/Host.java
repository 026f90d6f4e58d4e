package sluice.command;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.command.config.Config;
import sluice.formats.inflate.InflaterLibrary;

/**
 * Looks at what this host has that Sluice needs or could use. Nothing is changed.
 *
 * @param files the host's root directory; another one in tests
 */
record Host(Path files) {

  private static final Logger LOG = LoggerFactory.getLogger(Host.class);

  /** Many images, each with devices of its own, and two descriptors a connection. */
  private static final long ENOUGH_OPEN_FILES = 4_096;

  /** A few images' data; less and pulls soon fail. */
  private static final long LITTLE_SPACE_BYTES = 1L << 30;

  private static final int OLDEST_JDK = 25;

  /** Whether lazy mounting works with what was found. */
  static boolean works(List<HostCheck> checks) {
    return checks.stream().noneMatch(check -> check.state() == HostCheck.State.MISSING);
  }

  /** Everything that does not depend on a registry or a socket. */
  List<HostCheck> checks(Config config) {
    KernelVersion kernel = KernelVersion.parse(line("proc/sys/kernel/osrelease").orElse(""));
    List<HostCheck> checks = new ArrayList<>();
    checks.add(root());
    checks.add(jdk(Runtime.version().feature()));
    checks.add(kernel(kernel));
    checks.add(fuse());
    checks.add(overlay());
    checks.add(erofs(kernel));
    checks.add(preContent(kernel));
    checks.add(libfuse(config.fuse().transport()));
    checks.add(inflaters());
    checks.add(rootDirectory(config.root()));
    checks.add(openFiles());
    return checks;
  }

  HostCheck root() {
    String user = status("Uid:").orElse("unknown");
    return user.equals("0")
        ? HostCheck.ok("root", "running as root")
        : HostCheck.missing("root", "running as user " + user, "mounting needs root: use sudo");
  }

  static HostCheck jdk(int feature) {
    return feature >= OLDEST_JDK
        ? HostCheck.ok("JDK", Integer.toString(feature))
        : HostCheck.missing("JDK", Integer.toString(feature), "install JDK " + OLDEST_JDK);
  }

  static HostCheck kernel(KernelVersion kernel) {
    return kernel.has(KernelVersion.FUSE_7_31)
        ? HostCheck.ok("kernel", "Linux " + kernel)
        : HostCheck.missing(
            "kernel",
            "Linux " + kernel,
            "FUSE protocol 7.31 is needed: Linux %s or newer".formatted(KernelVersion.FUSE_7_31));
  }

  HostCheck fuse() {
    Path device = files.resolve("dev/fuse");
    if (!Files.exists(device)) {
      return HostCheck.missing(
          "/dev/fuse", "not there", "modprobe fuse, or give the container the device");
    }
    // Opening it also has the kernel load the module, where only the device is there yet.
    try (FileChannel opened =
        FileChannel.open(device, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      LOG.debug("{} can be opened: {}", device, opened.isOpen());
    } catch (IOException e) {
      return HostCheck.missing(
          "/dev/fuse",
          "there, but can't be opened (%s)".formatted(Failure.sentence(e)),
          "be root, and give the container the right to use the device");
    }
    return fileSystem("fuse")
        ? HostCheck.ok("/dev/fuse", "there")
        : HostCheck.missing("/dev/fuse", "there, but the kernel has no fuse", "modprobe fuse");
  }

  HostCheck overlay() {
    return fileSystem("overlay")
        ? HostCheck.ok("overlayfs", "there")
        : HostCheck.note("overlayfs", "not loaded", "containers need it: modprobe overlay");
  }

  HostCheck erofs(KernelVersion kernel) {
    if (!fileSystem("erofs")) {
      return HostCheck.note("erofs", "not loaded", "not needed by the fuse driver");
    }
    return kernel.has(KernelVersion.FILE_BACKED_EROFS)
        ? HostCheck.ok("erofs", "there, images in plain files too")
        : HostCheck.note(
            "erofs",
            "there, but only on block devices",
            "images in plain files need Linux " + KernelVersion.FILE_BACKED_EROFS);
  }

  static HostCheck preContent(KernelVersion kernel) {
    return kernel.has(KernelVersion.PRE_CONTENT_EVENTS)
        ? HostCheck.ok("fanotify", "this kernel may have pre-content events")
        : HostCheck.note(
            "fanotify",
            "no pre-content events",
            "they need Linux %s; not needed by the fuse driver"
                .formatted(KernelVersion.PRE_CONTENT_EVENTS));
  }

  HostCheck libfuse(Config.Transport transport) {
    boolean there =
        Stream.of("lib", "usr/lib", "lib64", "usr/lib64", "usr/local/lib")
            .map(files::resolve)
            .anyMatch(Host::holdsLibfuse);
    if (there) {
      return HostCheck.ok("libfuse 2", "there");
    }
    String advice = "fuse.transport = \"jnr\" needs it: apt-get install libfuse2";
    return switch (transport) {
      case RAW -> HostCheck.note("libfuse 2", "not there", advice);
      case JNR -> HostCheck.missing("libfuse 2", "not there", advice);
    };
  }

  /** What decodes gzip, and what else could. */
  static HostCheck inflaters() {
    InflaterLibrary used = InflaterLibrary.fastest();
    List<String> found = new ArrayList<>(List.of("gzip by " + used));
    for (InflaterLibrary library : InflaterLibrary.values()) {
      if (library != used) {
        found.add(library.problem() == null ? library + " is there" : library.problem());
      }
    }
    List<String> advice = new ArrayList<>();
    if (!InflaterLibrary.ISAL.present()) {
      advice.add("gzip is decoded much faster with libisal: apt-get install libisal2");
    }
    if (!InflaterLibrary.LIBZ.present()) {
      advice.add("gzip layers get no index of their own without libz: apt-get install zlib1g");
    }
    String text = String.join(", ", found);
    return advice.isEmpty()
        ? HostCheck.ok("inflaters", text)
        : HostCheck.note("inflaters", text, String.join("; ", advice));
  }

  HostCheck rootDirectory(Path root) {
    Path existing = root.toAbsolutePath();
    while (!Files.exists(existing)) {
      existing = Optional.ofNullable(existing.getParent()).orElse(files);
    }
    try {
      return rootDirectory(
          root, Files.getFileStore(existing).type(), Files.getFileStore(existing).getUsableSpace());
    } catch (IOException e) {
      return HostCheck.missing("root directory", root + ": " + e.getMessage(), "choose another");
    }
  }

  static HostCheck rootDirectory(Path root, String type, long freeBytes) {
    String found = "%s: %s, %s free".formatted(root, type, Sizes.text(freeBytes));
    if (type.equals("overlay")) {
      return HostCheck.missing(
          "root directory", found, "snapshots can't lie on overlayfs: put root on a disk");
    }
    if (type.equals("tmpfs")) {
      return HostCheck.note("root directory", found, "what is cached is lost with a reboot");
    }
    return freeBytes < LITTLE_SPACE_BYTES
        ? HostCheck.note("root directory", found, "make room before large images are run")
        : HostCheck.ok("root directory", found);
  }

  HostCheck openFiles() {
    return lines("proc/self/limits")
        .filter(line -> line.startsWith("Max open files"))
        .findFirst()
        .map(line -> openFiles(line.split("\\s{2,}", -1)[1].strip()))
        .orElseGet(() -> HostCheck.note("open files", "limit unknown", "mount /proc"));
  }

  static HostCheck openFiles(String limit) {
    boolean enough =
        limit.equals("unlimited")
            || (limit.matches("\\d{1,18}") && Long.parseLong(limit) >= ENOUGH_OPEN_FILES);
    return enough
        ? HostCheck.ok("open files", "limit " + limit)
        : HostCheck.note("open files", "limit " + limit, "raise it: ulimit -n 65536");
  }

  private boolean fileSystem(String name) {
    return lines("proc/filesystems").anyMatch(line -> line.strip().endsWith(name));
  }

  private Optional<String> status(String key) {
    return lines("proc/self/status")
        .filter(line -> line.startsWith(key))
        .map(line -> line.substring(key.length()).strip().split("\\s+", -1)[0])
        .findFirst();
  }

  private Optional<String> line(String path) {
    return lines(path).findFirst();
  }

  private Stream<String> lines(String path) {
    try {
      return Files.readAllLines(files.resolve(path)).stream();
    } catch (IOException e) {
      return Stream.empty();
    }
  }

  private static boolean holdsLibfuse(Path directory) {
    try (Stream<Path> paths = Files.find(directory, 2, (path, is) -> isLibfuse(path))) {
      return paths.findAny().isPresent();
    } catch (IOException | UncheckedIOException e) {
      return false;
    }
  }

  private static boolean isLibfuse(Path path) {
    return String.valueOf(path.getFileName()).startsWith("libfuse.so.2");
  }
}
