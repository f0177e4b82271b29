#!/bin/sh
# Starts one Redis process of the farm, in a container or on this machine: the settings beside this file, and from the environment what
# differs from one to the next. Passwords are read from files. They stand in no command line, no environment and no log; in the data folder
# they stand hashed (users.acl) or, where a server has to show them to another, in files that only their owner can read.
#
# Usage: start.sh server     a primary, or a server alone
#        start.sh replica    follows REDIS_PRIMARY
#        start.sh sentinel   watches REDIS_PRIMARY
#        start.sh cluster    a node of a cluster
#        start.sh create     makes the nodes REDIS_NODES a cluster, the second half replicas of the first. Again: has those with new addresses meet
#        start.sh health     exit code 0 when the process answers and takes its work
#        start.sh reload     reads the passwords again and has the server take them: a file may have several, one per line, while they change
#
#   REDIS_PASSWORD_FILE         of the user "sessions", which may do what RedisSessions does, on keys and channels that begin with REDIS_PREFIX
#   REDIS_SERVERS_PASSWORD_FILE of the user "servers": replicas, sentinels, cluster, operators; sees no session. Only a server alone does without
#   REDIS_PREFIX                session:   (Sessions:Redis:KeyPrefix)
#   REDIS_EXTRA_RULES           nothing    what else the application may do, as selectors: (~web-farm:keys +lrange +rpush)
#   REDIS_PORT                  6379       26379 of a sentinel
#   REDIS_BIND                  *          addresses it listens on
#   REDIS_DATA                  /data      a folder of its own, which it may write to
#   REDIS_CONFIG                           the folder of the settings; that of this script
#   REDIS_ANNOUNCE              nothing    the name or address by which others reach it
#   REDIS_MAXMEMORY             nothing    instead of what redis.conf says
#   REDIS_PRIMARY               nothing    host:port, of a replica and of a sentinel
#   REDIS_SENTINELS             nothing    host:port host:port …, of a server and a replica: asked at start who the primary is by now
#   REDIS_QUORUM                2          how many sentinels must agree that the primary is down
#   REDIS_MIN_REPLICAS          0          how many replicas a primary needs to take writes
#   REDIS_CLUSTER_PORT          port+10000 where nodes of a cluster talk to each other
#   REDIS_NODES                 nothing    host:port host:port …, for "create"
set -eu
umask 077

mode=${1:-server}
service=sessions
config=${REDIS_CONFIG:-$(cd "$(dirname "$0")" && pwd)}
data=${REDIS_DATA:-/data}
prefix=${REDIS_PREFIX:-session:}
if [ "$mode" = sentinel ] || { [ -f "$data/sentinel.conf" ] && [ ! -f "$data/redis.conf" ]; }; then port=${REDIS_PORT:-26379}; else port=${REDIS_PORT:-6379}; fi

fail() { echo "start.sh: $*" >&2; exit 1; }

