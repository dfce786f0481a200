#!/usr/bin/env bash
# relp.sh BINARY [MESSAGES]: rsyslog's omrelp, plain and over TLS, sends through a relay that is killed with -9 five times
# in between: every message is delivered. RELP gives messages no identity, so omrelp sends again what was not answered when
# the connection broke, under another event id: those are counted, and must be no more than its window for each kill.
# Needs rsyslog with rsyslog-relp.
. "$(dirname "$0")/lib.sh"
count=${2:-20000} kills=5 window=128

# configure PARAMETERS: a rsyslogd that reads a file and has only omrelp's word for it that a message may be forgotten
configure() {
  cat >"$dir/rsyslog.conf" <<END
global(workDirectory="$dir/state")
module(load="imfile")
module(load="omrelp")
template(name="line" type="string" string="<13>1 2024-01-02T03:04:05Z host app - - - %msg%")
input(type="imfile" file="$dir/lines" tag="app" ruleset="relp")
ruleset(name="relp") {
  action(type="omrelp" target="127.0.0.1" port="$port" template="line" windowSize="$window" $1
    queue.type="LinkedList" queue.size="$count" action.resumeRetryCount="-1" action.resumeInterval="1")
}
END
  rsyslogd -N1 -f "$dir/rsyslog.conf" >"$dir/rsyslog.check" 2>&1 || { cat "$dir/rsyslog.check"; fail "rsyslogd does not take its configuration (it needs rsyslog-relp)"; }
}
relay() {
  start "relay-$name" "$bin" listen --local "$dir/out" --spool-dir "$dir/spool" --port 0 "$@" --prometheus-port "$admin" --flush-interval 1s
  wait_for 10 listening "$admin" || fail "the relay does not listen"
}
# acknowledged: how many messages the relay has acknowledged since it was started
acknowledged() {
  exec 4<>"/dev/tcp/127.0.0.1/$admin"
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&4
  sed -n 's/^kinesyslog_relp_acknowledged_total.* //p' <&4
  exec 4>&-
}
wait_acknowledged() { # wait_acknowledged N: without a pause, so that the kill comes in the midst of what is sent
  local until=$((SECONDS + 20))
  until [ "$(acknowledged)" -ge "$1" ]; do [ "$SECONDS" -lt "$until" ] || return 1; done
}
# events: number and event id of everything that was delivered
events() {
  "$bin" cat --json "$dir/out" | grep -oE '"id":"[0-9]+","timestamp":[0-9]+,"message":"[^"]*message [0-9]+ end' |
    sed -E 's/"id":"([0-9]+)".*message ([0-9]+) end/\2 \1/'
}
complete() { events 2>/dev/null | cut -d' ' -f1 | sort -u | wc -l | grep -qx "$count"; }

# run NAME OPTION PARAMETERS: the relay's option for its port, the parameters of omrelp
run() {
  name=$1 dir=$work/$1 port=$(free_port) admin=$(free_port)
  local option=$2 part=$((count / (kills + 1))) sent=0 began=$SECONDS relay_pid rsyslog_pid
  mkdir -p "$dir/state"
  configure "$3"
  seq "$count" | sed 's/.*/message & end/' >"$dir/all"
  sed -n "1,${part}p" "$dir/all" >"$dir/lines"
  sent=$part
  relay "$option" "$port" "${@:4}"
  relay_pid=$pid
  start "rsyslogd-$name" rsyslogd -n -f "$dir/rsyslog.conf" -i "$dir/rsyslogd.pid"
  rsyslog_pid=$pid
  for kill in $(seq "$kills"); do
    wait_acknowledged $((1 + (RANDOM << 15 | RANDOM) % (part / 2))) || fail "$name: rsyslog does not send before kill $kill"
    kill -9 "$relay_pid"; wait "$relay_pid" 2>/dev/null || true
    if [ "$kill" = "$kills" ]; then part=$((count - sent)); fi
    sed -n "$((sent + 1)),$((sent + part))p" "$dir/all" >>"$dir/lines"
    sent=$((sent + part))
    relay "$option" "$port" "${@:4}"
    relay_pid=$pid
  done
  wait_for 120 complete || fail "$name: $(events | cut -d' ' -f1 | sort -u | wc -l) of $count messages came"
  stop "$rsyslog_pid"
  stop "$relay_pid"
  events | sort >"$dir/events"
  local total distinct
  total=$(wc -l <"$dir/events") distinct=$(sort -u "$dir/events" | wc -l)
  [ "$(cut -d' ' -f1 "$dir/events" | sort -u | wc -l)" = "$count" ] || fail "$name: not every message came"
  [ "$((distinct - count))" -le "$((kills * (window + 1)))" ] || fail "$name: $((distinct - count)) messages were sent again by omrelp, its window is $window"
  echo "$name: $count messages, $kills kills: none lost, $((distinct - count)) sent again by omrelp, $((total - distinct)) doubles with the same id ($((SECONDS - began))s)"
}

run relp --relp-port ""
"$bin" cert --cert "$work/relay.crt" --key "$work/relay.key" >/dev/null
fingerprint=$(openssl x509 -in "$work/relay.crt" -noout -fingerprint -sha1 | sed 's/.*=//')
run relps --relp-tls-port "tls=\"on\" tls.caCert=\"$work/relay.crt\" tls.myCert=\"$work/relay.crt\" tls.myPrivKey=\"$work/relay.key\"
    tls.authMode=\"fingerprint\" tls.permittedPeer=[\"SHA1:$fingerprint\"]" --cert "$work/relay.crt" --key "$work/relay.key"
