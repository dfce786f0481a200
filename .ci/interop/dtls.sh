#!/usr/bin/env bash
# openssl as a client of DTLS 1.2, with certificates of RSA and ECDSA: who is let in, and what is said.
. "$(dirname "$0")/lib.sh"

cd "$work"
quietly() { "$@" >"$work/openssl.log" 2>&1; }
authority() { quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj "/CN=$1" -keyout "$1.key" -out "$1.crt"; }
certificate() { # certificate NAME AUTHORITY HOST KEY...: of a client
  local name=$1 ca=$2 host=$3; shift 3
  quietly openssl req -newkey "$@" -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.csr"
  printf 'subjectAltName=DNS:%s\n' "$host" >"$name.ext"
  quietly openssl x509 -req -in "$name.csr" -CA "$ca.crt" -CAkey "$ca.key" -CAcreateserial -days 9 -extfile "$name.ext" -out "$name.crt"
}
ec=(ec -pkeyopt ec_paramgen_curve:P-256)
authority ours
authority theirs
certificate good ours fw.example.com "${ec[@]}"
certificate rsa ours fw.example.com rsa:2048
certificate other ours other.example.com "${ec[@]}"
certificate stranger theirs fw.example.com "${ec[@]}"
quietly openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=relay -addext subjectAltName=DNS:localhost -keyout relay.key -out relay.crt
fingerprint=sha-256:$(openssl x509 -in stranger.crt -noout -fingerprint -sha256 | sed 's/.*=//')

open=$(free_port) closed=$(free_port)
start anyone "$bin" listen --local "$work/anyone-out" --spool-dir "$work/anyone-spool" --port 0 --dtls-port "$open" --cert relay.crt --key relay.key --flush-interval 1s
anyone=$pid
start some "$bin" listen --local "$work/some-out" --spool-dir "$work/some-spool" --port 0 --dtls-port "$closed" --cert relay.crt --key relay.key \
  --client-ca ours.crt --permit fw.example.com --permit "$fingerprint" --flush-interval 1s
some=$pid
wait_for 10 listening "$open" && wait_for 10 listening "$closed" || fail "the relay does not listen"

speak() { # speak PORT TEXT ARGUMENTS...: one record for each line of TEXT, or all of it in one
  local port=$1 text=$2; shift 2
  { sleep 0.7; printf '%s\n' "$text"; sleep 0.3; } |
    openssl s_client -dtls1_2 -quiet -no_ign_eof "$@" -connect "127.0.0.1:$port" >>"$work/s_client.log" 2>&1 || true
}
m='<13>1 2024-01-02T03:04:05Z host dtls - - - octet counted'
speak "$open" "$(printf '%d %s%d %s again' "${#m}" "$m" $((${#m} + 6)) "$m")" &
speak "$open" '<13>1 2024-01-02T03:04:05Z host dtls - - - bare' -CAfile relay.crt -verify_return_error -verify_hostname localhost &
speak "$open" '<13>1 2024-01-02T03:04:05Z host dtls - - - other suite' -cipher ECDHE-RSA-CHACHA20-POLY1305 &
for name in good rsa other stranger; do
  speak "$closed" "<13>1 2024-01-02T03:04:05Z host dtls - - - from $name" -cert "$name.crt" -key "$name.key" &
done
speak "$closed" '<13>1 2024-01-02T03:04:05Z host dtls - - - from nobody' &
printf 'no DTLS at all' >"/dev/udp/127.0.0.1/$open"
sleep 3

stop "$anyone"
stop "$some"
"$bin" cat "$work/anyone-out" | sed 's/.* - - - //' | sort >"$work/came"
printf '%s\n' "bare" "octet counted" "octet counted again" "other suite" | cmp - "$work/came" || fail "what came is not what was sent: $(cat "$work/came")"
"$bin" cat "$work/some-out" | sed 's/.* - - - //' | sort >"$work/came"
printf '%s\n' "from good" "from rsa" "from stranger" | cmp - "$work/came" || fail "not those came who may: $(cat "$work/came")"
grep -q 'reason=not_permitted' "$work/some.log" || fail "the log does not say who was refused"
grep -q 'reason=no_certificate' "$work/some.log" || fail "the log does not say that nobody showed no certificate"
echo "messages of openssl came over DTLS, of those who may send"
