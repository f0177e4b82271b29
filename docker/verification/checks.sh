# What must be true of a topology that is up, seen from the published port. Each check says "ok: …" or ends with "FAILED: …".

ok() { echo "ok: $topology: $*"; }
fail() {
  [ -z "${topology:-}" ] || { compose ps; compose logs --no-color --tail 30; } 2>&1 | tail -200
  echo "FAILED: ${topology:-}: $*"
  exit 1
}

# visit JAR PATH [CURL-OPTION...]
visit() { curl -sS --fail -m 20 -b "$1" -c "$1" -H 'X-Web-Farm: 1' "$url$2" "${@:3}"; }
count_up() { visit "$1" /api/increment -X POST; }
# header NAME: what the answers to 30 requests say in it, each once.
header() { for _ in $(seq 30); do curl -sS -m 20 -o /dev/null -D - -H 'X-Web-Farm: 1' "$url/api/whoami"; done | tr -d '\r' | sed -n "s/^$1: //pI" | sort -u; }
# eventually WHAT SECONDS COMMAND...
eventually() {
  local what=$1 end=$((SECONDS + $2)); shift 2
  until "$@" >/dev/null 2>&1; do [ $SECONDS -lt "$end" ] || fail "$what"; sleep 0.5; done
}
three_answer() { [ "$(header X-Instance | wc -l)" = 3 ]; }

# promises FOLDER: what a load report says was promised and seen.
promises() { grep -E '^\| (no |steps)' "$1/report.md" | sed 's/^/    /'; }
# reasons FOLDER: which promises were broken and why steps failed, in one line.
reasons() {
  [ -f "$1/report.md" ] || { echo "there is no report"; return; }
  awk '/^## / { failures = /Failures/ } /BROKEN \|$/ || (failures && /^\| [^ |-]/)' "$1/report.md" | tr -s ' |\n' ' '
}
# A site that is down for good makes it ask again and again.
load() { timeout 120 "$repository/loadtests/RedisSessions.LoadTests/bin/Debug/net10.0/RedisSessions.LoadTests" cart-race --shop --target "$url" --warm-up 0 --sessions 20 "$@"; }
none_lost() { grep -q '^| no acknowledged update is lost | 0 of [1-9]' "$1/report.md" && grep -q '^| no update is applied twice | 0 too many' "$1/report.md"; }

all_instances_answer() {
  eventually "three instances answer: $(header X-Instance | tr '\n' ' ')" 30 three_answer
  ok "answered by three instances: $(header X-Instance | tr '\n' ' ')"
}

begin_session() {
  jar=$work/$topology.cookies; rm -f "$jar"
  [ "$(visit "$jar" '/api/login?user=mira' -X POST)" = "logged in as mira" ] || fail "login"
  acknowledged=$(count_up "$jar") || fail "counting"
}

session_lives() {
  local user count
  # A failover may still be under way.
  eventually "the session does not answer after $1" 20 visit "$jar" /api/whoami
  user=$(visit "$jar" /api/whoami) && count=$(count_up "$jar") || fail "the session does not answer after $1"
  [ "$user" = mira ] || fail "after $1 the session is that of '$user'"
  [ "$count" = $((acknowledged + 1)) ] || fail "after $1 the session counts $count instead of $((acknowledged + 1))"
  acknowledged=$count
  ok "the session lives after $1: $user, count $count"
}

race() {
  load --duration 3s --connections 4 --output "$work/race" >"$work/load.log" 2>&1 || { cat "$work/load.log"; fail "cart-race: $(reasons "$work/race")"; }
  ok "cart-race: no update lost"; promises "$work/race"
}

# What was answered must be there, whatever was not answered while something died. Requests that were on their way there fail; that is what they are counted for.
kill_under_load() {
  local what=$1 container=$2 duration=$3 revive=$4 loss=${5:-none}
  load --duration "$duration" --rate 10 --output "$work/killed" >"$work/load.log" 2>&1 &
  local loading=$!
  sleep 2
  docker kill "$container" >/dev/null || fail "cannot kill $what"
  [ "$revive" = later ] || docker start "$container" >/dev/null
  wait "$loading"
  if [ "$loss" = none ]; then
    none_lost "$work/killed" || { cat "$work/load.log"; fail "updates are lost when $what is killed: $(reasons "$work/killed")"; }
    ok "$what killed under load: no acknowledged update lost"
  else
    ok "$what killed under load: $loss"
  fi
  promises "$work/killed"
  session_lives "the death of $what"
  [ "$revive" = now ] || docker start "$container" >/dev/null
}

# The former primary is a replica by now, and where commits need one there is another: it comes and goes, and nobody sees that.
restart_a_replica() {
  load --duration 12s --rate 10 --output "$work/restarted" >"$work/load.log" 2>&1 &
  local loading=$!
  for _ in 1 2 3; do
    sleep 2
    docker kill "$1" >/dev/null && docker start "$1" >/dev/null || fail "cannot restart a replica"
  done
  wait "$loading" || { cat "$work/load.log"; fail "requests failed when a replica was started anew: $(reasons "$work/restarted")"; }
  ok "a replica started anew three times under load: no request failed, no update lost"
  promises "$work/restarted"
}

