package relay

import (
	"context"
	"log/slog"

	"kinesyslog/internal/access"
	"kinesyslog/internal/config"
	"kinesyslog/internal/upload"
)

// Finding is one thing that was looked at.
type Finding struct {
	Level string // "ok", "warning" or "failure"
	Text  string
	Hint  string // what to do; "" where all is well
	Bad   bool   // messages would not be taken or not be delivered
}

// fromUpload makes a Finding of the uploader's.
func fromUpload(f upload.Finding) Finding {
	return Finding{Level: string(f.Level), Text: f.Text, Hint: f.Hint, Bad: f.Level == upload.Failure}
}

// Check looks at everything that a relay of this configuration would need, and
// starts nothing: the spool directory, the certificates, and AWS as far as it
// can be asked without putting a record. The spool directory is made if it is
// not there. A relay may be running with the same configuration.
func Check(ctx context.Context, cfg *config.Listen) (out []Finding) {
	add := func(level upload.Level, text string) {
		out = append(out, fromUpload(upload.Finding{Level: level, Text: text}))
	}
	for _, w := range cfg.Warnings {
		add(upload.Warning, w)
	}
	if err := cfg.Prepare(); err != nil {
		add(upload.Failure, err.Error())
	} else {
		add(upload.Fine, "spool directory "+cfg.SpoolDir)
	}
	checkAllowed(cfg, add)
	if len(cfg.KeyPairs) > 0 {
		options := cfg.Access()
		options.Logger = slog.New(slog.DiscardHandler)
		if _, err := access.Open(options); err != nil {
			add(upload.Failure, err.Error())
		} else {
			add(upload.Fine, "certificates, keys and policy of the TLS listeners")
		}
	}
	if cfg.Local != "" {
		add(upload.Fine, "delivery into "+cfg.Local+", through the embedded Firehose")
		return out
	}
	if cfg.PricePerGB > 0 {
		add(upload.Fine, priceList(cfg))
	}
	client, err := upload.NewClient(upload.AWSOptions{
		Region: cfg.Region, Profile: cfg.Profile, EndpointURL: cfg.EndpointURL, RoleARN: cfg.RoleARN, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		add(upload.Failure, err.Error())
		return out
	}
	for _, f := range upload.Check(ctx, client, cfg.Stream) {
		out = append(out, fromUpload(f))
	}
	return out
}
