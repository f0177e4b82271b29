# Which container engine, and how. Two ways: the Docker of this machine, if it has a registry to pull from; else podman with runc, in namespaces of its own.

has_docker() { docker info >/dev/null 2>&1 && docker pull -q mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled >/dev/null 2>&1; }

# What is missing for podman, or nothing.
missing_for_podman() {
  [ "$(id -u)" = 0 ] || echo "root"
  local program; for program in podman runc docker-compose iptables ip unshare nginx redis-server curl dotnet; do command -v "$program" >/dev/null || echo "$program"; done
  [ -x /usr/lib/podman/netavark ] || [ -x /usr/libexec/podman/netavark ] || echo netavark
  [ -x /usr/lib/podman/aardvark-dns ] || [ -x /usr/libexec/podman/aardvark-dns ] || echo aardvark-dns
}

# "${inside[@]}" COMMAND...: in a network, mounts and processes that end with it. Its bridges, firewall rules, published ports, images and settings are in there, and
# this machine's are not touched; when it ends, however it ends, all of that is gone.
# No function: in the background that would be a shell of its own, and to kill that one would leave the namespace.
inside=(unshare --net --mount --pid --fork --kill-child --mount-proc)

# The one thing that a namespace does not take along: podman leaves an empty control group of each container that was killed.
control_groups() { find /sys/fs/cgroup -type d -path '*/libpod_parent*' 2>/dev/null | sort -r; }
# sweep FILE: removes those that were not there when FILE was written. One with a process in it cannot be removed.
sweep() { control_groups | { [ -f "$1" ] && grep -vxFf "$1" || true; } | xargs -r rmdir 2>/dev/null; }

# In there: podman's folders are the work folder's, and its socket is where Docker's is.
start_podman() {
  ip link set lo up
  mount -t tmpfs tmpfs /run && mkdir -p /run/lock "$work"/{storage,etc,cni} /var/lib/containers /etc/containers /etc/cni/net.d || return 1
  mount --bind "$work/storage" /var/lib/containers && mount --bind "$work/etc" /etc/containers && mount --bind "$work/cni" /etc/cni/net.d || return 1
  # There is no other network, so nobody else to ask for a name: a name that is gone is gone at once, and not after a time-out.
  echo "# none" >"$work/resolv.conf" && mount --bind "$work/resolv.conf" /etc/resolv.conf || return 1
  echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' >/etc/containers/policy.json
  cat >/etc/containers/containers.conf <<X
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
# A machine may not let anybody raise its limits; a container is started with these instead of the engine's.
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[network]
network_backend = "netavark"
X
  unset CONTAINERS_CONF CONTAINERS_STORAGE_CONF XDG_RUNTIME_DIR
  export DOCKER_HOST=unix:///run/podman/podman.sock
  mkdir -p /run/podman
  podman system service --time 0 "$DOCKER_HOST" >"$work/podman.log" 2>&1 &
  for _ in $(seq 50); do [ -S /run/podman/podman.sock ] && curl -fs --unix-socket /run/podman/podman.sock http://d/_ping >/dev/null && break; sleep 0.1; done
  curl -fs --unix-socket /run/podman/podman.sock http://d/_ping >/dev/null || { cat "$work/podman.log"; return 1; }
  # What compose users type. Without Docker's own client, podman's understands the same.
  command -v docker >/dev/null || { mkdir -p "$work/bin"; ln -s "$(command -v podman)" "$work/bin/docker"; PATH=$work/bin:$PATH; }
  health_clock &
}

# podman leaves the clock of health checks to systemd, which is not here. Who is starting is asked each second, the others now and then.
health_clock() {
  local round
  for ((round = 0; ; round++)); do
    sleep 1
    local states=(--filter health=starting); [ $((round % 10)) != 0 ] || states+=(--filter health=healthy --filter health=unhealthy)
    podman ps -q "${states[@]}" | xargs -r -P 2 -n 1 podman healthcheck run
  done >/dev/null 2>&1
}
