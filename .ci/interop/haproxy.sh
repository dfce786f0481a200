#!/usr/bin/env bash
# haproxy in front with send-proxy (TCP), send-proxy-v2 (TCP, RELP port) and send-proxy-v2 with TLS passed through: log
# streams carry the client's address. A header of a peer that is not trusted is not believed.
. "$(dirname "$0")/lib.sh"

tcp=$(free_port) tls=$(free_port) v1=$(free_port) v2=$(free_port) v2tls=$(free_port)
start relay "$bin" listen --local "$work/out" --spool-dir "$work/spool" --tcp-port "$tcp" --port "$tls" --flush-interval 1s \
  --proxy-trust 127.0.0.5
relay=$pid
wait_for 10 listening "$tls" || fail "the relay does not listen"

# haproxy speaks to the relay from 127.0.0.5; clients speak to haproxy from other addresses of the loopback network.
cat >"$work/haproxy.cfg" <<EOF
global
  maxconn 200
defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
  source 127.0.0.5
frontend v1
  bind 127.0.0.1:$v1
  default_backend v1
frontend v2
  bind 127.0.0.1:$v2
  default_backend v2
frontend v2tls
  bind 127.0.0.1:$v2tls
  default_backend v2tls
backend v1
  server relay 127.0.0.1:$tcp send-proxy
backend v2
  server relay 127.0.0.1:$tcp send-proxy-v2 proxy-v2-options crc32c,unique-id check inter 200ms
backend v2tls
  server relay 127.0.0.1:$tls send-proxy-v2 check inter 200ms
EOF
start haproxy haproxy -db -f "$work/haproxy.cfg"
wait_for 10 listening "$v2tls" || fail "haproxy does not listen"

from() { # from ADDRESS PORT: standard input to a port of this host, from an address of it
  python3 -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[2])), source_address=(sys.argv[1], 0))
s.sendall(sys.stdin.buffer.read())
s.shutdown(socket.SHUT_WR)
s.settimeout(10)
try:
    while s.recv(4096): pass
except ConnectionResetError: pass' "$@"
}
tls_from() { # tls_from ADDRESS PORT
  openssl s_client -quiet -no_ign_eof -bind "$1:0" -connect "127.0.0.1:$2" >/dev/null 2>&1 || true
}
line() { echo "<13>1 2024-01-02T03:04:05Z host app - - - $*"; }

for i in $(seq 20); do line "v1 $i"; done | from 127.0.0.21 "$v1"
for i in $(seq 20); do line "v2 $i"; done | from 127.0.0.22 "$v2"
{ line "v2 over TLS"; sleep 0.5; } | tls_from 127.0.0.23 "$v2tls"
# Sent past haproxy: a header that nobody trusts is a line like others, and its client is who connected.
{ printf 'PROXY TCP4 192.0.2.66 127.0.0.1 1234 514\r\n'; line "forged"; } | from 127.0.0.24 "$tcp"
# Sent through haproxy: the header of the client is behind haproxy's, and not believed either.
{ printf 'PROXY TCP4 192.0.2.66 127.0.0.1 1234 514\r\n'; line "forged through haproxy"; } | from 127.0.0.25 "$v1"
# From haproxy's address without a header: refused.
line "without a header" | from 127.0.0.5 "$tcp"
sleep 1 # for some health checks

stop "$relay"
"$bin" cat --json "$work/out" >"$work/all"

came() { # came TEXT STREAM [TIMES]: and from nowhere else
  local n
  n=$(python3 -c 'import json, sys
text, stream = sys.argv[1:3]
found = [d for d in map(json.loads, sys.stdin) if d["message"].endswith(" " + text)]
assert all(d["logStream"] == stream for d in found), found
print(len(found))' "$1" "$2" <"$work/all") || fail "\"$1\" did not come from $2"
  [ "$n" = "${3:-1}" ] || fail "\"$1\" came $n times from $2"
}
for i in $(seq 20); do came "v1 $i" 127.0.0.21; came "v2 $i" 127.0.0.22; done
came "v2 over TLS" 127.0.0.23
came "forged" 127.0.0.24
came "forged through haproxy" 127.0.0.25
came "without a header" 127.0.0.5 0
! grep -q '"192.0.2.66"' "$work/all" || fail "a header was believed that nobody trusts"
grep -q 'peer=127.0.0.5.*no PROXY protocol header' "$work/relay.log" || fail "a connection without a header is not in the log"
! grep -v 'without a header\|must begin with one' "$work/relay.log" | grep -q 'level=\(WARN\|ERROR\)' || fail "health checks are in the log"
echo "clients came through haproxy under their own addresses, forged headers did not"
