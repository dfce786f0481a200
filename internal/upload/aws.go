package upload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

const appID = "kinesyslog"

// AWSOptions says how to reach AWS. The zero value means what the SDK's default
// chain finds: environment, shared files, web identity, container and instance
// metadata.
type AWSOptions struct {
	// Region and Profile override what the chain finds.
	Region, Profile string
	// EndpointURL is where Firehose is, instead of AWS_ENDPOINT_URL_FIREHOSE,
	// AWS_ENDPOINT_URL and AWS itself. Unless it is a host of AWS, STS is
	// looked for there too, as with every emulator.
	EndpointURL string
	// RoleARN is a role to assume with the credentials of the chain.
	RoleARN string
	// AccessKeyID and SecretAccessKey replace the chain altogether, files and
	// environment included: for the embedded Firehose. The region is then
	// us-east-1 unless Region says otherwise.
	AccessKeyID, SecretAccessKey string
	// CallsInFlight is how many connections are kept open; 0 means 4.
	CallsInFlight int
	// Logger gets what the SDK has to say, at level debug. It is required.
	Logger *slog.Logger
}

// AWSClient makes calls to Firehose and STS. It is set up at the first call,
// and set up anew after a fault of the configuration, so that a profile, a
// region or credentials may come after the start, and files that somebody
// rewrites are read again. All methods may be called at the same time.
type AWSClient struct {
	opt AWSOptions

	loading sync.Mutex
	loaded  atomic.Pointer[services]
}

// services are the clients made from one reading of the configuration.
type services struct {
	region      string
	credentials aws.CredentialsProvider
	firehose    *firehose.Client
	sts         *sts.Client
}

// NewClient checks what can be checked without I/O: the form of the endpoint
// and of the role. Everything else shows at the calls.
func NewClient(o AWSOptions) (*AWSClient, error) {
	if o.Logger == nil {
		return nil, errors.New("AWS client needs a logger")
	}
	if o.EndpointURL != "" {
		u, err := url.Parse(o.EndpointURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("endpoint %q is not a URL like https://host:port", o.EndpointURL)
		}
	}
	if o.RoleARN != "" && (!strings.HasPrefix(o.RoleARN, "arn:") || !strings.Contains(o.RoleARN, ":role/")) {
		return nil, fmt.Errorf("role %q is not an ARN like arn:aws:iam::123456789012:role/name", o.RoleARN)
	}
	if (o.AccessKeyID == "") != (o.SecretAccessKey == "") {
		return nil, errors.New("access key id and secret access key must be given together")
	}
	if o.CallsInFlight <= 0 {
		o.CallsInFlight = 4
	}
	return &AWSClient{opt: o}, nil
}

// PutRecordBatch makes one call, without a retry.
func (c *AWSClient) PutRecordBatch(ctx context.Context, in *firehose.PutRecordBatchInput, optFns ...func(*firehose.Options)) (*firehose.PutRecordBatchOutput, error) {
	s, err := c.services(ctx)
	if err != nil {
		return nil, err
	}
	body, err := appendBody(in)
	if err != nil {
		return nil, err
	}
	out, err := s.firehose.PutRecordBatch(ctx, withoutRecords(in), append(optFns, withBody(body))...)
	if err != nil {
		c.reconsider(s, classify(ctx, err))
	}
	return out, err
}

// Region is where the stream is; "" as long as that is not known.
func (c *AWSClient) Region() string {
	if s := c.loaded.Load(); s != nil {
		return s.region
	}
	return c.opt.Region
}

// reconsider forgets what was loaded if a fault may be mended by loading again.
// A clock that is wrong is not: the SDK has just learned by how much.
func (c *AWSClient) reconsider(s *services, f fault) {
	switch f.reason {
	case reasonCredentials, reasonExpired, reasonAccess, reasonRole, reasonRegion, reasonEndpoint, reasonTLS, reasonNoStream:
		c.loaded.CompareAndSwap(s, nil)
	}
}