# The passwords of a file, one per line; the first is the one that is shown to others.
passwords() {
  [ -r "$2" ] || fail "$1 is '$2', which cannot be read. It must name a file with a password."
  count=0
  while IFS= read -r line || [ -n "$line" ]; do
    [ -n "$line" ] || continue
    case $line in *[!A-Za-z0-9._~+/=@%:-]*) fail "a password in $1 has a character that settings have no form for: use letters, digits and . _ ~ + / = @ % : -";; esac
    [ ${#line} -ge 16 ] || fail "a password in $1 has ${#line} characters: it must have at least 16, because its hash is in a file. openssl rand -hex 32 makes one."
    count=$((count + 1))
    printf '%s\n' "$line"
  done <"$2"
  [ "$count" -gt 0 ] || fail "the file of $1 is empty: it must have a password."
}
first() { all=$(passwords "$1" "$2") || exit 1; printf '%s' "$all" | head -n 1 | tr -d '\n'; }
# printf is a part of the shell: what it writes is in no command line.
hashes() { all=$(passwords "$1" "$2") || exit 1; printf '%s\n' "$all" | while IFS= read -r line; do printf ' #%s' "$(printf %s "$line" | sha256sum | cut -d ' ' -f 1)"; done; }

has_servers() { [ -n "${REDIS_SERVERS_PASSWORD_FILE:-}" ]; }

# How clients and servers connect. Not +@connection: that has CLIENT KILL, CLIENT PAUSE and CLIENT LIST in it, with which one user stops all others.
# A sentinel knows the first line only, and does not start with a rule for a command that it does not know.
sentinel_connection="+hello +auth +ping +client|setname +client|id"
connection_commands="$sentinel_connection +echo +quit +select +asking +readonly"
# The commands of RedisSessions, each with what it is for in docs/security.md; without CONFIG GET, which would show the password of the servers.
session_commands="$connection_commands +getex +get +set +getrange +del +unlink +expire +pexpire +expireat +pexpireat +pttl +eval +evalsha +script|load +publish +subscribe +unsubscribe
  +zadd +zrange +zrangebyscore +zrem +zremrangebyscore +info +cluster|nodes +cluster|slots +wait"
# A replica copies; sentinels watch and appoint; redis-cli makes a cluster; an operator looks and makes backups. No command here reads a key.
server_commands="$connection_commands +psync +replconf +info +role +multi +exec +replicaof +slaveof +failover +subscribe +unsubscribe +psubscribe +punsubscribe +publish
  +config|rewrite +config|get +client|list +client|kill +client|no-evict +script|kill +cluster +readonly +wait +bgsave +bgrewriteaof +lastsave +dbsize
  +slowlog +latency +memory|stats +memory|doctor +acl|log +acl|load +acl|whoami +shutdown"
# Of a sentinel: whoever looks for the primary may ask and listen. Of servers only sentinels ask each other, and operators.
ask_commands="$sentinel_connection +info +role +subscribe +unsubscribe +psubscribe +punsubscribe +sentinel|get-master-addr-by-name +sentinel|masters +sentinel|master
  +sentinel|replicas +sentinel|slaves +sentinel|sentinels +sentinel|ckquorum"

# write_users FILE: a user that is not named here does not get in.
write_users() {
  sessions=$(hashes REDIS_PASSWORD_FILE "${REDIS_PASSWORD_FILE:?REDIS_PASSWORD_FILE must name the file with the password of the user sessions}") || exit 1
  if has_servers; then servers=$(hashes REDIS_SERVERS_PASSWORD_FILE "$REDIS_SERVERS_PASSWORD_FILE") || exit 1; fi
  {
    echo "user default off"
    if [ "$kind" = sentinel ]; then
      echo "user sessions on$sessions resetchannels &+switch-master &+sentinel -@all $(echo $ask_commands)"
      echo "user servers on$servers resetchannels &* -@all $(echo $ask_commands) +publish +sentinel +acl|load +acl|log +acl|whoami"
    else
      echo "user sessions on$sessions resetchannels ~$prefix* &$prefix* -@all $(echo $session_commands) ${REDIS_EXTRA_RULES:-}"
      if has_servers; then echo "user servers on$servers resetchannels &* -@all $(echo $server_commands)"; fi
    fi
  } >"$1.new"
  mv "$1.new" "$1"
}

# As the user whose password is there: redis-cli takes it from the environment of that one process.
cli() {
  if has_servers; then
    REDISCLI_AUTH=$(first REDIS_SERVERS_PASSWORD_FILE "$REDIS_SERVERS_PASSWORD_FILE") timeout "${patience:-60}" redis-cli --no-auth-warning --user servers "$@"
  else
    REDISCLI_AUTH=$(first REDIS_PASSWORD_FILE "$REDIS_PASSWORD_FILE") timeout "${patience:-60}" redis-cli --no-auth-warning --user sessions "$@"
  fi
}
here() { case ${REDIS_BIND:-*} in '*'*) echo 127.0.0.1;; *) echo "${REDIS_BIND%% *}";; esac; }
host_of() { echo "${1%:*}"; }
port_of() { echo "${1##*:}"; }

