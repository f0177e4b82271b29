#!/bin/sh
# Starts nginx, twice (front.conf.template says why), in a container or on this machine, and asks the instances how they are: whoever is not
# ready gets nothing more, before it stops answering; whoever has come, at whatever address, is found. nginx itself asks nobody, and looks up a
# name only when it reads its settings.
#
#   APP_SERVERS       app:8080   name:port name:port …; every address of a name is an instance
#   APP_SERVERS_FILE  nothing    the same in a file, which is read again in each round
#   APP_VIEW_FILE     nothing    one line of JSON that instances are told with each request (X-Farm); the sample's page shows it
#   HEALTH_PATH       /health/ready
#   HEALTH_INTERVAL   1          seconds between two rounds. Sessions:ShutdownDelay must be longer than this and two rounds, which take
#                              up to a second each when somebody does not answer
#   LISTEN            8080       address:port, or port
#   NGINX_DATA        /tmp/nginx a folder of its own, which it may write to
#   NGINX_CONFIG                 the folder of nginx.conf.template; that of this script
#
# Told to end (TERM, INT, QUIT), it answers what was begun and ends.
set -u
# Nothing here is secret, and as root nginx has its work done by another user.
umask 022

config=${NGINX_CONFIG:-$(cd "$(dirname "$0")" && pwd)}
NGINX_DATA=${NGINX_DATA:-/tmp/nginx} LISTEN=${LISTEN:-8080}
path=${HEALTH_PATH:-/health/ready} interval=${HEALTH_INTERVAL:-1}
command -v curl >/dev/null || { echo "start.sh: curl is not installed; instances are asked with it how they are." >&2; exit 1; }
mkdir -p "$NGINX_DATA/server.d" "$NGINX_DATA/round" || exit 1

# Every address of every name, one per line.
addresses() {
  if [ -n "${APP_SERVERS_FILE:-}" ]; then cat "$APP_SERVERS_FILE"; else echo "${APP_SERVERS:-app:8080}"; fi | tr ' ' '\n' | while IFS= read -r server; do
    [ -n "$server" ] || continue
    host=${server%:*}
    case $host in
      *[!0-9.]*) getent ahostsv4 "$host" | while read -r address kind _; do [ "$kind" != STREAM ] || echo "$address:${server##*:}"; done;;
      *) echo "$server";;
    esac
  done | sort -u
}

# Asks all of them at once, and writes down who is ready. If nobody is, all are: their answer says more than the balancer's would.
look() {
  rm -f "$NGINX_DATA"/round/*
  all=$(addresses)
  for server in $all; do
    { curl -fsS -o /dev/null -m 1 "http://$server$path" 2>/dev/null && : >"$NGINX_DATA/round/$server"; } &
    asked="${asked:-} $!"
  done
  # Not for nginx, which is a child too.
  for one in ${asked:-}; do wait "$one"; done
  asked=''
  ready=''
  for server in $all; do [ ! -e "$NGINX_DATA/round/$server" ] || ready="$ready $server"; done
  {
    echo "upstream instances {"
    # One state for all workers; else each begins its own round.
    echo "    zone instances 256k;"
    for server in ${ready:-$all}; do echo "    server $server max_fails=1 fail_timeout=2s;"; done
    # nginx wants one at least: the port of nobody.
    [ -n "$all" ] || echo "    server 127.0.0.1:9 down;"
    echo "    keepalive 32;"
    # Shorter than Kestrel keeps them (130 s), so that it is never the instance that closes.
    echo "    keepalive_timeout 60s;"
    echo "}"
    view=''
    [ ! -r "${APP_VIEW_FILE:-}" ] || view=$(head -n 1 "$APP_VIEW_FILE" | tr -d "'\\\\\$")
    echo "map \$host \$farm { default '$view'; }"
  } >"$NGINX_DATA/instances.new"
}

fill() { sed -e "s|\${NGINX_DATA}|$NGINX_DATA|g" -e "s|\${LISTEN}|$LISTEN|g" "$config/$1.template" >"$NGINX_DATA/$1"; }
fill front.conf && fill nginx.conf || exit 1
look
mv "$NGINX_DATA/instances.new" "$NGINX_DATA/instances.conf"
# Left by one that was killed; nginx does not take it over.
rm -f "$NGINX_DATA/balancer.sock"
nginx -p "$NGINX_DATA" -e stderr -c "$NGINX_DATA/nginx.conf" &
balancer=$!
# The front would answer 502 until the other one listens.
until [ -S "$NGINX_DATA/balancer.sock" ] || ! kill -0 "$balancer" 2>/dev/null; do sleep 0.05; done
nginx -p "$NGINX_DATA" -e stderr -c "$NGINX_DATA/front.conf" &
front=$!
# The front first: what it has begun, the other one still answers.
trap 'kill -QUIT "$front"; wait "$front"; kill -QUIT "$balancer"; wait "$balancer"; exit 0' TERM INT QUIT

while kill -0 "$front" 2>/dev/null && kill -0 "$balancer" 2>/dev/null; do
  sleep "$interval" & wait $!
  look
  cmp -s "$NGINX_DATA/instances.new" "$NGINX_DATA/instances.conf" && continue
  mv "$NGINX_DATA/instances.new" "$NGINX_DATA/instances.conf"
  kill -HUP "$balancer"
done
# One without the other is of no use.
kill "$front" "$balancer" 2>/dev/null
wait
exit 1
