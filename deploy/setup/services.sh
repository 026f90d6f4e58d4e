# Sourced by quickstart and benchmarks/firstpull: a registry, a containerd and Sluice, private to $WORK and to loopback.
# Who sources it sets WORK, NAMESPACE, SNAPSHOTTER and PIDS, and has `cleanup` run at the end; it needs common.sh and
# demo-image.sh, too.

# end PID ...: asks processes to end, and kills those that have not after 5 s.
end() {
  local pid
  kill "$@" 2> /dev/null || true
  for pid in "$@"; do
    for _ in $(seq 50); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2> /dev/null || true
  done
}

# A container and its shim outlive ctr and containerd: after Ctrl-C they may still be there.
end_containers() {
  local pid file
  for file in "$WORK"/state/io.containerd.runtime.v2.task/*/*/init.pid; do
    [ -r "$file" ] && kill -9 "$(cat "$file")" 2> /dev/null || true
  done
  for pid in $(pgrep -f "containerd-shim.* $WORK/"); do
    end "$pid"
  done
  rmdir /sys/fs/cgroup/"$NAMESPACE" /sys/fs/cgroup/*/"$NAMESPACE" 2> /dev/null || true
}

cleanup() {
  local i mount
  trap - EXIT
  trap '' INT TERM
  for ((i = ${#PIDS[@]} - 1; i >= 0; i--)); do
    end "${PIDS[i]}"
  done
  [ -n "$WORK" ] || return 0
  end_containers
  awk -v dir="$WORK/" 'index($2, dir) == 1 {print $2}' /proc/self/mounts | sort -r | while read -r mount; do
    umount -l "$mount" 2> /dev/null || true
  done
  rm -rf --one-file-system "$WORK"
}

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN {printf "%.2f", b - a}'; }
megabytes() { awk -v b="$1" 'BEGIN {printf "%.1f", b / 1e6}'; }

# wait_for WHAT LOG COMMAND ...: until the command succeeds, at most 60 s.
wait_for() {
  local what=$1 log=$2
  shift 2
  for _ in $(seq 300); do
    "$@" > /dev/null 2>&1 && return
    sleep 0.2
  done
  tail -n 20 "$log" >&2
  fail "$what did not answer within 60 s; its last words are above"
}

free_port() {
  local port
  for port in $(shuf -i 20000-30000 -n 50); do
    (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null || { echo "$port"; return; }
  done
  fail "no free port between 20000 and 30000 on 127.0.0.1"
}

answers() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

start_registry() {
  PORT=$(free_port)
  REGISTRY=127.0.0.1:$PORT
  cat > "$WORK/registry.yml" <<YAML
version: 0.1
log: {level: error}
storage:
  filesystem: {rootdirectory: $WORK/registry}
  delete: {enabled: true}
http: {addr: $REGISTRY}
YAML
  docker-registry serve "$WORK/registry.yml" > "$WORK/registry.log" 2>&1 &
  PIDS+=($!)
  wait_for "the registry" "$WORK/registry.log" answers "$PORT"
}

# start_sluice NAME [CONFIG]: a daemon, which containerd knows by that name; CONFIG are more lines of its configuration.
start_sluice() {
  METRICS_PORT=$(free_port)
  printf '[metrics]\naddress = "127.0.0.1:%s"\n%s\n' "$METRICS_PORT" "${2:-}" > "$WORK/$1.toml"
  bin/sluice serve --config "$WORK/$1.toml" --root "$WORK/$1" --address "$WORK/$1.sock" > "$WORK/$1.log" 2>&1 &
  DAEMON=$!
  PIDS+=("$DAEMON")
  wait_for "sluice serve" "$WORK/$1.log" answers "$METRICS_PORT"
  wait_for "sluice serve" "$WORK/$1.log" test -S "$WORK/$1.sock"
}

# start_containerd NAME ...: one that knows these daemons.
start_containerd() {
  local name
  cat > "$WORK/containerd.toml" <<TOML
version = 2
root = "$WORK/containerd"
state = "$WORK/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "$WORK/containerd.sock"
[ttrpc]
  address = "$WORK/containerd.ttrpc"
TOML
  for name in "$@"; do
    printf '[proxy_plugins.%s]\n  type = "snapshot"\n  address = "%s"\n' "$name" "$WORK/$name.sock" >> "$WORK/containerd.toml"
  done
  containerd --config "$WORK/containerd.toml" > "$WORK/containerd.log" 2>&1 &
  PIDS+=($!)
  wait_for "containerd" "$WORK/containerd.log" ctr_ version
}

ctr_() { ctr --address "$WORK/containerd.sock" --namespace "$NAMESPACE" "$@"; }

# push_source IMAGE: puts the plain image into the private registry, so that both runs have the same registry.
push_source() {
  if [ -z "$1" ]; then
    make_demo_image "$WORK/layout" "$WORK/demo"
    SOURCE=oci:$WORK/layout:demo
    tar -C "$WORK/layout" -cf "$WORK/layout.tar" .
    ctr_ images import --no-unpack --base-name "$REGISTRY/demo" "$WORK/layout.tar" > /dev/null 2>&1 \
      || ctr_ images import --base-name "$REGISTRY/demo" "$WORK/layout.tar" > /dev/null
    rm -f "$WORK/layout.tar"
  else
    SOURCE=$1
    ctr_ content fetch "$1" > /dev/null
    ctr_ images tag "$1" "$REGISTRY/demo:demo" > /dev/null
    ctr_ images rm "$1" > /dev/null
  fi
  ctr_ images push --plain-http "$REGISTRY/demo:demo" > /dev/null
  ctr_ images rm --sync "$REGISTRY/demo:demo" > /dev/null
}

# Bytes that Sluice has taken from registries so far, as its metrics say.
fetched() {
  exec 3<> "/dev/tcp/127.0.0.1/$METRICS_PORT"
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
  awk '/^sluice_fetched_bytes_total/ {sum += $2} END {printf "%d", sum}' <&3
  exec 3>&-
}

# The first call of a command loads its classes; as on a node that has run it before, the measured one need not.
archive_classes() {
  SLUICE_JAVA_OPTS="-XX:ArchiveClassesAtExit=$WORK/sluice.jsa" \
    bin/sluice pull --containerd "$WORK/containerd.sock" --namespace "$NAMESPACE" --snapshotter "$SNAPSHOTTER" \
    --address "$WORK/$SNAPSHOTTER.sock" "$REGISTRY/demo:absent" > /dev/null 2>&1 || true
  [ ! -s "$WORK/sluice.jsa" ] || mv "$WORK/sluice.jsa" command/target/sluice.jsa
}
