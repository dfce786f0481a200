#!/usr/bin/env bash
# Against moto, a Firehose and an S3 that none of us wrote: every message arrives once, in objects that the AWS CLI reads.
. "$(dirname "$0")/lib.sh"

port=$(free_port) tcp=$(free_port)
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
endpoint=http://127.0.0.1:$port
start moto moto_server -H 127.0.0.1 -p "$port"
wait_for 60 listening "$port" || fail "moto does not listen"
aws() { command aws --endpoint-url "$endpoint" "$@"; }

aws s3 mb s3://logs >/dev/null
aws firehose create-delivery-stream --delivery-stream-name S --delivery-stream-type DirectPut \
  --s3-destination-configuration RoleARN=arn:aws:iam::123456789012:role/r,BucketARN=arn:aws:s3:::logs >/dev/null

start relay "$bin" listen --stream S --endpoint-url "$endpoint" --spool-dir "$work/spool" --port 0 --tcp-port "$tcp" --flush-interval 1s
wait_for 10 listening "$tcp" || fail "the relay does not listen"
for i in $(seq 5000); do printf '<13>1 2024-01-02T03:04:05Z host app - - - message %d end\n' "$i"; done >"$work/lines"
for part in 1 2 3 4 5; do
  sed -n "$((part * 1000 - 999)),$((part * 1000))p" "$work/lines" >"/dev/tcp/127.0.0.1/$tcp"
  sleep 0.4
done
sleep 1
stop "$pid"

mkdir "$work/copied"
aws s3 cp --recursive s3://logs "$work/copied" >/dev/null
"$bin" cat "$work/copied" | sort >"$work/got"
sort "$work/lines" | cmp - "$work/got" || fail "$(wc -l <"$work/got") messages came of 5000"
"$bin" cat --json "$work/copied" | grep -o '"owner":"[0-9]*"' | sort | uniq -c
echo "5000 messages came through moto, every one once, in $(find "$work/copied" -type f | wc -l) objects"