# Who the primary is by now: the sentinels know, or the settings of last time. A primary that comes back after a failover must not be one again.
primary_by_now() {
  patience=2
  for sentinel in ${REDIS_SENTINELS:-}; do
    answer=$(cli -h "$(host_of "$sentinel")" -p "$(port_of "$sentinel")" SENTINEL get-master-addr-by-name "$service" 2>/dev/null) || continue
    case $answer in *'
'[0-9]*) echo "$answer" | tr '\n' ':' | sed 's/:$//'; return;; esac
  done
  if [ -n "${REDIS_SENTINELS:-}" ] && [ -f "$data/redis.conf" ]; then
    former=$(sed -n 's/^replicaof \(.*\) \([0-9]*\)$/\1:\2/p' "$data/redis.conf" | tr -d '"' | tail -n 1)
    echo "${former:-${REDIS_ANNOUNCE:-$(here)}:$port}"
  elif [ "$mode" = replica ]; then
    echo "${REDIS_PRIMARY:?REDIS_PRIMARY must name the primary, host:port}"
  fi
}

common() {
  echo "port $port"
  echo "bind ${REDIS_BIND:-*}"
  echo "dir \"$data\""
  echo "aclfile \"$data/users.acl\""
}

write_server() {
  primary=$(primary_by_now)
  {
    echo "include \"$config/redis.conf\""
    [ "$mode" != cluster ] || echo "include \"$config/cluster.conf\""
    common
    # Who is not one of the users does not get in, whatever address he comes to.
    echo "protected-mode no"
    [ -z "${REDIS_MAXMEMORY:-}" ] || echo "maxmemory $REDIS_MAXMEMORY"
    echo "min-replicas-to-write ${REDIS_MIN_REPLICAS:-0}"
    if has_servers; then
      echo "masteruser servers"
      printf 'masterauth "%s"\n' "$(first REDIS_SERVERS_PASSWORD_FILE "$REDIS_SERVERS_PASSWORD_FILE")"
    fi
    if [ "$mode" = cluster ]; then
      [ -z "${REDIS_CLUSTER_PORT:-}" ] || echo "cluster-port $REDIS_CLUSTER_PORT"
      [ -z "${REDIS_ANNOUNCE:-}" ] || echo "cluster-announce-hostname $REDIS_ANNOUNCE"
    else
      [ -z "${REDIS_ANNOUNCE:-}" ] || echo "replica-announce-ip $REDIS_ANNOUNCE"
      case $primary in '' | "${REDIS_ANNOUNCE:-$(here)}:$port") ;; *) echo "replicaof $(host_of "$primary") $(port_of "$primary")";; esac
    fi
  } >"$data/redis.conf.new"
  mv "$data/redis.conf.new" "$data/redis.conf"
}

# What a sentinel has learned stays; passwords and addresses are those of now.
write_sentinel() {
  password=$(first REDIS_SERVERS_PASSWORD_FILE "$REDIS_SERVERS_PASSWORD_FILE") || exit 1
  {
    if [ -f "$data/sentinel.conf" ]; then
      grep -vE '^(port|bind|dir|aclfile|protected-mode|user|sentinel (auth-user|auth-pass|sentinel-user|sentinel-pass|announce-ip)) ' "$data/sentinel.conf"
    else
      echo "sentinel monitor $service $(host_of "$REDIS_PRIMARY") $(port_of "$REDIS_PRIMARY") ${REDIS_QUORUM:-2}"
      cat "$config/sentinel.conf"
    fi
    common
    echo "protected-mode no"
    [ -z "${REDIS_ANNOUNCE:-}" ] || echo "sentinel announce-ip $REDIS_ANNOUNCE"
    echo "sentinel auth-user $service servers"
    echo "sentinel sentinel-user servers"
    printf 'sentinel auth-pass %s %s\nsentinel sentinel-pass %s\n' "$service" "$password" "$password"
  } >"$data/sentinel.conf.new"
  mv "$data/sentinel.conf.new" "$data/sentinel.conf"
}

