#!/usr/bin/env bash
# Who gets in over TLS under which policy: openssl, gnutls-cli, rsyslog (both drivers), syslog-ng and logger through stunnel
# with seven certificates against seven relays. A message of every combination is sent; those that came are the table.
. "$(dirname "$0")/lib.sh"

skip() { echo "SKIPPED: $*"; }
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null && return 0
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  [ -e "$work/updated" ] || { apt-get update -qq >/dev/null 2>&1 || return 1; touch "$work/updated"; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >/dev/null 2>&1 && command -v "$1" >/dev/null
}

# Two authorities, and clients: named and other have names, revoked and expired are what they are called, stranger is from
# the other authority, self signed itself, none shows nothing.
pki=$work/pki
mkdir "$pki"
cd "$pki"
new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }
for ca in ours theirs; do
  new_key "$ca"
  openssl req -x509 -new -key "$ca.key" -subj "/CN=$ca" -days 30 -out "$ca.crt" -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
  mkdir "db.$ca"; : >"db.$ca/index"; echo 1000 >"db.$ca/serial"; echo 1000 >"db.$ca/crlnumber"
  cat >"$ca.cnf" <<EOC
[ca]
default_ca=d
[d]
database=db.$ca/index
serial=db.$ca/serial
crlnumber=db.$ca/crlnumber
new_certs_dir=db.$ca
certificate=$ca.crt
private_key=$ca.key
default_md=sha256
default_days=30
default_crl_days=30
unique_subject=no
policy=p
copy_extensions=copy
[p]
commonName=supplied
EOC
done
issue() { # issue NAME AUTHORITY SAN USAGE [openssl ca options]
  local name=$1 ca=$2 san=$3 usage=$4; shift 4
  new_key "$name"
  openssl req -new -key "$name.key" -subj "/CN=$name" -addext "subjectAltName=$san" -addext "extendedKeyUsage=$usage" 2>/dev/null |
    openssl ca -batch -notext -config "$ca.cnf" -in /dev/stdin -out "$name.crt" "$@" 2>/dev/null || fail "cannot make the certificate $name"
}
issue relay ours DNS:relay.test,DNS:localhost,IP:127.0.0.1 serverAuth
issue named ours DNS:fw.example.com clientAuth
issue other ours DNS:other.example.com clientAuth
issue revoked ours DNS:fw.example.com clientAuth
issue expired ours DNS:fw.example.com clientAuth -startdate 20200101000000Z -enddate 20210101000000Z
issue stranger theirs DNS:fw.example.com clientAuth
new_key self
openssl req -x509 -new -key self.key -subj /CN=self -days 30 -out self.crt 2>/dev/null
openssl ca -config ours.cnf -revoke revoked.crt 2>/dev/null
openssl ca -config ours.cnf -gencrl -out ours.crl 2>/dev/null
fingerprint() { openssl x509 -in "$1.crt" -noout -fingerprint "-$2" | sed 's/.*=//'; }

policies=(none request ca name wildcard fingerprint crl)
clients=(named other revoked expired stranger self none)
declare -A options=(
  [none]=""
  [request]="--client-ca ours.crt --client-auth request"
  [ca]="--client-ca ours.crt"
  [name]="--client-ca ours.crt --permit fw.example.com"
  [wildcard]="--client-ca ours.crt --permit *.example.com"
  [fingerprint]="--permit sha-256:$(fingerprint self sha256)"
  [crl]="--client-ca ours.crt --crl ours.crl"
)
declare -A gets_in=( # in the order of the policies
  [named]="none request ca name wildcard crl"
  [other]="none request ca wildcard crl"
  [revoked]="none request ca name wildcard"
  [expired]="none"
  [stranger]="none"
  [self]="none fingerprint"
  [none]="none request"
)

declare -A port relay
start_relay() { # start_relay POLICY OPTION...: on a port that is free
  local p=$1; shift
  for _ in 1 2 3; do # somebody may take the port first
    port[$p]=$(free_port)
    start "relay-$p" "$bin" listen --local "$work/out.$p" --spool-dir "$work/spool.$p" --address 127.0.0.1 --port "${port[$p]}" --flush-interval 1s "$@"
    relay[$p]=$pid
    wait_for 10 started_or_not "$p" || break
    if grep -q '^listening' "$work/relay-$p.out"; then return; fi
  done
  fail "the relay with policy $p does not listen"
}
started_or_not() { grep -q '^listening' "$work/relay-$1.out" || ! kill -0 "${relay[$1]}" 2>/dev/null; }
set -f # a wildcard is to reach the relay
# shellcheck disable=SC2086 # words are meant
for p in "${policies[@]}"; do start_relay "$p" --cert relay.crt --key relay.key ${options[$p]}; done
set +f

message() { # message PEER CLIENT POLICY: a line that is found again
  echo "<13>1 2024-01-02T03:04:05Z host $1 - - - [$1/$2/$3]"
}
pair() { [ "$1" = none ] || echo "$2 $1.crt $3 $1.key"; } # pair CLIENT CERTOPTION KEYOPTION

