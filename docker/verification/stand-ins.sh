# Images under the names that the Dockerfile and the compose files use, where there is no registry to pull those from: programs of this machine's Debian
# packages with the libraries they load, and the installed .NET runtime. As little as the originals need to have in them for what is verified here: the
# same programs, users, folders and environment; neither their versions nor their entry points.

# image NAME FOLDER [CHANGE...]
image() {
  local name=$1 root=$2; shift 2
  local changes=(); for change in "$@"; do changes+=(--change "$change"); done
  tar -C "$root" --numeric-owner -c . | podman import -q "${changes[@]}" - "$name" >/dev/null && rm -rf "$root" && echo "stand-in: $name"
}

# skeleton FOLDER: what every Linux system has.
skeleton() {
  local root=$1
  mkdir -p "$root"/usr/{bin,sbin,lib,lib64,share} "$root"/{etc,tmp,root,run,var,proc,sys,dev}
  for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
  chmod 1777 "$root/tmp"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
  printf '%s\n' root:x:0:0::/root:/bin/sh nginx:x:101:101::/tmp:/bin/sh redis:x:999:999::/data:/bin/sh app:x:1654:1654::/home/app:/bin/sh nobody:x:65534:65534::/:/bin/sh >"$root/etc/passwd"
  printf '%s\n' root:x:0: nginx:x:101: redis:x:999: app:x:1654: nogroup:x:65534: >"$root/etc/group"
}

# put FOLDER PROGRAM-OR-LIBRARY...: with every library it loads. /bin/x and /usr/bin/x are the same there as here.
put() {
  local root=$1 file; shift
  for file in "$@"; do
    [[ $file == /* ]] || file=$(type -P "$file") || { echo "$1 is not installed" >&2; return 1; }
    echo "$file"
    ldd "$file" 2>/dev/null | grep -o '/[^ ]*' || true
  done | sort -u | while read -r file; do
    file=$(readlink -f "$(dirname "$file")")/$(basename "$file")
    mkdir -p "$root$(dirname "$file")"
    cp -L "$file" "$root$file"
  done
}

# What a script may expect of any Debian.
shell=(sh cmp getent grep sed $(dpkg -L coreutils 2>/dev/null | grep '/bin/.'))

# What .NET loads, TLS, which it looks for only when it needs it, among that.
libraries_of_dotnet() {
  find "$dotnet/dotnet" "$dotnet/host" "$dotnet/shared" -name '*.so' -o -name dotnet | xargs ldd 2>/dev/null | grep -o '/[^ ]*' | grep -v "^$dotnet/\|:$"
  ldconfig -p | grep -o '/.*/\(libssl\|libcrypto\)\.so\.3$'
}

stand_ins() {
  local root=$work/rootfs
  dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")

  skeleton "$root"; put "$root" "${shell[@]}" redis-server redis-cli
  mkdir -p "$root/data"; chown 999:999 "$root/data"
  # As the original, it is open to whoever reaches it unless its settings say otherwise.
  image docker.io/library/redis:7.2 "$root" 'WORKDIR /data' 'CMD ["redis-server", "--protected-mode", "no"]' || return 1
  podman tag docker.io/library/redis:7.2 docker.io/library/redis:7.0

  skeleton "$root"; put "$root" "${shell[@]}" nginx curl
  image docker.io/library/nginx:1.28 "$root" 'CMD ["nginx", "-g", "daemon off;"]' || return 1

  if command -v prometheus >/dev/null; then
    skeleton "$root"; put "$root" $(ldd "$(type -P prometheus)" | grep -o '/[^ ]*')
    # It may be in a folder where its package was unpacked.
    cp -L "$(type -P prometheus)" "$root/usr/bin/prometheus"
    mkdir -p "$root/prometheus"; chown 65534:65534 "$root/prometheus"
    image docker.io/prom/prometheus:v3.5.0 "$root" 'WORKDIR /prometheus' 'USER nobody' 'ENTRYPOINT ["/usr/bin/prometheus"]' || return 1
  fi

  # The SDK itself stays where it is, and is there while the image is built.
  skeleton "$root"; put "$root" "${shell[@]}" $(libraries_of_dotnet)
  ln -s /usr/share/dotnet/dotnet "$root/usr/bin/dotnet"
  image mcr.microsoft.com/dotnet/sdk:10.0 "$root" 'ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true' 'ENV HOME=/root' || return 1

  skeleton "$root"; put "$root" $(libraries_of_dotnet)
  mkdir -p "$root/usr/share/dotnet/shared"
  cp -a "$dotnet/dotnet" "$dotnet/host" "$root/usr/share/dotnet/"
  cp -a "$dotnet"/shared/Microsoft.{NETCore,AspNetCore}.App "$root/usr/share/dotnet/shared/"
  ln -s /usr/share/dotnet/dotnet "$root/usr/bin/dotnet"
  image mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled "$root" 'ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true' 'ENV ASPNETCORE_HTTP_PORTS=8080' \
    'ENV DOTNET_RUNNING_IN_CONTAINER=true' 'ENV APP_UID=1654' 'USER 1654'
}

# build_shop VERSION: the Dockerfile as it is, without a network. Packages come from this machine's, by the NuGet.Config that a user may give too.
build_shop() {
  local packages; packages=$(dotnet nuget locals global-packages --list | sed 's/^global-packages: //')
  cat >"$work/NuGet.Config" <<X
<configuration><packageSources><clear /><add key="this machine" value="/root/.nuget/packages" /></packageSources></configuration>
X
  podman build --format docker --network none --build-arg VERSION="$1" -f docker/Dockerfile -t "redissessions/shop:$1" \
    --volume "$packages:/root/.nuget/packages:ro" --volume "$dotnet:/usr/share/dotnet:ro" --secret id=nuget.config,src="$work/NuGet.Config" . \
    >"$work/build.log" 2>&1 || { tail -30 "$work/build.log"; return 1; }
}