# redis-cli and CLUSTER MEET take addresses only.
address_of() {
  host=$(host_of "$1")
  case $host in *[!0-9.]*) host=$(getent ahostsv4 "$host" | { read -r found _ && echo "$found"; }) || fail "$1 has no address";; esac
  echo "$host:$(port_of "$1")"
}

create_cluster() {
  nodes=''
  for node in ${REDIS_NODES:?REDIS_NODES must name the nodes, host:port host:port …}; do
    tries=0 patience=2
    until cli -h "$(host_of "$node")" -p "$(port_of "$node")" PING 2>/dev/null | grep -q PONG; do
      tries=$((tries + 1)); [ "$tries" -lt 60 ] || fail "$node does not answer"
      sleep 1
    done
    nodes="$nodes $(address_of "$node")"
  done
  patience=60
  set -- $nodes
  info=$(cli -h "$(host_of "$1")" -p "$(port_of "$1")" CLUSTER INFO)
  if echo "$info" | grep -q '^cluster_slots_assigned:16384'; then
    for node in "$@"; do cli -h "$(host_of "$1")" -p "$(port_of "$1")" CLUSTER MEET "$(host_of "$node")" "$(port_of "$node")" >/dev/null; done
    echo "The cluster is there already; its nodes have met."
  else
    cli --cluster create "$@" --cluster-replicas 1 --cluster-yes
  fi
  # Done when each node serves or copies.
  patience=2
  for node in "$@"; do
    tries=0
    until cli -h "$(host_of "$node")" -p "$(port_of "$node")" CLUSTER INFO 2>/dev/null | grep -q '^cluster_state:ok' &&
      cli -h "$(host_of "$node")" -p "$(port_of "$node")" INFO replication 2>/dev/null | grep -qE '^(master_link_status:up|connected_slaves:[1-9])'; do
      tries=$((tries + 1)); [ "$tries" -lt 120 ] || fail "$node has not joined the cluster"
      sleep 0.5
    done
  done
}

healthy() {
  patience=2
  if [ -f "$data/sentinel.conf" ]; then
    # It knows of a replica, and of enough others to appoint it: a failover could begin.
    cli -h "$(here)" -p "$port" SENTINEL ckquorum "$service" 2>/dev/null | grep -q '^OK' || return 1
    cli -h "$(here)" -p "$port" SENTINEL master "$service" 2>/dev/null | tr -d '\r' | grep -A 1 '^num-slaves$' | grep -q '^[1-9]'
  else
    # Loading is not ready, and neither is a replica without its primary.
    state=$(cli -h "$(here)" -p "$port" INFO 2>/dev/null | tr -d '\r')
    echo "$state" | grep -q '^loading:0$' || return 1
    ! echo "$state" | grep -q '^master_link_status:down$'
  fi
}

kind=server
case $mode in
  server | replica | cluster)
    [ "$mode" = server ] && [ -z "${REDIS_SENTINELS:-}" ] || has_servers || fail "REDIS_SERVERS_PASSWORD_FILE must name the file with the password by which servers know each other."
    write_users "$data/users.acl"
    write_server
    exec redis-server "$data/redis.conf"
    ;;
  sentinel)
    kind=sentinel
    has_servers || fail "REDIS_SERVERS_PASSWORD_FILE must name the file with the password by which servers know each other."
    : "${REDIS_PRIMARY:?REDIS_PRIMARY must name the primary, host:port}"
    write_users "$data/users.acl"
    write_sentinel
    exec redis-server "$data/sentinel.conf" --sentinel
    ;;
  create) create_cluster ;;
  health) healthy ;;
  reload)
    [ ! -f "$data/sentinel.conf" ] || kind=sentinel
    write_users "$data/users.acl"
    cli -h "$(here)" -p "$port" ACL LOAD
    ;;
  *) fail "'$mode' is none of server, replica, sentinel, cluster, create, health, reload" ;;
esac