openssl_client() { # POLICY CLIENT
  # shellcheck disable=SC2046
  { message openssl "$2" "$1"; sleep 1; } |
    openssl s_client -quiet -no_ign_eof -verify_return_error -CAfile ours.crt -verify_hostname relay.test $(pair "$2" -cert -key) -connect "127.0.0.1:${port[$1]}"
}
gnutls_client() {
  # shellcheck disable=SC2046
  { message gnutls "$2" "$1"; sleep 1; } |
    gnutls-cli --x509cafile ours.crt --sni-hostname relay.test --verify-hostname relay.test $(pair "$2" --x509certfile --x509keyfile) -p "${port[$1]}" 127.0.0.1
}
matrix() { # matrix PEER FUNCTION
  local p c waiting
  rows+=("$1")
  for p in "${policies[@]}"; do
    waiting=()
    for c in "${clients[@]}"; do "$2" "$p" "$c" >"$work/$1-$p-$c.client" 2>&1 & waiting+=($!); done
    for w in "${waiting[@]}"; do wait "$w" || true; done # who is refused fails
  done
}
rows=() daemons=()
matrix openssl openssl_client
if need gnutls-cli gnutls-bin; then matrix gnutls gnutls_client; else skip "gnutls-cli: gnutls-bin cannot be installed"; fi

# Daemons hold a connection each, so they go through the combinations that matter.
combinations="named:ca named:name other:name other:wildcard stranger:ca self:fingerprint named:fingerprint revoked:crl none:ca"
offer() { # offer PEER CLIENT POLICY COMMAND...: until the message is taken over from us
  local m; m="[$1/$2/$3]"; shift 3
  wait_for 10 "$@" "$m" 2>/dev/null || fail "$m could not be handed over"
}
daemon() { # daemon PEER COMMAND-PREFIX: for each combination, with files named after it
  local peer=$1 function=$2 combination
  daemons+=("$peer")
  for combination in $combinations; do "$function" "$peer" "${combination#*:}" "${combination%:*}"; done
}

rsyslog_client() { # rsyslog_client PEER POLICY CLIENT; PEER is rsyslog-DRIVER-MODE
  local driver mode name="$1-$2-$3" permitted=relay.test own=""
  driver=$(cut -d- -f2 <<<"$1") mode=$(cut -d- -f3 <<<"$1")
  [ "$mode" = name ] || permitted="SHA1:$(fingerprint relay sha1)"
  [ "$3" = none ] || own="DefaultNetstreamDriverCertFile=\"$pki/$3.crt\" DefaultNetstreamDriverKeyFile=\"$pki/$3.key\""
  mkdir "$work/$name"
  cat >"$work/$name/conf" <<EOC
global(workDirectory="$work/$name" DefaultNetstreamDriverCAFile="$pki/ours.crt" $own)
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="$work/$name/s")
action(type="omfwd" target="127.0.0.1" port="${port[$2]}" protocol="tcp" StreamDriver="$driver" StreamDriverMode="1"
  StreamDriverAuthMode="x509/$mode" StreamDriverPermittedPeers="$permitted" template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted")
EOC
  start "$name" rsyslogd -n -iNONE -f "$work/$name/conf"
  offer "$1" "$3" "$2" logger --socket-errors=on -u "$work/$name/s" -t "$1"
}
if need rsyslogd rsyslog; then
  for driver in gtls:rsyslog-gnutls ossl:rsyslog-openssl; do
    if [ -n "$(find /usr/lib -name "lmnsd_${driver%:*}.so" 2>/dev/null)" ] || { need no-such-command "${driver#*:}"; [ -n "$(find /usr/lib -name "lmnsd_${driver%:*}.so")" ]; }; then
      for mode in name fingerprint; do daemon "rsyslog-${driver%:*}-$mode" rsyslog_client; done
    else
      skip "rsyslog with the driver ${driver%:*}: ${driver#*:} cannot be installed"
    fi
  done
else
  skip "rsyslog cannot be installed"
fi

syslog_ng=(syslog-ng)
find_syslog_ng() { # it cannot be installed beside rsyslog, but it can be unpacked
  command -v syslog-ng >/dev/null && return 0
  local root=$work/unpacked libs modules
  mkdir -p "$root"
  (cd "$root" && chmod 777 . && apt-get download -qq syslog-ng-core libivykis0 libnet1 libpcre3 && for d in *.deb; do dpkg -x "$d" .; done) >/dev/null 2>&1 || return 1
  libs=$(find "$root" -name 'lib*.so*' -printf '%h\n' | sort -u | paste -sd:)
  modules=$(dirname "$(find "$root" -name libafsocket.so)")
  syslog_ng=(env "LD_LIBRARY_PATH=$libs" "$root/usr/sbin/syslog-ng" "--module-path=$modules")
  "${syslog_ng[@]}" --version >/dev/null 2>&1
}
syslog_ng_client() {
  local name="$1-$2-$3" own=""
  [ "$3" = none ] || own="cert-file(\"$pki/$3.crt\") key-file(\"$pki/$3.key\")"
  mkdir "$work/$name"
  cat >"$work/$name/conf" <<EOC
@version: 3.35
source s { unix-dgram("$work/$name/s"); };
destination d { syslog("127.0.0.1" port(${port[$2]}) transport("tls") tls(ca-file("$pki/ours.crt") $own peer-verify(required-trusted))); };
log { source(s); destination(d); };
EOC
  start "$name" "${syslog_ng[@]}" -F -f "$work/$name/conf" -R "$work/$name/persist" -c "$work/$name/ctl" --pidfile "$work/$name/pid" --no-caps
  offer "$1" "$3" "$2" logger --socket-errors=on -u "$work/$name/s" -t "$1"
}
if find_syslog_ng; then daemon syslog-ng syslog_ng_client; else skip "syslog-ng cannot be installed"; fi

