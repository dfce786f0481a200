package firehose_test

import (
	"bytes"
	"context"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"kinesyslog/internal/firehose"
)

// rig is a server behind a real listener with an SDK client that never retries.
type rig struct {
	*firehose.Server
	*api.Client
	deliveries
	url string
	dir string
}

// deliveries collects the objects that a server reports.
type deliveries struct {
	mu      sync.Mutex
	objects []firehose.Object
}

func (d *deliveries) add(o firehose.Object) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.objects = append(d.objects, o)
}

func (d *deliveries) delivered() []firehose.Object {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.objects)
}

// newRig starts a server. Without other options it has the stream logs.
func newRig(t *testing.T, opts firehose.Options) *rig {
	t.Helper()
	r := &rig{}
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	if opts.Streams == nil {
		opts.Streams = []string{"logs"}
	}
	opts.OnObject = r.add
	r.dir = opts.Dir
	var err error
	if r.Server, err = firehose.New(opts); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(r.Handler())
	r.url = web.URL
	t.Cleanup(func() {
		web.Close()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	r.Client = newClient(web.URL)
	return r
}

func newClient(url string) *api.Client {
	return api.New(api.Options{
		BaseEndpoint: aws.String(url),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("x", "y", ""),
		Retryer:      aws.NopRetryer{},
	})
}

// close shuts the server down and returns what was delivered.
func (r *rig) close(t *testing.T) []firehose.Object {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return r.delivered()
}

func (r *rig) put(t *testing.T, stream string, datas ...string) {
	t.Helper()
	answer, err := r.batch(stream, datas...)
	if err != nil {
		t.Fatal(err)
	}
	if n := *answer.FailedPutCount; n != 0 {
		t.Fatalf("%d records failed", n)
	}
}

func (r *rig) batch(stream string, datas ...string) (*api.PutRecordBatchOutput, error) {
	records := make([]types.Record, len(datas))
	for i, d := range datas {
		records[i].Data = []byte(d)
	}
	return r.PutRecordBatch(context.Background(), &api.PutRecordBatchInput{DeliveryStreamName: &stream, Records: records})
}

// contents returns what all objects of a stream hold, in the order of names,
// and fails if there is any file but objects and the stream's definition.
func contents(t *testing.T, dir, stream string) string {
	t.Helper()
	var all bytes.Buffer
	err := filepath.WalkDir(filepath.Join(dir, stream), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if strings.HasPrefix(e.Name(), ".") {
			if e.Name() != ".stream.json" {
				t.Errorf("file left behind: %s", path)
			}
			return nil
		}
		b, err := os.ReadFile(path)
		all.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
