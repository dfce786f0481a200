#!/usr/bin/env bash
# Runs the AWS CLI against the embedded Firehose and checks what it delivers.
#
#   aws-cli.sh PATH/TO/kinesyslog
#
# Exits non-zero at the first thing that is wrong. Without the AWS CLI it says
# SKIPPED and exits zero. PORT chooses the port (default: one at random).
set -euo pipefail

kinesyslog=${1:?usage: aws-cli.sh PATH/TO/kinesyslog}
if ! command -v aws >/dev/null; then
	echo 'SKIPPED: interop with the AWS CLI was NOT tested, because there is no aws command. Install awscli to test it.'
	exit 0
fi

port=${PORT:-$((20000 + RANDOM % 10000))}
url=http://127.0.0.1:$port
work=$(mktemp -d)
dir=$work/delivered
server=

# shellcheck disable=SC2317 # called by trap
cleanup() {
	status=$?
	if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
	if [ "$status" -ne 0 ]; then
		echo "FAILED; the embedded Firehose said:"
		cat "$work/log" || true
	fi
	rm -rf "$work"
}
trap cleanup EXIT

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# The caller's own configuration must not leak in.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL AWS_ENDPOINT_URL_FIREHOSE AWS_ENDPOINT_URL_STS
export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=y AWS_DEFAULT_REGION=us-east-1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_MAX_ATTEMPTS=1 AWS_PAGER=
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1

run() { aws --endpoint-url "$url" --output text "$@"; }
firehose() { run firehose "$@"; }

# same WHAT WANT GOT
same() {
	[ "$2" = "$3" ] || fail "$1: want '$2', got '$3'"
	echo "ok: $1"
}

# refused CODE COMMAND...: the command must fail with this error.
refused() {
	local code=$1
	shift
	if "$@" >"$work/out" 2>&1; then fail "succeeded, want $code: $*"; fi
	grep -q "($code)" "$work/out" || fail "want $code, got: $(cat "$work/out")"
	echo "ok: $code"
}

# objects STREAM: what all objects of a stream hold, in the order of their names.
objects() { find "$dir/$1" -type f ! -name '.*' -print0 | sort -z | xargs -0 -r cat; }

# delivered STREAM WANT: waits for the objects to hold this.
delivered() {
	local tries=0
	until [ "$(objects "$1" | base64 -w0)" = "$(printf %s "$2" | base64 -w0)" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || fail "objects of $1 hold '$(objects "$1")', want '$2'"
		sleep 0.1
	done
	echo "ok: objects of $1 hold what was put"
}

"$kinesyslog" firehose --dir "$dir" --listen "127.0.0.1:$port" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 100); do
	if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
	kill -0 "$server" 2>/dev/null || fail 'the embedded Firehose ended at once'
	sleep 0.1
done

same 'the account' 000000000000 "$(run sts get-caller-identity --query Account)"

s3=RoleARN=arn:aws:iam::000000000000:role/r,BucketARN=arn:aws:s3:::b
arn=arn:aws:firehose:us-east-1:000000000000:deliverystream/interop
same 'create' "$arn" "$(firehose create-delivery-stream --delivery-stream-name interop \
	--extended-s3-destination-configuration "$s3,BufferingHints={SizeInMBs=1,IntervalInSeconds=1}")"
firehose create-delivery-stream --delivery-stream-name patient \
	--extended-s3-destination-configuration "$s3,BufferingHints={SizeInMBs=1,IntervalInSeconds=900}" >/dev/null
refused ResourceInUseException firehose create-delivery-stream --delivery-stream-name interop --extended-s3-destination-configuration "$s3"

same 'describe' "ACTIVE	DirectPut	$arn	1	1" "$(firehose describe-delivery-stream --delivery-stream-name interop --query \
	'DeliveryStreamDescription.[DeliveryStreamStatus,DeliveryStreamType,DeliveryStreamARN,Destinations[0].ExtendedS3DestinationDescription.BufferingHints.SizeInMBs,Destinations[0].ExtendedS3DestinationDescription.BufferingHints.IntervalInSeconds]')"
refused ResourceNotFoundException firehose describe-delivery-stream --delivery-stream-name nowhere

same 'list' 'interop	patient' "$(firehose list-delivery-streams --query "DeliveryStreamNames[?@=='interop' || @=='patient']")"
same 'list from a name on' 'patient	False' "$(firehose list-delivery-streams --exclusive-start-delivery-stream-name interop.z \
	--limit 10 --delivery-stream-type DirectPut --query "[DeliveryStreamNames[?@=='patient']|[0],HasMoreDeliveryStreams]")"

data() { printf %s "$1" | base64 -w0; }
# Version 1 of the CLI takes the data as it is, version 2 in base64.
case $(aws --version 2>&1) in
aws-cli/1.*) plain() { printf %s "$1"; } ;;
*) plain() { data "$1"; } ;;
esac
[ -n "$(firehose put-record --delivery-stream-name interop --record "Data=$(plain one)" --query RecordId)" ] || fail 'put-record gave no id'
same 'put-record-batch' 0 "$(firehose put-record-batch --delivery-stream-name interop --query FailedPutCount \
	--records "[{\"Data\":\"$(plain two)\"},{\"Data\":\"$(plain three)\"}]")"
delivered interop onetwothree

refused ResourceNotFoundException firehose put-record --delivery-stream-name nowhere --record "Data=$(plain x)"

name=$(cd "$dir" && find interop -type f ! -name '.*' | head -n 1)
uuid='[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
[[ $name =~ ^interop/([0-9]{4})/([0-9]{2})/([0-9]{2})/([0-9]{2})/interop-1-([0-9]{4})-([0-9]{2})-([0-9]{2})-([0-9]{2})-[0-9]{2}-[0-9]{2}-$uuid$ ]] ||
	fail "an object is named $name"
same 'the hour in an object'"'"'s name' "${BASH_REMATCH[*]:1:4}" "${BASH_REMATCH[*]:5:4}"

# A stream that is deleted, and a server that is stopped, deliver what they hold.
firehose put-record --delivery-stream-name patient --record "Data=$(plain kept)" >/dev/null
same 'nothing is delivered before its time' '' "$(objects patient)"
firehose delete-delivery-stream --delivery-stream-name patient
delivered patient kept
refused ResourceNotFoundException firehose put-record --delivery-stream-name patient --record "Data=$(plain late)"
same 'list after delete' '' "$(firehose list-delivery-streams --query "DeliveryStreamNames[?@=='patient']")"

firehose create-delivery-stream --delivery-stream-name last \
	--extended-s3-destination-configuration "$s3,BufferingHints={SizeInMBs=1,IntervalInSeconds=900}" >/dev/null
firehose put-record --delivery-stream-name last --record "Data=$(plain bye)" >/dev/null
kill "$server"
wait "$server" || fail "the embedded Firehose ended with status $?"
server=
delivered last bye
[ -z "$(find "$dir" -name '*.part' -o -name '*.calls')" ] || fail "unfinished objects are left: $(find "$dir" -name '.*')"
echo 'PASS: AWS CLI'
