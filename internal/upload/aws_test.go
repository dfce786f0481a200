package upload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/event"
)

// isolate keeps the SDK from files, environment and metadata of the machine.
func isolate(t *testing.T) (home string) {
	t.Helper()
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "AWS_") || strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			t.Setenv(name, "")
		}
	}
	home = t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return home
}

func newAWS(t *testing.T, o AWSOptions) *AWSClient {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	c, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func local(url string) AWSOptions {
	return AWSOptions{EndpointURL: url, AccessKeyID: "test", SecretAccessKey: "test"}
}

// put sends two records and returns what the uploader would make of it.
func put(ctx context.Context, c Client) (fault, error) {
	recs := []event.Stored{{Record: event.Record{Data: []byte("one")}}, {Record: event.Record{Data: []byte("two")}}}
	out, err := c.PutRecordBatch(ctx, &firehose.PutRecordBatchInput{
		DeliveryStreamName: aws.String("logs"), Records: []types.Record{{Data: recs[0].Data}, {Data: recs[1].Data}},
	})
	if err == nil {
		_, err = sortAnswer(recs, out)
	}
	if err == nil {
		return fault{}, nil
	}
	return classify(ctx, err), err
}

const taken = `{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"},{"RecordId":"2"}]}`

func TestErrorsOfFirehoseAreToldApart(t *testing.T) {
	isolate(t)
	api := func(status int, code, message string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": message})
		}
	}
	text := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		class  class
		reason string
		code   string
	}{
		{"throttled", api(503, "ServiceUnavailableException", "Slow down."), throttled, reasonThrottled, "ServiceUnavailableException"},
		{"rate", api(400, "ThrottlingException", "Rate exceeded"), throttled, reasonThrottled, "ThrottlingException"},
		{"namespace", api(400, "com.amazonaws.firehose#LimitExceededException", ""), throttled, reasonThrottled, "LimitExceededException"},
		{"429", text(429, "slow"), throttled, reasonThrottled, ""},
		{"internal", api(500, "InternalFailure", ""), retry, reasonServer, "InternalFailure"},
		{"bad gateway", text(502, "<html>bad gateway</html>"), retry, reasonServer, ""},
		{"empty 503", text(503, ""), retry, reasonServer, ""},
		{"unknown 500", api(500, "SomethingNew", ""), retry, reasonServer, "SomethingNew"},
		{"expired", api(400, "ExpiredTokenException", "The security token included in the request is expired"), misconfigured, reasonExpired, "ExpiredTokenException"},
		{"bad token", api(400, "UnrecognizedClientException", "The security token included in the request is invalid."), misconfigured, reasonCredentials, "UnrecognizedClientException"},
		{"bad signature", api(400, "InvalidSignatureException", "The request signature we calculated does not match"), misconfigured, reasonCredentials, "InvalidSignatureException"},
		{"skew", api(400, "InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z"), misconfigured, reasonClock, "InvalidSignatureException"},
		{"skew ahead", api(403, "RequestTimeTooSkewed", ""), misconfigured, reasonClock, "RequestTimeTooSkewed"},
		{"denied", api(400, "AccessDeniedException", "User: x is not authorized to perform: firehose:PutRecordBatch"), misconfigured, reasonAccess, "AccessDeniedException"},
		{"no stream", api(400, "ResourceNotFoundException", "Firehose logs under account 1 not found."), misconfigured, reasonNoStream, "ResourceNotFoundException"},
		{"kms", api(400, "InvalidKMSResourceException", "key is disabled"), misconfigured, reasonKMS, "InvalidKMSResourceException"},
		{"kms other", api(400, "KMSDisabledException", ""), misconfigured, reasonKMS, "KMSDisabledException"},
		{"decompression", api(400, "InvalidSourceException", "Only records from CloudWatch Logs"), misconfigured, reasonSource, "InvalidSourceException"},
		{"kinesis", api(400, "InvalidArgumentException", "This operation is not permitted on KinesisStreamAsSource delivery stream type."), misconfigured, reasonSource, "InvalidArgumentException"},
		{"stream name", api(400, "ValidationException", "Value 'a b' at 'deliveryStreamName' failed to satisfy constraint"), misconfigured, reasonNoStream, "ValidationException"},
		{"poison", api(400, "InvalidArgumentException", "record 1 is bad"), poisoned, reasonInvalid, "InvalidArgumentException"},
		{"validation", api(400, "ValidationException", "1 validation error detected"), poisoned, reasonInvalid, "ValidationException"},
		{"serialization", api(400, "SerializationException", ""), poisoned, reasonInvalid, "SerializationException"},
		{"too large", text(413, ""), poisoned, reasonInvalid, ""},
		{"not firehose", api(404, "UnknownOperationException", ""), misconfigured, reasonEndpoint, "UnknownOperationException"},
		{"web server", text(404, "<html>not found</html>"), misconfigured, reasonEndpoint, ""},
		{"proxy", text(407, "login"), misconfigured, reasonEndpoint, ""},
		{"redirect", text(304, ""), misconfigured, reasonEndpoint, ""},
		{"unknown 400", api(400, "SomethingNew", ""), misconfigured, reasonEndpoint, "SomethingNew"},
		{"no json", text(200, "<html>welcome</html>"), retry, reasonMalformed, ""},
		{"empty 200", text(200, ""), retry, reasonMalformed, ""},
		{"torn", text(200, taken[:40]), retry, reasonMalformed, ""},
		{"one result", text(200, `{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"}]}`), retry, reasonMalformed, ""},
		{"wrong count", text(200, `{"FailedPutCount":1,"RequestResponses":[{"RecordId":"1"},{"RecordId":"2"}]}`), retry, reasonMalformed, ""},
		{"hidden failure", text(200, `{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"},{"ErrorCode":"InternalFailure"}]}`), retry, reasonMalformed, ""},
		{"empty result", text(200, `{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"},{}]}`), retry, reasonMalformed, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls++
				tt.answer(w, r)
			})
			f, err := put(t.Context(), newAWS(t, local(s.URL)))
			if err == nil {
				t.Fatal("no error")
			}
			if f.class != tt.class || f.reason != tt.reason {
				t.Errorf("class %d reason %s, want %d %s: %v", f.class, f.reason, tt.class, tt.reason, err)
			}
			if tt.code != "" && f.code != tt.code {
				t.Errorf("code %q, want %q", f.code, tt.code)
			}
			if f.hint() == "" {
				t.Errorf("no hint for %s", f.reason)
			}
			if calls != 1 {
				t.Errorf("%d calls were made, the SDK must not retry by itself", calls)
			}
		})
	}
}

