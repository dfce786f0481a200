// Package firehose is an Amazon Data Firehose that runs inside a process and
// delivers to a directory instead of S3. Any AWS client can talk to it: it
// speaks the Firehose JSON 1.1 API of 2015-08-04 (CreateDeliveryStream,
// DescribeDeliveryStream, ListDeliveryStreams, DeleteDeliveryStream, PutRecord,
// PutRecordBatch) and the STS call GetCallerIdentity, with the service's limits
// and the service's error codes.
//
// What it promises:
//
//  1. A record that was acknowledged is delivered, once, after a kill -9 too. It
//     is in the kernel's hands (write(2)) before the answer is sent, and what a
//     killed process left is finished by the next New on the same directory. A
//     power cut may take what was not yet delivered: only objects are fsynced.
//  2. An object appears under its name whole or not at all.
//  3. All records of one call end up in one object, in their order, with nothing
//     between or around them.
//
// Where it differs from AWS, on purpose:
//
//   - Signatures are accepted and not verified, and need not be there. Bind it
//     to a loopback address.
//   - A stream is ACTIVE at once, and one created without a destination
//     delivers like all others. Destinations other than S3, and sources other
//     than Direct PUT, are refused with InvalidArgumentException.
//   - Records are never compressed or transformed. An object's name ends in .gz
//     if its first record is gzip. Prefix, compression, encryption and tags of
//     a request are ignored, buffering hints are followed.
//   - Names that begin with a dot are refused: they would be hidden files.
//   - Deleting a stream delivers what it holds, and keeps its objects.
//
// Faults for tests are set with Options.Faults or while running:
//
//	curl --json '{"failRecords": 0.05, "latency": "20ms"}' http://HOST:PORT/_faults
//	curl http://HOST:PORT/_faults
//	curl http://HOST:PORT/_stats
package firehose

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
)

// Options says how a Server behaves. Only Dir is required.
type Options struct {
	// Dir is where objects go, as STREAM/YYYY/MM/DD/HH/STREAM-1-TIME-UUID.gz. It
	// is made if it is not there. One Server at a time may use it.
	Dir string
	// Streams exist from the start, beside those an earlier Server was asked to
	// create in Dir.
	Streams []string
	// AutoCreate makes a stream of whatever name is first put to.
	AutoCreate bool
	// MaxStreams is how many streams may exist; 0 means 5,000, as in AWS.
	MaxStreams int

	// An object is delivered when it has BufferBytes (0: 5 MiB) or when its first
	// record is BufferInterval old (0: 300 s). A call is never parted, so an
	// object may exceed BufferBytes by one call. Buffering hints given when a
	// stream is created take precedence.
	BufferBytes    int64
	BufferInterval time.Duration

	// Account is the account id in ARNs and errors, twelve digits (empty:
	// 000000000000). Region is the region in ARNs (empty: us-east-1).
	Account, Region string

	Faults Faults
	// OnObject is told of each delivered object, when it is durable. It may be
	// called from several goroutines at once, and by New for objects that an
	// earlier process left unfinished.
	OnObject func(Object)

	Logger     *slog.Logger          // nil: no log
	Registerer prometheus.Registerer // nil: no metrics
}

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
)

func (o *Options) complete() error {
	if o.Dir == "" {
		return errors.New("the embedded firehose needs a directory to deliver into")
	}
	if o.BufferBytes < 0 || o.BufferInterval < 0 || o.MaxStreams < 0 {
		return errors.New("the embedded firehose's buffer size, buffer interval and number of streams must not be negative")
	}
	setDefault(&o.MaxStreams, 5000)
	setDefault(&o.BufferBytes, 5<<20)
	setDefault(&o.BufferInterval, 300*time.Second)
	setDefault(&o.Account, "000000000000")
	setDefault(&o.Region, "us-east-1")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OnObject == nil {
		o.OnObject = func(Object) {}
	}
	if !accountPattern.MatchString(o.Account) {
		return fmt.Errorf("account %q is not twelve digits", o.Account)
	}
	if !regionPattern.MatchString(o.Region) {
		return fmt.Errorf("region %q is not the name of a region, such as us-east-1", o.Region)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Server is the embedded Firehose. Its methods and its handler may be called at
// the same time.
type Server struct {
	opts   Options
	lock   *os.File
	http   *http.Server
	memory *semaphore.Weighted // bytes of requests at hand
	faults *injector
	counts counts

	// publishing counts objects that were taken out of their stream and are
	// being delivered.
	publishing sync.WaitGroup

	mu         sync.RWMutex
	streams    map[string]*stream
	registered bool // with Options.Registerer
	closed     bool
}

// New opens the directory, finishes what an earlier process left there and
// makes the streams. The caller must call Shutdown or Close.
func New(opts Options) (*Server, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	faults, err := newInjector(opts.Faults)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(opts.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("making the directory to deliver into: %w", err)
	}
	s := &Server{
		opts:    opts,
		memory:  semaphore.NewWeighted(maxMemory),
		faults:  faults,
		streams: map[string]*stream{},
	}
	s.counts.init()
	s.http = &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(opts.Logger.Handler(), slog.LevelDebug),
	}
	if s.lock, err = lockDir(opts.Dir); err != nil {
		return nil, err
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) open() error {
	if err := s.recoverStreams(); err != nil {
		return err
	}
	for _, name := range s.opts.Streams {
		if _, err := s.create(name, definition{}); err != nil && !isCode(err, codeInUse) {
			return fmt.Errorf("making the stream %q: %w", name, err)
		}
	}
	if s.opts.Registerer != nil {
		if err := s.opts.Registerer.Register(collector{s}); err != nil {
			return fmt.Errorf("registering the embedded firehose's metrics: %w", err)
		}
		s.registered = true
	}
	return nil
}

// Handler returns the API, for a listener of the caller's.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serveHTTP) }

// Serve answers on ln until Shutdown or Close, and then returns nil.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the embedded firehose on %s: %w", ln.Addr(), err)
	}
	return nil
}

// Shutdown stops taking calls, waits for those under way until ctx is done, and
// delivers everything that streams hold. On return all objects are durable,
// unless the error says which is not: the next New finishes that one.
// Calls after the first do nothing.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("waiting for calls to the embedded firehose: %w", errors.Join(err, s.http.Close()))
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return err
	}
	s.closed = true // no stream is made or deleted from here on
	s.mu.Unlock()
	errs := []error{err}
	for _, st := range s.streams {
		errs = append(errs, s.close(st, errShuttingDown))
	}
	s.publishing.Wait()
	if s.registered {
		s.opts.Registerer.Unregister(collector{s})
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// Close is Shutdown with five seconds for the calls under way.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return s.Shutdown(ctx)
}