stunnel_client() {
  local name="$1-$2-$3" own="" local_port
  local_port=$(free_port)
  [ "$3" = none ] || own=$(printf 'cert=%s\nkey=%s' "$pki/$3.crt" "$pki/$3.key")
  cat >"$work/$name.conf" <<EOC
foreground=yes
pid=
[syslog]
client=yes
accept=127.0.0.1:$local_port
connect=127.0.0.1:${port[$2]}
CAfile=$pki/ours.crt
verifyChain=yes
checkHost=relay.test
$own
EOC
  start "$name" stunnel4 "$work/$name.conf"
  offer "$1" "$3" "$2" logger -n 127.0.0.1 -P "$local_port" -T --rfc5424 --octet-count -t "$1"
}
if need stunnel4 stunnel4 && need logger bsdutils; then daemon logger-stunnel stunnel_client; else skip "stunnel4 cannot be installed"; fi

# Rules and certificates are reread at SIGHUP, under a connection that stays.
echo "sha-256:$(fingerprint named sha256)" >rules
cp relay.crt hot.crt; cp relay.key hot.key
start_relay hot --cert hot.crt --key hot.key --permit @rules
mkfifo long
{ message long named before; cat long; } | openssl s_client -quiet -no_ign_eof -cert named.crt -key named.key -connect "127.0.0.1:${port[hot]}" >"$work/long.client" 2>&1 &
pids+=($!)
exec 9>long
openssl_client hot self >/dev/null 2>&1 || true
issue hot2 ours DNS:relay.test,IP:127.0.0.1 serverAuth
mv hot2.key hot.key; mv hot2.crt hot.crt
echo "sha-256:$(fingerprint self sha256)" >>rules
kill -HUP "${relay[hot]}"
shown() { openssl s_client -cert named.crt -key named.key -connect "127.0.0.1:${port[hot]}" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 | sed 's/.*=//'; }
new_is_shown() { [ "$(shown)" = "$(fingerprint hot sha256)" ]; }
wait_for 10 new_is_shown || fail "the new certificate is not shown after SIGHUP"
{ message openssl self reread; sleep 1; } | openssl s_client -quiet -no_ign_eof -cert self.crt -key self.key -connect "127.0.0.1:${port[hot]}" >/dev/null 2>&1 || true
message long named after >&9
exec 9>&-

sleep 4 # what daemons were given is on its way
for p in "${policies[@]}" hot; do stop "${relay[$p]}"; done
for p in "${policies[@]}" hot; do "$bin" cat "$work/out.$p" 2>/dev/null || true; done >"$work/all"

wrong=0
result() { # result PEER CLIENT POLICY: "in" or "-", with an exclamation mark where that is wrong
  local got=- want=-
  grep -qF "[$1/$2/$3]" "$work/all" && got=in
  [[ " ${gets_in[$2]} " != *" $3 "* ]] || want=in
  [ "$got" = "$want" ] || got="$got!"
  echo "$got"
}
printf '\n%-24s %-10s' client certificate; printf ' %-11s' "${policies[@]}"; echo
for peer in "${rows[@]}"; do
  for c in "${clients[@]}"; do
    printf '%-24s %-10s' "$peer" "$c"
    for p in "${policies[@]}"; do r=$(result "$peer" "$c" "$p"); [[ $r != *! ]] || wrong=$((wrong + 1)); printf ' %-11s' "$r"; done
    echo
  done
done
for peer in "${daemons[@]}"; do
  printf '%-24s' "$peer"
  for combination in $combinations; do
    r=$(result "$peer" "${combination%:*}" "${combination#*:}"); [[ $r != *! ]] || wrong=$((wrong + 1)); printf ' %s=%s' "$combination" "$r"
  done
  echo
done

for reason in no_certificate untrusted expired revoked not_permitted; do
  grep -q "TLS client refused.*$reason" "$work"/relay-*.log || { echo "no log line tells of a client refused for $reason"; wrong=$((wrong + 1)); }
done
for m in long/named/before long/named/after openssl/self/reread; do
  grep -qF "[$m]" "$work/all" || { echo "$m did not come"; wrong=$((wrong + 1)); }
done
! grep -qF "[openssl/self/hot]" "$work/all" || { echo "who was permitted only later got in before"; wrong=$((wrong + 1)); }
[ "$wrong" = 0 ] || fail "$wrong results are not as they should be (those with an exclamation mark)"
echo "every client got in where it may, and nowhere else"