func TestBodyIsWhatTheSdkWouldSend(t *testing.T) {
	isolate(t)
	var requests []*http.Request
	var bodies []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		requests, bodies = append(requests, r), append(bodies, string(b))
		_, _ = io.WriteString(w, taken)
	})
	c := newAWS(t, local(s.URL))
	in := &firehose.PutRecordBatchInput{DeliveryStreamName: aws.String(`lo"gs`), Records: []types.Record{{Data: []byte("one")}, {Data: bytes.Repeat([]byte{0xff}, 5000)}}}
	if _, err := c.PutRecordBatch(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if _, err := c.loaded.Load().firehose.PutRecordBatch(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bodies[1], bodies[0]); diff != "" {
		t.Errorf("body (-SDK's +ours):\n%s", diff)
	}
	for _, name := range []string{"Content-Type", "X-Amz-Target", "Content-Length", "User-Agent"} {
		if ours, theirs := requests[0].Header.Get(name), requests[1].Header.Get(name); ours != theirs {
			t.Errorf("%s is %q, the SDK's is %q", name, ours, theirs)
		}
	}
	if requests[0].ContentLength != int64(len(bodies[0])) {
		t.Errorf("content length %d of %d", requests[0].ContentLength, len(bodies[0]))
	}
}

func TestConnectionsThatBreakAreRetriedAndNotBisected(t *testing.T) {
	isolate(t)
	reset := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	})
	cut := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, taken)
	})
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done() // until the caller goes away
	}
	slow := serve(t, hang)
	closed := httptest.NewServer(nil)
	closed.Close()
	untrusted := httptest.NewTLSServer(nil)
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	t.Cleanup(untrusted.Close)

	tests := []struct {
		name, url string
		class     class
		reasons   string
	}{
		{"reset", reset.URL, retry, reasonNetwork},
		{"cut off", cut.URL, retry, reasonMalformed + " " + reasonNetwork},
		{"refused", closed.URL, retry, reasonNetwork},
		{"slow", slow.URL, retry, reasonTimeout},
		{"untrusted", untrusted.URL, misconfigured, reasonTLS},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			f, err := put(ctx, newAWS(t, local(tt.url)))
			if err == nil || f.class != tt.class || !strings.Contains(tt.reasons, f.reason) {
				t.Errorf("class %d reason %s, want %d %s: %v", f.class, f.reason, tt.class, tt.reasons, err)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			cancel()
			hang(w, r)
		})
		if f, err := put(ctx, newAWS(t, local(s.URL))); f.class != cancelled {
			t.Errorf("class %d: %v", f.class, err)
		}
	})
}

