# The tests' third way to a Redis, after REDIS_URL and a redis-server on the PATH: Testcontainers asks the engine for one. Here it is the only one.
testcontainers() {
  local program=$repository/tests/RedisSessions.Redis.Tests/bin/Debug/net10.0/RedisSessions.Redis.Tests log=$work/testcontainers.log
  [ -x "$program" ] || { echo "not run: RedisSessions.Redis.Tests is not built"; return; }
  mkdir -p "$work/path"
  export DOTNET_ROOT; DOTNET_ROOT=$(dirname "$(readlink -f "$(command -v dotnet)")")
  # Its reaper, a container that removes what a killed test leaves, is another image; here everything ends with the namespace.
  (cd "$work" && PATH=$work/path REDIS_URL='' TESTCONTAINERS_RYUK_DISABLED=true "$program" --filter-class '*.RedisHandlerTests') >"$log" 2>&1 ||
    { tail -40 "$log"; fail "the conformance tests over Testcontainers"; }
  grep -q 'Docker container [0-9a-f]* ready' "$log" || { tail -40 "$log"; fail "no container was started for the tests"; }
  [ -z "$(docker ps -aq)" ] || fail "the tests leave a container behind"
  echo "ok: Testcontainers: the conformance tests over a redis:7.0 that this engine gave:$(sed -n 's/^ *\(total\|succeeded\|failed\|skipped\): */ \1 /p' "$log" | tr '\n' ',')"
}
