#!/usr/bin/env bash
# kill -9 in the midst of a stream of messages: what was sent more than a second before comes through, nothing twice.
. "$(dirname "$0")/lib.sh"

tcp=$(free_port)
relay() { start relay "$bin" listen --local "$work/out" --spool-dir "$work/spool" --port 0 --tcp-port "$tcp" --flush-interval 1s; wait_for 10 listening "$tcp"; }
relay || fail "the relay does not listen"
sent=0
for round in 1 2 3 4 5; do
  exec 3>"/dev/tcp/127.0.0.1/$tcp"
  for i in $(seq 400); do sent=$((sent + 1)); printf '<13>1 2024-01-02T03:04:05Z host app - - - message %d end\n' "$sent" >&3; done
  sleep 0.$((RANDOM % 9 + 1))
  kill -9 "$pid"; wait "$pid" 2>/dev/null || true
  exec 3>&-
  relay || fail "the relay does not start again"
done
stop "$pid"
"$bin" cat "$work/out" | grep -o 'message [0-9]* end' | sort >"$work/got"
sort -u "$work/got" >"$work/distinct"
got=$(wc -l <"$work/distinct") doubles=$(($(wc -l <"$work/got") - $(wc -l <"$work/distinct")))
[ "$got" = "$sent" ] || fail "$got of $sent messages came"
"$bin" cat --json "$work/out" | grep -o '"id":"[0-9]*"' | sort -u | wc -l | grep -qx "$sent" || fail "doubles do not bear the same id"
echo "$sent messages, five kills: none lost, $doubles sent twice with the same id"
