package archive

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bucketServer serves one bucket, "logs", as far as it is needed: lists in
// pages of two, and objects.
type bucketServer struct {
	t       *testing.T
	objects map[string][]byte
}

func (s *bucketServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Authorization"), "/eu-west-3/s3/aws4_request") {
		s.t.Errorf("%s is not signed for the region: %q", r.URL, r.Header.Get("Authorization"))
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case bucket == "elsewhere":
		w.Header().Set("X-Amz-Bucket-Region", "ap-south-2")
		w.WriteHeader(http.StatusMovedPermanently)
		fmt.Fprint(w, `<Error><Code>PermanentRedirect</Code><Message>use the other endpoint</Message></Error>`)
	case bucket != "logs":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `<Error><Code>NoSuchBucket</Code><Message>no such bucket</Message></Error>`)
	case key == "":
		s.list(w, r.URL.Query().Get("prefix"), r.URL.Query().Get("continuation-token"))
	case s.objects[key] == nil:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<Error><Code>InvalidObjectState</Code><Message>archived</Message></Error>`)
	default:
		// Firehose says so of what it compresses itself.
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(s.objects[key])
	}
}

func (s *bucketServer) list(w http.ResponseWriter, prefix, after string) {
	type entry struct {
		Key          string
		LastModified time.Time
		Size         int
	}
	result := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []entry
	}{}
	var keys []string
	for key := range s.objects {
		if strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if len(keys) > 2 {
		keys = keys[:2]
		result.IsTruncated, result.NextContinuationToken = true, keys[1]
	}
	for i, key := range keys {
		result.Contents = append(result.Contents, entry{key, time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC), len(s.objects[key])})
	}
	w.Header().Set("Content-Type", "application/xml")
	if err := xml.NewEncoder(w).Encode(result); err != nil {
		s.t.Error(err)
	}
}

// serveBucket starts a server and returns options that lead there, with nothing
// of the machine's own AWS configuration.
func serveBucket(t *testing.T, objects map[string][]byte) Options {
	t.Helper()
	server := httptest.NewServer(&bucketServer{t, objects})
	t.Cleanup(server.Close)
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": "",
		"HTTP_PROXY": "", "http_proxy": "", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return Options{Region: "eu-west-3", Endpoint: server.URL}
}

func TestObjectsInS3AreListedPageByPageAndReadInOrder(t *testing.T) {
	keys := []string{
		"in/s-1-2026-02-03-04-05-09-" + uuid + ".gz", "in/a/s-1-2026-02-03-04-05-08-" + uuid + ".gz",
		"in/b/s-1-2026-02-03-04-05-07-" + uuid + ".gz", "in/c/s-1-2026-02-03-04-05-06-" + uuid, "in/plain name +%.gz",
	}
	objects := map[string][]byte{"out/s-1": record(t, "not asked for"), "in/folder/": {}, "in/.hidden": {}, "in/x.part": {}}
	for _, key := range keys {
		objects[key] = record(t, key)
	}
	options := serveBucket(t, objects)
	want := slices.Clone(keys)
	slices.Reverse(want) // the last has no time and was modified before them
	if diff := cmp.Diff(want, read(t, open(t, options, "s3://logs/in/"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[:1], read(t, open(t, options, "s3://logs/"+want[0]))); diff != "" {
		t.Error(diff)
	}
	if a := open(t, options, "s3://logs"); a.Objects() != 6 {
		t.Errorf("%d objects in the bucket, want 6", a.Objects())
	}
}

func TestEndpointOfTheEnvironmentIsUsedWithPaths(t *testing.T) {
	options := serveBucket(t, map[string][]byte{"a": record(t, "hello")})
	t.Setenv("AWS_ENDPOINT_URL_S3", strings.Replace(options.Endpoint, "127.0.0.1", "localhost", 1))
	options.Endpoint = ""
	if diff := cmp.Diff([]string{"hello"}, read(t, open(t, options, "s3://logs"))); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsOfS3SayWhatWasSoughtAndWhere(t *testing.T) {
	options := serveBucket(t, map[string][]byte{"a": record(t, "a")})
	tests := []struct{ url, want string }{
		{"s3://", "names no bucket"},
		{"s3:///key", "names no bucket"},
		{"s3://absent/x", "listing s3://absent/x:"},
		{"s3://elsewhere", "the bucket is in ap-south-2, not eu-west-3, use --region"},
		{"s3://logs/nothing", "nothing in S3 begins with s3://logs/nothing"},
	}
	for _, test := range tests {
		if _, err := Open(t.Context(), options, test.url); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.url, err, test.want)
		}
	}
}

func TestObjectInS3ThatIsRefusedDoesNotStopTheOthers(t *testing.T) {
	objects := map[string][]byte{"a": nil, "b": record(t, "b")}
	got := read(t, open(t, serveBucket(t, objects), "s3://logs"))
	if len(got) != 2 || !strings.HasPrefix(got[0], "!opening s3://logs/a:") || got[1] != "b" {
		t.Errorf("got %q", got)
	}
}
