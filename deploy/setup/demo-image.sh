# Sourced by quickstart: makes an OCI image layout of a root file system with the local JDK and a small Java program.

# add_layer LAYOUT DIRECTORY: packs the directory as the next layer.
add_layer() {
  local layout=$1 tar="$1/layer.tar" diff_id digest
  tar --numeric-owner --owner=0 --group=0 --sort=name --mtime=@1700000000 -C "$2" -cf "$tar" .
  diff_id=$(sha256sum < "$tar" | cut -d' ' -f1)
  gzip -nf -6 "$tar"
  digest=$(sha256sum < "$tar.gz" | cut -d' ' -f1)
  LAYERS+=("{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"sha256:$digest\",\"size\":$(stat -c %s "$tar.gz")}")
  DIFF_IDS+=("\"sha256:$diff_id\"")
  mv "$tar.gz" "$layout/blobs/sha256/$digest"
}

# add_json LAYOUT JSON: stores a document and prints its digest and size as descriptor fields.
add_json() {
  local digest
  digest=$(printf '%s' "$2" | sha256sum | cut -d' ' -f1)
  printf '%s' "$2" > "$1/blobs/sha256/$digest"
  printf '"digest":"sha256:%s","size":%d' "$digest" "$(printf '%s' "$2" | wc -c)"
}

joined() {
  local IFS=,
  printf '%s' "$*"
}

# copy_libraries ROOT PROGRAM ...: copies the shared libraries that the programs are linked with.
copy_libraries() {
  local root=$1 library
  shift
  for library in $(ldd "$@" 2> /dev/null | grep -oE '/[^ ]+\.so[^ ]*' | sort -u); do
    case "$library" in "$JAVA_HOME"/*) continue ;; esac
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
}

# make_demo_image LAYOUT WORK: layers of libraries, JDK and program; the program answers with one line.
make_demo_image() {
  local layout=$1 work=$2 arch config manifest
  LAYERS=() DIFF_IDS=()
  mkdir -p "$layout/blobs/sha256" "$work"/{base,jdk/opt,app/app} "$work"/base/{tmp,proc,sys,dev,etc}
  chmod 1777 "$work/base/tmp"
  printf 'root:x:0:0:root:/root:/bin/sh\n' > "$work/base/etc/passwd"
  copy_libraries "$work/base" "$JAVA_HOME/bin/java" "$JAVA_HOME"/lib/*.so "$JAVA_HOME"/lib/server/libjvm.so
  cp -aL "$JAVA_HOME" "$work/jdk/opt/jdk" 2> /dev/null || cp -a "$JAVA_HOME" "$work/jdk/opt/jdk"
  cat > "$work/Answer.java" <<'JAVA'
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

public final class Answer {
  public static void main(String[] args) throws Exception {
    String primes =
        IntStream.range(2, 40)
            .filter(n -> IntStream.rangeClosed(2, n / 2).noneMatch(d -> n % d == 0))
            .mapToObj(Integer::toString)
            .collect(Collectors.joining(" "));
    System.out.println(
        "java " + Runtime.version().feature() + " answers from a container: " + primes
            + " (" + Files.size(Path.of("/opt/jdk/lib/modules")) / 1_000_000 + " MB of modules at hand)");
  }
}
JAVA
  "$JAVA_HOME/bin/javac" -d "$work/app/app" "$work/Answer.java"
  add_layer "$layout" "$work/base"
  add_layer "$layout" "$work/jdk"
  add_layer "$layout" "$work/app"
  arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
  config=$(add_json "$layout" "{\"os\":\"linux\",\"architecture\":\"$arch\",\"config\":{\"Env\":[\"PATH=/opt/jdk/bin\"],\"Cmd\":[\"/opt/jdk/bin/java\",\"-Xshare:auto\",\"-XX:+UseSerialGC\",\"-cp\",\"/app\",\"Answer\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[$(joined "${DIFF_IDS[@]}")]}}")
  manifest=$(add_json "$layout" "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",$config},\"layers\":[$(joined "${LAYERS[@]}")]}")
  printf '{"imageLayoutVersion":"1.0.0"}' > "$layout/oci-layout"
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",%s,"annotations":{"org.opencontainers.image.ref.name":"demo"}}]}' "$manifest" > "$layout/index.json"
  rm -rf "$work"
}