# Under load from before the first new instance until after the last old one: one run of the load after the other, each begun before the last one ends.
roll_out() {
  local loads=() runs=0 rolling begun run
  (sleep 2; VERSION=2 exec ./roll) >"$work/roll.log" 2>&1 &
  rolling=$!
  while [ "$runs" = 0 ] || kill -0 "$rolling" 2>/dev/null; do
    runs=$((runs + 1)) begun=$SECONDS
    load --duration 18s --rate 12 --output "$work/rolled-$runs" >"$work/load-$runs.log" 2>&1 &
    loads+=($!)
    while kill -0 "$rolling" 2>/dev/null && [ $((SECONDS - begun)) -lt 14 ]; do sleep 0.5; done
  done
  wait "$rolling" || { cat "$work/roll.log"; fail "the rollout"; }
  grep '^[0-9]' "$work/roll.log" | sed 's/^/    /'
  for ((run = 1; run <= runs; run++)); do
    wait "${loads[run - 1]}" || { cat "$work/load-$run.log"; fail "requests failed during the rollout: $(reasons "$work/rolled-$run")"; }
    none_lost "$work/rolled-$run" || fail "updates are lost during the rollout: $(reasons "$work/rolled-$run")"
    promises "$work/rolled-$run"
  done
  ok "rolled out version 2 under load: no request failed, no update lost"
  [ "$(header X-Version)" = 2 ] || fail "after the rollout these versions answer: $(header X-Version | tr '\n' ' ')"
  all_instances_answer
  session_lives "the rollout"
}

# One per line, as they are and as a connection string or a header would have them.
passwords() { local file; for file in secrets/redis_*; do cat "$file"; echo; base64 -w 0 <"$file"; echo; done; }

# No password in what an engine shows of containers, volumes, networks and images, or in a log.
no_secret_is_shown() {
  { docker ps -aq | xargs docker inspect; docker volume ls -q | xargs -r docker volume inspect; docker images -q | sort -u | xargs docker inspect; docker images -q | sort -u | xargs -n 1 docker history --no-trunc; compose config; } >"$work/inspected" 2>/dev/null
  docker ps -aq | xargs -n 1 docker logs >"$work/logged" 2>&1
  cat "$work"/*.log >>"$work/logged"
  local size; size=$(wc -c <"$work/inspected")
  # The search itself must be able to find something.
  grep -q REDIS_PASSWORD_FILE "$work/inspected" && grep -q "Ready to accept connections" "$work/logged" || fail "there is nothing to search for passwords in"
  ! grep -lFf <(passwords) "$work/inspected" "$work/logged" || fail "a password is shown"
  ok "no password in what inspect, history and config say ($size bytes), nor in the logs ($(wc -c <"$work/logged") bytes)"
}

# No password in any file of any layer of an image.
no_secret_is_in_layers() {
  local image layers=0 layer
  for image in $(docker images --filter dangling=false --format '{{.ID}}' | sort -u); do
    rm -rf "$work/layers"; mkdir "$work/layers"
    docker save "$image" | tar -x -C "$work/layers" || fail "cannot save $image"
    for layer in $(cd "$work/layers" && find . -type f); do
      layers=$((layers + 1))
      # A layer is a tar of files, packed or not.
      ! { cat "$work/layers/$layer"; gunzip -c "$work/layers/$layer" 2>/dev/null; } | grep -aFf <(passwords) >/dev/null || fail "a password is in a layer of $image"
    done
  done
  rm -rf "$work/layers"
  [ "$layers" -gt 5 ] || fail "there are no layers to search for passwords in"
  echo "ok: no password in the $layers files of the layers of all images"
}

restricted() {
  local container
  for container in $(docker ps -q); do
    docker inspect -f '{{.HostConfig.ReadonlyRootfs}}' "$container" | grep -q true || fail "$(docker inspect -f '{{.Name}}' "$container") may write to its root"
    [ "$(docker exec "$container" id -u 2>/dev/null || docker inspect -f '{{.Config.User}}' "$container")" != 0 ] || fail "$(docker inspect -f '{{.Name}}' "$container") is root"
  done
  ok "$(docker ps -q | wc -l) containers, none is root, none may write to its root"
}

metrics_arrive() {
  local metrics=http://127.0.0.1:9090/api/v1
  up() { [ "$(curl -fsS "$metrics/query?query=sum(up)" | grep -o '"3"')" = '"3"' ] && curl -fsS "$metrics/query?query=sum(redissessions_load_duration_seconds_count)" | grep -q '"value"'; }
  eventually "Prometheus has no metrics of three instances" 40 up
  ok "Prometheus has metrics of three instances: $(curl -fsS "$metrics/query?query=sum(redissessions_load_duration_seconds_count)" | grep -o '"[0-9]*"]' | tr -d '"]') sessions loaded; $(curl -fsS "$metrics/rules" | grep -o '"alert"\|"type":"alerting"' | wc -l) alert rules"
  [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/metrics")" = 404 ] || fail "visitors can read the metrics"
}