// services returns the clients, made from the configuration if need be. Its
// errors wrap ErrConfiguration or ErrNoRegion.
func (c *AWSClient) services(ctx context.Context) (*services, error) {
	c.loading.Lock()
	defer c.loading.Unlock()
	if s := c.loaded.Load(); s != nil {
		return s, nil
	}
	cfg, err := c.config(ctx)
	if err != nil {
		return nil, err
	}
	// The configuration may have put a CA bundle into the client. Frozen, it is
	// shared by all services, and its connections with it.
	if b, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		cfg.HTTPClient = b.Freeze()
	}
	securityTokens := sts.NewFromConfig(cfg, c.stsEndpoint)
	if c.opt.RoleARN != "" {
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(securityTokens, c.opt.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = appID
		}))
	}
	cfg.Credentials = &markedCredentials{cfg.Credentials}
	s := &services{
		region:      cfg.Region,
		credentials: cfg.Credentials,
		sts:         sts.NewFromConfig(cfg, c.stsEndpoint),
		firehose: firehose.NewFromConfig(cfg, func(o *firehose.Options) {
			if c.opt.EndpointURL != "" {
				o.BaseEndpoint = aws.String(c.opt.EndpointURL)
			}
			o.Retryer = aws.NopRetryer{}
			o.RetryMaxAttempts = 1
		}),
	}
	c.loaded.Store(s)
	return s, nil
}

// config reads the configuration.
func (c *AWSClient) config(ctx context.Context) (aws.Config, error) {
	log := logging.LoggerFunc(func(_ logging.Classification, format string, v ...any) {
		c.opt.Logger.Debug("AWS SDK: " + fmt.Sprintf(format, v...))
	})
	if c.opt.AccessKeyID != "" {
		region := c.opt.Region
		if region == "" {
			region = "us-east-1"
		}
		return aws.Config{
			Region: region, AppID: appID, HTTPClient: c.transport(), Logger: log,
			Credentials: credentials.NewStaticCredentialsProvider(c.opt.AccessKeyID, c.opt.SecretAccessKey, ""),
		}, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(c.opt.Region), config.WithSharedConfigProfile(c.opt.Profile), config.WithAppID(appID),
		config.WithHTTPClient(c.transport()), config.WithLogger(log))
	if err != nil {
		return cfg, fmt.Errorf("%w: %w", ErrConfiguration, err)
	}
	if cfg.Region == "" {
		asking, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		out, err := imds.NewFromConfig(cfg).GetRegion(asking, nil)
		if err != nil {
			return cfg, fmt.Errorf("%w, nor does instance metadata name one: %w", ErrNoRegion, err)
		}
		cfg.Region = out.Region
	}
	return cfg, nil
}

// transport is an HTTP client whose connections stay open between calls. It
// honours HTTPS_PROXY; AWS_CA_BUNDLE is put in by the SDK. The uploader limits
// the time of a call as a whole.
func (c *AWSClient) transport() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = 5 * time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = 10 * time.Second
			t.MaxIdleConnsPerHost = c.opt.CallsInFlight + 2
			t.WriteBufferSize = 64 << 10
		})
}

// stsEndpoint sends STS calls to an emulator of Firehose too, if the
// environment names no other place.
func (c *AWSClient) stsEndpoint(o *sts.Options) {
	if o.BaseEndpoint != nil || c.opt.EndpointURL == "" {
		return
	}
	u, err := url.Parse(c.opt.EndpointURL)
	if err != nil {
		return
	}
	for _, suffix := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws"} {
		if strings.HasSuffix(u.Hostname(), suffix) {
			return
		}
	}
	o.BaseEndpoint = aws.String(c.opt.EndpointURL)
}

// markedCredentials marks the errors of a provider, so that they can be told
// from those of the call that needs the credentials.
type markedCredentials struct{ aws.CredentialsProvider }

func (m *markedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	v, err := m.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return v, &credentialsError{err}
	}
	return v, nil
}
