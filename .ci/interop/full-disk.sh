#!/usr/bin/env bash
# A spool directory on a disk of 64 MiB while Firehose is down: TCP waits and is not cut off, UDP is dropped and counted to
# the message, memory stays flat, readiness says it, and all goes on by itself when Firehose is back. Then the same on a
# disk that somebody else has filled up.
. "$(dirname "$0")/lib.sh"

mkdir "$work/disk"
if ! mount -t tmpfs -o size=64m tmpfs "$work/disk" 2>/dev/null; then
  echo "SKIPPED: a full disk was NOT tested, because no tmpfs can be mounted. Run this as root to test it."
  exit 0
fi
# The processes end before their disk goes.
trap 'status=$?; set +e; (exit $status); cleanup 2>/dev/null; umount -l "$work/disk"; rm -rf "$work"; exit $status' EXIT

tcp=$(free_port) udp=$(free_port) admin=$(free_port) aws=$(free_port)
export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=y AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export LC_ALL=C no_proxy=127.0.0.1 NO_PROXY=127.0.0.1

faults() { curl -sf -H 'Content-Type: application/json' -d "$1" "http://127.0.0.1:$aws/_faults" >/dev/null; }
# metric PATTERN: the sum of the values of all lines that match.
metric() { curl -sf "http://127.0.0.1:$admin/metrics" | awk -v p="^$1" '$0 ~ p { s += $NF } END { printf "%.0f\n", s }'; }
is() { [ "$(metric "$1")" = "$2" ]; }
say() { echo "--- $* (${SECONDS}s)"; }
not_ready() { ! curl -sf "http://127.0.0.1:$admin/readyz" >/dev/null && curl -s "http://127.0.0.1:$admin/readyz" | grep -q "$1"; }
rss() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$relay/status"; }
alive() { kill -0 "$1" 2>/dev/null; }
relay() { # relay NAME OPTION...
  local name=$1; shift
  start "$name" "$bin" listen --stream S --endpoint-url "http://127.0.0.1:$aws" --region us-east-1 --address 127.0.0.1 \
    --spool-dir "$work/disk" --port 0 --tcp-port "$tcp" --udp-port "$udp" --prometheus-port "$admin" "$@"
  relay=$pid
  wait_for 10 listening "$tcp" || fail "the relay does not listen"
}
# load PROTOCOL FIRST LAST: numbered messages of 300 bytes that do not compress to nothing, 50,000 a second at the most. It
# fails when a write does.
load() {
  perl -MIO::Socket::INET -e '
    my ($proto, $first, $last, $port) = @ARGV;
    my $s = IO::Socket::INET->new(Proto => $proto, PeerAddr => "127.0.0.1", PeerPort => $port) or die "connect: $!";
    my $pool = join "", map { sprintf "%04x", int rand 65536 } 1 .. 20000;
    for my $i ($first .. $last) {
      my $m = sprintf "<13>1 2024-01-02T03:04:05Z host %s - - - message %d end %s", $proto, $i, substr $pool, int rand 79000, 240;
      $m .= "\n" if $proto eq "tcp";
      my $at = 0;
      while ($at < length $m) { my $n = syswrite $s, $m, length($m) - $at, $at; defined $n or die "message $i: $!"; $at += $n }
      select undef, undef, undef, 0.002 if $i % 100 == 0;
    }' "$1" "$2" "$3" "$([ "$1" = tcp ] && echo "$tcp" || echo "$udp")"
}
# account TCP UDP DROPPED: of all that was sent so far, everything must be delivered, or, over UDP, counted as dropped: by an
# earlier relay, or by this one, which it stops.
account() {
  wait_for 120 is 'kinesyslog_messages_held[{]' 0 || fail "$(metric 'kinesyslog_messages_held[{]') messages are not delivered"
  drops=$(($3 + $(metric "kinesyslog_messages_dropped_total[{].*udp/$udp")))
  is "kinesyslog_messages_dropped_total[{].*tcp/$tcp" 0 || fail "TCP messages were dropped"
  wait_for 5 is 'kinesyslog_intake_stopped ' 0 || fail "intake does not go on"
  say "all is delivered"
  wait_for 5 curl -sf -o /dev/null "http://127.0.0.1:$admin/readyz" || fail "the relay does not become ready again"
  stop "$relay"
  say "stopped"
  sleep 2 # Firehose's buffer
  "$bin" cat "$work/out" | sed -n 's/^.* host \(tcp\|udp\) - - - message \([0-9]*\) end .*/\1 \2/p' | sort >"$work/got"
  [ "$(uniq "$work/got" | wc -l)" = "$(wc -l <"$work/got")" ] || fail "messages came twice"
  tcp_got=$(grep -c '^tcp' "$work/got" || true) udp_got=$(grep -c '^udp' "$work/got" || true)
  [ "$tcp_got" = "$1" ] || fail "$tcp_got of $1 messages came over TCP"
  [ $((udp_got + drops)) = "$2" ] || fail "of $2 datagrams $udp_got came and $drops are counted as dropped"
  echo "TCP: $1 sent, $tcp_got delivered. UDP: $2 sent, $udp_got delivered, $drops counted as dropped"
}

start firehose "$bin" firehose --dir "$work/out" --stream S --listen "127.0.0.1:$aws" --buffer-interval 1s --outage
wait_for 10 listening "$aws" || fail "the embedded Firehose does not listen"

say "Firehose is down, and the disk fills up"
relay first --flush-interval 2s
load tcp 1 350000 & t=$!
load udp 1 300000 & u=$!
wait_for 60 is 'kinesyslog_intake_stopped ' 1 || fail "the disk does not fill up"
wait "$u" || fail "the UDP sender ended badly"
before=$(rss)
say "the disk is full"
sleep 5
not_ready "TCP senders wait" || fail "readiness does not say it: $(curl -s "http://127.0.0.1:$admin/readyz")"
alive "$t" || fail "the TCP sender was not made to wait"
is 'kinesyslog_connections[{]' 1 || fail "the TCP sender was cut off"
after=$(rss)
echo "memory: $before MiB when the disk was full, $after MiB five seconds later; $(df -h --output=used,avail "$work/disk" | tail -n 1) of the disk used and free"
[ "$after" -le $((before + 20)) ] || fail "memory grows"
say "Firehose is back"
faults '{"outage": false}'
wait "$t" || fail "the TCP sender was cut off"
account 350000 300000 0
lost=$drops

say "somebody else fills the disk while all messages are in the journal"
faults '{"outage": true}'
relay second --flush-interval 20s
load tcp 350001 380000
wait_for 20 is 'kinesyslog_messages_held[{]' 30000 || fail "the messages are not there"
dd if=/dev/zero of="$work/disk/filler" bs=4k 2>/dev/null || true
[ "$(df --output=avail "$work/disk" | tail -n 1 | tr -d ' ')" = 0 ] || fail "the disk is not full"
load tcp 380001 420000 & t=$!
load udp 300001 330000 || fail "the UDP sender ended badly"
not_ready "make room" || fail "readiness does not say it: $(curl -s "http://127.0.0.1:$admin/readyz")"
alive "$t" || fail "the TCP sender was not made to wait"
say "Firehose is back"
faults '{"outage": false}'
wait "$t" || fail "the TCP sender was cut off"
account 420000 330000 "$lost"
