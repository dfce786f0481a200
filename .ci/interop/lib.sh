# Sourced by the interop scripts: a relay on free ports in a directory of its own, stopped at the end.
set -euo pipefail
bin=$1
work=$(mktemp -d)
pids=()
cleanup() {
  local status=$?
  for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [ "$status" = 0 ] || { echo "--- logs"; tail -n 40 "$work"/*.log 2>/dev/null || true; }
  rm -rf "$work"
}
trap cleanup EXIT

fail() { echo "FAILED: $*"; exit 1; }
free_port() { # one that nothing listens on, for TCP and UDP
  local p
  while :; do
    p=$((20000 + RANDOM % 12000))
    ss -Hltun "sport = :$p" | grep -q . || { echo "$p"; return; }
  done
}
wait_for() { # wait_for SECONDS COMMAND...
  local until=$((SECONDS + $1)); shift
  until "$@"; do [ "$SECONDS" -lt "$until" ] || return 1; sleep 0.1; done
}
listening() { ss -Hltun "sport = :$1" | grep -q .; }
start() { # start NAME COMMAND...: in the background; its pid is in $pid
  local name=$1; shift
  "$@" >"$work/$name.out" 2>"$work/$name.log" &
  pid=$!
  pids+=("$pid")
}
stop() { # stop PID: in good order
  kill -TERM "$1"
  wait "$1" || fail "process $1 ended with status $?"
}
