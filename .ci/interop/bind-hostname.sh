#!/usr/bin/env bash
# bind-hostname.sh BINARY [MESSAGES]: rsyslog's omrelp over TLS, with a certificate for fw1.example.com, sends messages of that host
# and, one in a hundred, of another. With refuse those are dropped and all others come, each once; with note all come, each once.
# Needs rsyslog with rsyslog-relp.
. "$(dirname "$0")/lib.sh"
count=${2:-400} foreign=$((${2:-400} / 100))

cd "$work"
quietly() { "$@" >"$work/openssl.log" 2>&1; }
quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=ca -keyout ca.key -out ca.crt
certificate() { # certificate NAME HOST
  quietly openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
  printf 'subjectAltName=DNS:%s\n' "$2" >"$1.ext"
  quietly openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -extfile "$1.ext" -out "$1.crt"
}
certificate relay relay.test
certificate fw fw1.example.com
seq "$count" | awk '{print "<13>1 2024-01-02T03:04:05Z " ($1 % 100 == 50 ? "fw2" : "fw1") " app - - - message " $1 " end"}' >messages

numbers() { "$bin" cat "$1-out" 2>/dev/null | grep -oE 'message [0-9]+ end' | sort | uniq -c; }
came() { [ "$(numbers "$1" | wc -l)" = "$2" ]; }

# run BINDING COME: how many are to come
run() {
  local binding=$1 come=$2 port began=$SECONDS relay_pid rsyslog_pid talker
  port=$(free_port)
  mkdir "$binding-state"
  cat >"$binding.conf" <<END
global(workDirectory="$work/$binding-state")
module(load="imfile")
module(load="omrelp")
template(name="line" type="string" string="%msg%")
input(type="imfile" file="$work/messages" tag="app" ruleset="relp")
ruleset(name="relp") {
  action(type="omrelp" target="127.0.0.1" port="$port" template="line"
    tls="on" tls.caCert="$work/ca.crt" tls.myCert="$work/fw.crt" tls.myPrivKey="$work/fw.key" tls.authMode="name" tls.permittedPeer=["relay.test"]
    queue.type="LinkedList" queue.size="$count" action.resumeRetryCount="-1" action.resumeInterval="1")
}
END
  start "relay-$binding" "$bin" listen --local "$binding-out" --spool-dir "$binding-spool" --port 0 --relp-tls-port "$port" --cert relay.crt --key relay.key \
    --client-ca ca.crt --bind-hostname "$binding" --flush-interval 1s
  relay_pid=$pid
  wait_for 10 listening "$port" || fail "the relay does not listen"
  start "rsyslogd-$binding" rsyslogd -n -f "$binding.conf" -i "$work/$binding.pid"
  rsyslog_pid=$pid
  # librelp looks for answers when it sends: a refusal it has not read yet is noticed, and what it has on the way sent again, with the
  # next message. So this sender does not fall silent, as no real one does for ever.
  while sleep 1; do echo "<13>1 2024-01-02T03:04:05Z fw1 app - - - one more"; done >>messages &
  talker=$! pids+=("$!")
  wait_for 60 came "$binding" "$come" || fail "$binding: $(numbers "$binding" | wc -l) messages came, want $come"
  kill "$talker"
  stop "$rsyslog_pid"
  stop "$relay_pid"
  came "$binding" "$come" || fail "$binding: more than $come messages came"
  numbers "$binding" | grep -vq '^ *1 ' && fail "$binding: a message came twice"
  grep -q 'hostname=fw2' "relay-$binding.log" || fail "$binding: the log does not name the host"
  echo "$binding: $come of $count messages came, each once ($((SECONDS - began))s)"
}

run refuse $((count - foreign))
grep -q "dropped=$foreign" relay-refuse.log || fail "refuse: the relay does not tell of $foreign messages dropped"
"$bin" cat refuse-out | grep -q ' fw2 ' && fail "refuse: a foreign message came"
run note "$count"
noted=$("$bin" cat --json note-out | grep -c '"logStream":"127.0.0.1/hostname-not-of-fw"' || true)
[ "$noted" = "$foreign" ] || fail "note: $noted messages bear the note, want $foreign"
