package relay

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/access"
	"kinesyslog/internal/cert"
)

// openTLS reads the certificates and policies of listeners with TLS, and makes
// a certificate where the configuration asks for one of our own.
func (r *Relay) openTLS() (err error) {
	o := r.cfg.Access()
	o.Logger = r.log
	if r.cfg.SelfSigned {
		if err := r.cfg.User.While(func() error {
			_, err := cert.LoadOrCreate(r.cfg.SpoolDir)
			return err
		}); err != nil {
			return fmt.Errorf("TLS listener: %w", err)
		}
		o.Pairs = []access.KeyPair{{
			Cert: filepath.Join(r.cfg.SpoolDir, cert.SelfSignedCert), Key: filepath.Join(r.cfg.SpoolDir, cert.SelfSignedKey),
		}}
	}
	rereads := func(result string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "kinesyslog", Name: "tls_reloads_total", ConstLabels: prometheus.Labels{"result": result},
			Help: "Times that certificates, keys and policies were read again, by whether they could be used.",
		})
	}
	good, bad := rereads("ok"), rereads("failed")
	o.Reread = func(err error) {
		if err != nil {
			bad.Inc()
		} else {
			good.Inc()
		}
	}
	if r.access, err = access.Open(o); err != nil {
		return fmt.Errorf("TLS listener: %w", err)
	}
	return errors.Join(r.registry.Register(good), r.registry.Register(bad), r.registry.Register(expiries{r.access}))
}

// fingerprint is that of the certificate that clients are shown which name no
// host.
func (r *Relay) fingerprint() string {
	return cert.Fingerprint(r.access.Certificates()[0].Leaf.Raw)
}

// Reload reads again what listeners read from files: certificates, keys,
// authorities, revocation lists, rules and networks. Where one of them is bad
// what was read before stays in use, and the log says why. It may be called at
// any time.
func (r *Relay) Reload() {
	if r.allowed != nil {
		r.allowed.reload()
	}
	if r.access == nil && r.allowed == nil {
		r.log.Info("nothing to reread: there is no TLS listener, and no --allow")
	}
	if r.access == nil {
		return
	}
	_ = r.access.Reload() // it has said what is wrong
}

// expiries tell when certificates and revocation lists expire, by their files,
// of which the configuration names a few.
type expiries struct{ store *access.Store }

const perDay = float64(24 * time.Hour)

// descriptions of what expiries collect.
func (expiries) descriptions() (certificate, list *prometheus.Desc) {
	return prometheus.NewDesc("kinesyslog_tls_certificate_expiry_days", "Days until our own certificate expires; below 0 since it has.", []string{"file"}, nil),
		prometheus.NewDesc("kinesyslog_tls_crl_expiry_days", "Days until a newer revocation list must have come; below 0 clients are refused.", []string{"file"}, nil)
}

// Describe implements prometheus.Collector.
func (e expiries) Describe(out chan<- *prometheus.Desc) {
	certificate, list := e.descriptions()
	out <- certificate
	out <- list
}

// Collect implements prometheus.Collector. A file that holds several is told of
// once, with the one that expires first.
func (e expiries) Collect(out chan<- prometheus.Metric) {
	certificate, list := e.descriptions()
	first := func(known map[string]time.Time, file string, end time.Time) {
		if have, ok := known[file]; !ok || end.Before(have) {
			known[file] = end
		}
	}
	certificates, lists := map[string]time.Time{}, map[string]time.Time{}
	for _, c := range e.store.Certificates() {
		first(certificates, c.File, c.Leaf.NotAfter)
	}
	for _, l := range e.store.RevocationLists() {
		if !l.Expiry.IsZero() {
			first(lists, l.File, l.Expiry)
		}
	}
	for file, end := range certificates {
		out <- prometheus.MustNewConstMetric(certificate, prometheus.GaugeValue, float64(time.Until(end))/perDay, file)
	}
	for file, end := range lists {
		out <- prometheus.MustNewConstMetric(list, prometheus.GaugeValue, float64(time.Until(end))/perDay, file)
	}
}
