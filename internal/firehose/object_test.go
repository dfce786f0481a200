package firehose_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/firehose"
)

// bubble is a server in a synctest bubble, called without a network.
type bubble struct {
	deliveries
	server *firehose.Server
	dir    string
}

func newBubble(t *testing.T, opts firehose.Options) *bubble {
	t.Helper()
	b := &bubble{dir: t.TempDir()}
	opts.Dir, opts.Streams = b.dir, []string{"logs"}
	opts.OnObject = b.add
	var err error
	if b.server, err = firehose.New(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.server.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// put sends one call and returns how many of its records failed.
func (b *bubble) put(t *testing.T, datas ...string) int {
	t.Helper()
	type record struct{ Data []byte }
	var call struct {
		DeliveryStreamName string
		Records            []record
	}
	call.DeliveryStreamName = "logs"
	for _, d := range datas {
		call.Records = append(call.Records, record{[]byte(d)})
	}
	body, err := json.Marshal(call)
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
	request.Header.Set("X-Amz-Target", "Firehose_20150804.PutRecordBatch")
	answer := httptest.NewRecorder()
	b.server.Handler().ServeHTTP(answer, request)
	var response struct{ FailedPutCount *int }
	if err := json.Unmarshal(answer.Body.Bytes(), &response); err != nil || response.FailedPutCount == nil {
		t.Fatalf("answer: %s", answer.Body)
	}
	return *response.FailedPutCount
}

func TestAnObjectIsDeliveredWhenItsFirstRecordIsOldEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, firehose.Options{BufferInterval: 10 * time.Second})
		time.Sleep(7 * time.Second) // the time counts from the first record, not from the start
		b.put(t, "one")
		time.Sleep(6 * time.Second)
		b.put(t, "two")
		time.Sleep(4*time.Second - time.Nanosecond)
		synctest.Wait()
		if len(b.delivered()) != 0 {
			t.Fatalf("delivered too early: %+v", b.delivered())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if len(b.delivered()) != 1 || b.delivered()[0].Records != 2 || b.delivered()[0].Bytes != 6 {
			t.Fatalf("delivered %+v", b.delivered())
		}
		if got := contents(t, b.dir, "logs"); got != "onetwo" {
			t.Errorf("object holds %q", got)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(b.delivered()) != 1 {
			t.Errorf("an object came of nothing: %+v", b.delivered())
		}
	})
}

func TestAnObjectIsDeliveredWhenItIsLargeEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, firehose.Options{BufferBytes: 10})
		b.put(t, "123456789")
		if len(b.delivered()) != 0 {
			t.Fatalf("delivered too early: %+v", b.delivered())
		}
		b.put(t, "0")
		b.put(t, "a call larger than the buffer", "stays in one object")
		if len(b.delivered()) != 2 || b.delivered()[0].Bytes != 10 || b.delivered()[1].Records != 2 {
			t.Fatalf("delivered %+v", b.delivered())
		}
		time.Sleep(time.Hour) // nothing is left for the timers
		synctest.Wait()
		if len(b.delivered()) != 2 {
			t.Errorf("delivered %+v", b.delivered())
		}
	})
}

func TestObjectsAreNamedAsFirehoseNamesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, firehose.Options{BufferInterval: time.Minute})
		time.Sleep(time.Until(time.Date(2018, 2, 21, 21, 59, 50, 0, time.UTC)))
		b.put(t, "", "\x1f\x8bzipped")
		time.Sleep(time.Minute) // into the next hour: the name keeps the first record's
		synctest.Wait()
		b.put(t, "plain")
		time.Sleep(time.Minute)
		synctest.Wait()
		const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`
		for i, pattern := range []string{
			`^logs/2018/02/21/21/logs-1-2018-02-21-21-59-50-` + uuid + `\.gz$`,
			`^logs/2018/02/21/22/logs-1-2018-02-21-22-00-50-` + uuid + `$`,
		} {
			if i >= len(b.delivered()) {
				t.Fatalf("delivered %+v", b.delivered())
			}
			name, err := filepath.Rel(b.dir, b.delivered()[i].Path)
			if err != nil || !regexp.MustCompile(pattern).MatchString(name) {
				t.Errorf("%s does not match %s", name, pattern)
			}
			if info, err := os.Stat(b.delivered()[i].Path); err != nil || info.Size() != b.delivered()[i].Bytes {
				t.Errorf("%v, %v", info, err)
			}
		}
	})
}

func TestBufferingHintsOfAStreamAreFollowed(t *testing.T) {
	r := newRig(t, firehose.Options{Streams: []string{}})
	_, err := r.CreateDeliveryStream(context.Background(), &api.CreateDeliveryStreamInput{
		DeliveryStreamName: aws.String("hints"),
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			RoleARN:        aws.String("arn:aws:iam::000000000000:role/r"),
			BucketARN:      aws.String("arn:aws:s3:::b"),
			BufferingHints: &types.BufferingHints{SizeInMBs: aws.Int32(1), IntervalInSeconds: aws.Int32(900)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	half := strings.Repeat("x", 512<<10)
	r.put(t, "hints", half)
	if n := len(r.delivered()); n != 0 {
		t.Errorf("%d objects after half of the size", n)
	}
	r.put(t, "hints", half)
	if n := len(r.delivered()); n != 1 {
		t.Errorf("%d objects after the size", n)
	}
}

func TestAnObjectThatCannotBeDeliveredIsFinishedByTheNextStart(t *testing.T) {
	dir := t.TempDir()
	b := newRig(t, firehose.Options{Dir: dir})
	b.put(t, "logs", "kept")
	// A file where the year's directory should be.
	year := filepath.Join(dir, "logs", time.Now().UTC().Format("2006"))
	if err := os.WriteFile(year, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err == nil {
		t.Error("closed without an error")
	}
	if n := b.Stats().FailedObjects; n != 1 || len(b.delivered()) != 0 {
		t.Errorf("%d failed objects, delivered %+v", n, b.delivered())
	}
	if err := os.Remove(year); err != nil {
		t.Fatal(err)
	}
	again := newRig(t, firehose.Options{Dir: dir})
	if diff := cmp.Diff(1, len(again.delivered())); diff != "" {
		t.Error(diff)
	}
	if got := contents(t, dir, "logs"); got != "kept" {
		t.Errorf("objects hold %q", got)
	}
}
