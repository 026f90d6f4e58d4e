package sluice.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sluice.core.Bytes;
import sluice.core.RootfsMounter;
import sluice.erofs.Attributes;
import sluice.erofs.FileContent;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImageMerge;
import sluice.erofs.MetadataImageWriter;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.FuseSession;
import sluice.fuse.Opcode;
import sluice.fuse.Posix;
import sluice.fuse.Transport;
import sluice.linux.Errno;
import sluice.linux.Linux;

/** Who asks for xattrs that no file of an image has is told once, not for each file. */
final class XattrSupportIT {

  private static final int FILES = 500;
  private static final Bytes CAPABILITY = Bytes.utf8("security.capability");

  /** {@code struct vfs_cap_data}, revision 2: cap_net_raw, permitted and effective. */
  private static final Bytes NET_RAW =
      Bytes.of(HexFormat.of().parseHex("0100000200200000000000000000000000000000"));

  private static final Attributes FILE = new Attributes(0100644, 0, 0, 0, 0);

  @TempDir Path scratch;
  private final Map<String, LongAdder> requests = new ConcurrentHashMap<>();

  @BeforeEach
  void openForOtherUsers() throws IOException {
    Files.setPosixFilePermissions(scratch, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @ParameterizedTest
  @EnumSource
  void imageWithoutXattrs_supportsNeitherLabelsNorAcls(Transport transport) throws Exception {
    try (FuseSession session = mount(transport, image(FILE))) {
      Path file = session.target().resolve("marked");

      assertThat(Posix.getxattr(file, "security.selinux", 0)).isEqualTo(-Errno.EOPNOTSUPP);
      assertThat(Posix.getxattr(file, "system.posix_acl_access", 0)).isEqualTo(-Errno.EOPNOTSUPP);
      // containerd compares capabilities when it diffs, and takes no other error for "none".
      assertThat(Posix.getxattr(file, "security.capability", 0)).isEqualTo(-Errno.ENODATA);
      assertThat(Posix.getxattr(file, "user.any", 0)).isEqualTo(-Errno.ENODATA);
      assertThat(Posix.listxattr(file, 0)).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void imageWithOneCapability_saysWhatItHas(Transport transport) throws Exception {
    Attributes marked =
        new Attributes(0100644, 0, 0, 0, 0, new TreeMap<>(Map.of(CAPABILITY, NET_RAW)));
    try (FuseSession session = mount(transport, image(marked))) {
      Path file = session.target().resolve("marked");
      Path other = session.target().resolve("d/0");

      assertThat(Posix.getxattr(file, "security.capability", 0)).isEqualTo(NET_RAW.length());
      assertThat(Posix.getxattr(other, "security.capability", 0)).isEqualTo(-Errno.ENODATA);
      assertThat(Posix.getxattr(other, "user.any", 0)).isEqualTo(-Errno.ENODATA);
      assertThat(Posix.getxattr(other, "security.selinux", 0)).isEqualTo(-Errno.EOPNOTSUPP);
      assertThat(Posix.listxattr(other, 0)).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void ls_ofManyFiles_asksOnce(Transport transport) throws Exception {
    Attributes marked =
        new Attributes(0100644, 0, 0, 0, 0, new TreeMap<>(Map.of(CAPABILITY, NET_RAW)));
    try (FuseSession session = mount(transport, image(marked))) {
      run("ls", "-lR", session.target().toString());

      assertThat(count(Opcode.LOOKUP) + count(Opcode.READDIRPLUS) + count(Opcode.GETATTR))
          .isPositive();
      assertThat(count(Opcode.GETXATTR) + count(Opcode.LISTXATTR)).isLessThan(20);
    }
  }

  @ParameterizedTest
  @EnumSource
  void overlay_onAnImageWithoutXattrs_copiesUp(Transport transport) throws Exception {
    Path merged = Files.createDirectory(scratch.resolve("merged"));
    Path upper = Files.createDirectory(scratch.resolve("upper"));
    Path work = Files.createDirectory(scratch.resolve("work"));
    try (FuseSession session = mount(transport, image(FILE))) {
      String layers = "lowerdir=%s,upperdir=%s,workdir=%s".formatted(session.target(), upper, work);
      Linux.mount("overlay", merged, "overlay", 0, layers);
      try {
        Files.writeString(merged.resolve("d/1"), "changed");
        run("setfattr", "-n", "user.any", "-v", "set", merged.resolve("d").toString());
        run("cp", "-a", merged.resolve("d/2").toString(), merged.resolve("d/copy").toString());

        assertThat(merged.resolve("d/1")).hasContent("changed");
        assertThat(Posix.getxattr(merged.resolve("d"), "user.any", 0)).isEqualTo(3);
        assertThat(Files.getAttribute(merged.resolve("d/2"), "unix:mode")).isEqualTo(0100644);
      } finally {
        Linux.unmount(merged, Linux.MNT_DETACH);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void anyUser_mayReadWhatTheModeAllows(Transport transport) throws Exception {
    try (FuseSession session = mount(transport, image(FILE))) {
      assertModesRule(session.target());
    }
  }

  @ParameterizedTest
  @EnumSource
  void anyUser_ofAnImageWithOtherXattrs_mayReadWhatTheModeAllows(Transport transport)
      throws Exception {
    Attributes marked =
        new Attributes(0100644, 0, 0, 0, 0, new TreeMap<>(Map.of(CAPABILITY, NET_RAW)));
    try (FuseSession session = mount(transport, image(marked))) {
      assertModesRule(session.target());
    }
  }

  @Test
  void anyUser_throughAnOverlay_mayReadWhatTheModeAllows() throws Exception {
    Path merged = Files.createDirectory(scratch.resolve("merged"));
    Path upper = Files.createDirectory(scratch.resolve("upper"));
    Path work = Files.createDirectory(scratch.resolve("work"));
    try (FuseSession session = mount(Transport.RAW, image(FILE))) {
      String layers = "lowerdir=%s,upperdir=%s,workdir=%s".formatted(session.target(), upper, work);
      Linux.mount("overlay", merged, "overlay", 0, layers);
      try {
        assertModesRule(merged);
      } finally {
        Linux.unmount(merged, Linux.MNT_DETACH);
      }
    }
  }

  @Test
  void acl_byTheNodesMount_isEnforced() throws Exception {
    // acl(5), linux/posix_acl_xattr.h: version 2; user::rw- user:1000:r-- group::--- mask::r--
    // other::---
    Bytes acl =
        Bytes.of(
            HexFormat.of()
                .parseHex(
                    "02000000"
                        + "01000600ffffffff"
                        + "02000400e8030000"
                        + "04000000ffffffff"
                        + "10000400ffffffff"
                        + "20000000ffffffff"));
    Attributes guarded =
        new Attributes(
            0100640, 0, 0, 0, 0, new TreeMap<>(Map.of(Bytes.utf8("system.posix_acl_access"), acl)));
    Path target = Files.createDirectory(scratch.resolve("mnt"));
    Path other = Files.createDirectory(scratch.resolve("other"));
    try (RootfsMounter mounter =
        FuseMounters.forNode(
            Transport.RAW,
            scratch.resolve("node"),
            FuseOptions.forContainers(),
            FuseListener.NONE)) {
      mounter.mount(image(guarded), List.of(), target);
      mounter.mount(layer(FILE), List.of(), other);

      Path tree = target.resolve("fs");
      assertModesRule(tree);
      assertThat(mayRead(1000, tree.resolve("marked"))).isTrue();
      assertThat(mayRead(1001, tree.resolve("marked"))).isFalse();
      assertThat(scratch.resolve("node").toFile().list()).containsExactly("other");
      assertThat(scratch.resolve("node-acl").toFile().list()).containsExactly("mnt");
    }
  }

  private static void assertModesRule(Path tree) throws Exception {
    for (int user : new int[] {0, 1000, 2000}) {
      assertThat(mayRead(user, tree.resolve("d/0"))).as("root's file, user %d", user).isTrue();
      assertThat(mayRead(user, tree.resolve("owned"))).as("0644, user %d", user).isTrue();
      assertThat(mayRead(user, tree.resolve("secret")))
          .as("0600, user %d", user)
          .isEqualTo(user != 2000);
    }
  }

  private static boolean mayRead(int user, Path file) throws IOException, InterruptedException {
    String id = Integer.toString(user);
    Process process =
        new ProcessBuilder(
                "setpriv", "--reuid", id, "--regid", id, "--clear-groups", "cat", file.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    boolean read = process.waitFor() == 0;
    assertThat(said)
        .satisfiesAnyOf(
            text -> assertThat(text).isEmpty(),
            text -> assertThat(text).contains("Permission denied"));
    return read;
  }

  private long count(Opcode opcode) {
    return requests.getOrDefault(opcode.label(), new LongAdder()).sum();
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
  }

  private Path image(Attributes marked) throws IOException {
    Path image = scratch.resolve("image.erofs");
    MetadataImageMerge.merge(List.of(layer(marked)), image);
    return image;
  }

  private Path layer(Attributes marked) throws IOException {
    LayerTree tree = new LayerTree("xattrs");
    tree.directory(Bytes.utf8("d"), new Attributes(040755, 0, 0, 0, 0));
    tree.file(Bytes.utf8("marked"), marked, FileContent.empty());
    for (int i = 0; i < FILES; i++) {
      tree.file(Bytes.utf8("d/" + i), FILE, FileContent.empty());
    }
    tree.file(Bytes.utf8("owned"), new Attributes(0100644, 1000, 1000, 0, 0), FileContent.empty());
    tree.file(Bytes.utf8("secret"), new Attributes(0100600, 1000, 1000, 0, 0), FileContent.empty());
    Path layer = scratch.resolve("layer-%d.erofs".formatted(marked.mode()));
    MetadataImageWriter.write(tree, List.of(), layer);
    return layer;
  }

  private FuseSession mount(Transport transport, Path image) throws IOException {
    Path target = Files.createDirectory(scratch.resolve("mnt"));
    FuseListener counting =
        new FuseListener() {
          @Override
          public void answered(String opcode, int errno, long nanos) {
            requests.computeIfAbsent(opcode, any -> new LongAdder()).increment();
          }
        };
    return FuseMounters.onDirectory(
        transport, "xattrs", image, List.of(), target, FuseOptions.forContainers(), counting);
  }
}
