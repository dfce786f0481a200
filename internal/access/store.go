package access

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"kinesyslog/internal/cert"
)

// pollInterval is how often the files are looked at. What has changed is read
// once it has stayed the same for one more look, as a certificate and its key
// seldom come at the same instant.
const pollInterval = 2 * time.Second

// Store holds the certificates, keys and policies of TLS listeners, and reads
// them again when their files change. All methods may be called at any time
// from any goroutine.
type Store struct {
	opts    Options
	current atomic.Pointer[reading]

	mu    sync.Mutex // of readings
	tried stamps     // of the files when they were read last, whatever came of it
}

// reading is what the files held at one time.
type reading struct {
	pairs  []tls.Certificate
	policy *Policy
	config *tls.Config
}

// Certificate is one of our own.
type Certificate struct {
	File string
	Leaf *x509.Certificate
}

// Open reads all files. Every one of them must be good. Certificates and lists
// that have expired are, as to a listener, better than nothing: see Run.
func Open(o Options) (*Store, error) {
	if len(o.Pairs) == 0 {
		return nil, errors.New("TLS has no certificate")
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	s := &Store{opts: o, tried: stampsOf(o.files())}
	r, err := s.read()
	if err != nil {
		return nil, err
	}
	s.current.Store(r)
	return s, nil
}

func (s *Store) read() (*reading, error) {
	r := &reading{}
	for _, p := range s.opts.Pairs {
		pair, err := cert.Load(p.Cert, p.Key)
		if err != nil {
			return nil, err
		}
		r.pairs = append(r.pairs, pair)
	}
	var err error
	if r.policy, err = newPolicy(&s.opts); err != nil {
		return nil, err
	}
	r.config = &tls.Config{
		Certificates: r.pairs,
		MinVersion:   max(tls.VersionTLS12, s.opts.MinVersion),
		CipherSuites: suites,
	}
	r.policy.configure(r.config)
	// Each reading encrypts tickets with keys of its own, which crypto/tls
	// changes daily. So no session outlives the policy that it began under: the
	// client is asked to shake hands in full, and not refused for the past.
	r.config.WrapSession = r.config.EncryptTicket
	r.config.UnwrapSession = r.config.DecryptTicket
	return r, nil
}

// Config is for listeners. Whoever begins a handshake is served by the newest
// reading.
func (s *Store) Config() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.current.Load().config, nil },
	}
}

// Certificates returns our own certificates as they are in use.
func (s *Store) Certificates() (out []Certificate) {
	for i, pair := range s.current.Load().pairs {
		out = append(out, Certificate{s.opts.Pairs[i].Cert, pair.Leaf})
	}
	return out
}

// RevocationLists returns the lists in use.
func (s *Store) RevocationLists() []*RevocationList { return s.current.Load().policy.lists }

// Reload reads all files again. If one of them is bad nothing changes, and the
// error says which and why. The next handshake is served by what was read.
func (s *Store) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried = stampsOf(s.opts.files())
	r, err := s.read()
	if err == nil {
		err = s.notWorse(r)
	}
	if err != nil {
		err = fmt.Errorf("what was read before stays in use: %w", err)
		s.opts.Logger.Error("TLS files cannot be used", slog.Any("error", err))
	} else {
		s.current.Store(r)
		s.opts.Logger.Info("TLS files were reread", slog.String("certificate", cert.Fingerprint(r.pairs[0].Certificate[0])))
		s.warn(time.Now())
	}
	if s.opts.Reread != nil {
		s.opts.Reread(err)
	}
	return err
}

// notWorse keeps a certificate that has expired from taking the place of one
// that has not.
func (s *Store) notWorse(r *reading) error {
	now := time.Now()
	for i, old := range s.current.Load().pairs {
		if !cert.Expired(old, now) && cert.Expired(r.pairs[i], now) {
			return fmt.Errorf("the TLS certificate %s has expired on %s: put one that is good in its place", s.opts.Pairs[i].Cert, day(r.pairs[i].Leaf.NotAfter))
		}
	}
	return nil
}

// Run looks whether files have changed, and reads them again, until ctx is
// done. Once a day it warns of what expires soon.
func (s *Store) Run(ctx context.Context) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	daily := time.NewTicker(24 * time.Hour)
	defer daily.Stop()
	s.warn(time.Now())
	var seen stamps
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-daily.C:
			s.warn(now)
		case <-tick.C:
			now := stampsOf(s.opts.files())
			if now.equal(seen) && s.changed(now) {
				_ = s.Reload() // it has said what is wrong
			}
			seen = now
		}
	}
}

func (s *Store) changed(now stamps) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !now.equal(s.tried)
}