func TestMissingConfigurationIsAFaultThatMendsItself(t *testing.T) {
	home := isolate(t)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("User-Agent"), "app/kinesyslog") {
			t.Errorf("user agent %q does not name the relay", r.Header.Get("User-Agent"))
		}
		if !strings.Contains(r.Header.Get("Authorization"), "KEY/") {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"__type":"ExpiredTokenException","message":"expired"}`)
			return
		}
		_, _ = io.WriteString(w, taken)
	})
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("AWS_ENDPOINT_URL_FIREHOSE", s.URL)
	c := newAWS(t, AWSOptions{Profile: "syslog"})
	expect := func(reason string) {
		t.Helper()
		f, err := put(t.Context(), c)
		if err == nil && reason != "" || f.reason != reason || reason != "" && f.class != misconfigured {
			t.Fatalf("class %d reason %q, want %q: %v", f.class, f.reason, reason, err)
		}
	}
	expect(reasonSetup) // no such profile
	write("config", "[profile syslog]\n")
	expect(reasonRegion)
	if c.Region() != "" {
		t.Errorf("region is %q, but nothing names it", c.Region())
	}
	write("config", "[profile syslog]\nregion = eu-north-1\n")
	expect(reasonCredentials)
	write("credentials", "[syslog]\naws_access_key_id = OLD\naws_secret_access_key = x\n")
	expect(reasonExpired)
	write("credentials", "[syslog]\naws_access_key_id = KEY\naws_secret_access_key = x\n")
	expect("")
	if c.Region() != "eu-north-1" {
		t.Errorf("region is %q", c.Region())
	}
}

func TestRegionComesFromInstanceMetadataLast(t *testing.T) {
	isolate(t)
	metadata := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
			_, _ = io.WriteString(w, "token")
		case "/latest/dynamic/instance-identity/document":
			_, _ = io.WriteString(w, `{"region":"ap-south-1"}`)
		default:
			http.NotFound(w, r)
		}
	})
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, taken) })
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "KEY")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	t.Setenv("AWS_ENDPOINT_URL", s.URL)
	c := newAWS(t, AWSOptions{})
	if _, err := put(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if c.Region() != "ap-south-1" {
		t.Errorf("region %q, want that of the instance", c.Region())
	}
	c = newAWS(t, AWSOptions{Region: "us-west-2"})
	if _, err := put(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if c.Region() != "us-west-2" {
		t.Errorf("region %q, want that of the option", c.Region())
	}
}

func TestCredentialsThatExpireAreRenewedInTime(t *testing.T) {
	isolate(t)
	var mu sync.Mutex
	roles, used := 0, map[string]bool{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("X-Amz-Target") != "" {
			_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
			key, _, _ = strings.Cut(key, "/")
			used[key] = true
			_, _ = io.WriteString(w, taken)
			return
		}
		roles++
		fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>ROLE%d</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials>
<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/kinesyslog</Arn><AssumedRoleId>a</AssumedRoleId></AssumedRoleUser>
</AssumeRoleResult></AssumeRoleResponse>`, roles, time.Now().UTC().Format(time.RFC3339Nano))
	})
	o := local(s.URL)
	o.RoleARN = "arn:aws:iam::123456789012:role/r"
	c := newAWS(t, o)
	for range 3 {
		if _, err := put(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]bool{"ROLE1": true, "ROLE2": true, "ROLE3": true}, used); diff != "" {
		t.Errorf("credentials used for three calls, each after the last have expired:\n%s", diff)
	}
}

func TestRoleThatCannotBeAssumedIsNamedAsTheFault(t *testing.T) {
	isolate(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "KEY")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	refuse := func(status int, code string) string {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>no</Message></Error></ErrorResponse>`, code)
		}).URL
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, tt := range []struct {
		url    string
		class  class
		reason string
	}{
		{refuse(403, "AccessDenied"), misconfigured, reasonRole},
		{refuse(403, "ExpiredToken"), misconfigured, reasonExpired},
		{refuse(403, "InvalidClientTokenId"), misconfigured, reasonCredentials},
		{refuse(503, "Throttling"), retry, reasonThrottled},
		{closed.URL, retry, reasonNetwork},
	} {
		o := AWSOptions{EndpointURL: tt.url, RoleARN: "arn:aws:iam::123456789012:role/r"}
		f, err := put(t.Context(), newAWS(t, o))
		if f.class != tt.class || f.reason != tt.reason || !errors.Is(err, ErrCredentials) {
			t.Errorf("class %d reason %s, want %d %s: %v", f.class, f.reason, tt.class, tt.reason, err)
		}
	}
}

func TestStsIsWhereTheEmulatorIsButNotAtAPrivateEndpointOfAws(t *testing.T) {
	for endpoint, want := range map[string]string{
		"":                      "",
		"http://127.0.0.1:4566": "http://127.0.0.1:4566",
		"https://vpce-1.firehose.eu-west-1.vpce.amazonaws.com": "",
	} {
		var o sts.Options
		newAWS(t, AWSOptions{EndpointURL: endpoint}).stsEndpoint(&o)
		if got := aws.ToString(o.BaseEndpoint); got != want {
			t.Errorf("with %q STS is at %q, want %q", endpoint, got, want)
		}
		o.BaseEndpoint = aws.String("http://sts")
		newAWS(t, AWSOptions{EndpointURL: endpoint}).stsEndpoint(&o)
		if got := aws.ToString(o.BaseEndpoint); got != "http://sts" {
			t.Errorf("the endpoint that the environment names for STS became %q", got)
		}
	}
}

func TestOptionsThatCannotBeMeantAreRefused(t *testing.T) {
	for _, o := range []AWSOptions{
		{EndpointURL: "localhost:4566"}, {EndpointURL: "ftp://x"}, {RoleARN: "admin"}, {AccessKeyID: "a"},
	} {
		o.Logger = slog.New(slog.DiscardHandler)
		if _, err := NewClient(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	if _, err := NewClient(AWSOptions{}); err == nil {
		t.Error("no logger, and no error")
	}
}
