#!/usr/bin/env bash
# util-linux logger over UDP and TCP in both formats and framings, openssl over TLS: every message comes back unaltered.
. "$(dirname "$0")/lib.sh"

udp=$(free_port) tcp=$(free_port) tls=$(free_port)
start relay "$bin" listen --local "$work/out" --spool-dir "$work/spool" --udp-port "$udp" --tcp-port "$tcp" --port "$tls" --flush-interval 1s
wait_for 10 listening "$tls" || fail "the relay does not listen"

for i in $(seq 2000); do
  printf 'line %d of a file: "quotes", \\ backslash, tab\there, user=%d söme ünicode ✓ %s\n' "$i" $((i * 7919 % 1000)) "$(printf 'x%.0s' $(seq $((i % 90))))"
done >"$work/lines"

logger -n 127.0.0.1 -P "$udp" -d --rfc3164 -t udp3164 "over UDP, RFC 3164"
logger -n 127.0.0.1 -P "$udp" -d --rfc5424 -t udp5424 "over UDP, RFC 5424"
logger -n 127.0.0.1 -P "$tcp" -T --rfc3164 -t tcp3164 "over TCP, RFC 3164"
logger -n 127.0.0.1 -P "$tcp" -T --rfc5424 -t tcp5424 "over TCP, RFC 5424"
logger -n 127.0.0.1 -P "$tcp" -T --rfc5424 --octet-count -t octet "over TCP, octet counted"
logger -n 127.0.0.1 -P "$tcp" -T --rfc3164 -t lines3164 -f "$work/lines"
logger -n 127.0.0.1 -P "$tcp" -T --rfc5424 --octet-count -t lines5424 -f "$work/lines"

tls_client() { openssl s_client -quiet -no_ign_eof "$@" -connect "127.0.0.1:$tls" >/dev/null 2>&1 || true; }
m='<13>1 2024-01-02T03:04:05Z host tls12 - - - over TLS 1.2, line'
{ printf '%s\n' "$m"; sleep 0.5; } | tls_client -tls1_2
m='<13>1 2024-01-02T03:04:05Z host tls13 - - - over TLS 1.3, octet counted'
{ printf '%d %s' "${#m}" "$m"; sleep 0.5; } | tls_client -tls1_3

stop "$pid"
"$bin" cat "$work/out" >"$work/all"

for text in "over UDP, RFC 3164" "over UDP, RFC 5424" "over TCP, RFC 3164" "over TCP, RFC 5424" "over TCP, octet counted" \
  "over TLS 1.2, line" "over TLS 1.3, octet counted"; do
  [ "$(grep -c -- "$text\$" "$work/all")" = 1 ] || fail "\"$text\" did not come exactly once"
done
sed -n 's/^.* lines3164: //p' "$work/all" | cmp - "$work/lines" || fail "the lines of the file are not what came"
sed -n 's/^.* lines5424 - - \[[^]]*\] //p' "$work/all" | cmp - "$work/lines" || fail "the octet-counted lines are not what came"
echo "$(wc -l <"$work/all") messages came, every one as it was sent"
