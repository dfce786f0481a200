package relay

import (
	"context"
	"log/slog"

	"kinesyslog/internal/access"
	"kinesyslog/internal/config"
	"kinesyslog/internal/upload"
)

// Check looks at everything that a relay of this configuration would need, and
// starts nothing: the spool directory, the certificates, and AWS as far as it
// can be asked without putting a record. The spool directory is made if it is
// not there. A relay may be running with the same configuration.
func Check(ctx context.Context, cfg *config.Listen) (out []upload.Finding) {
	for _, w := range cfg.Warnings {
		out = append(out, upload.Finding{Level: upload.Warning, Text: w})
	}
	if err := cfg.Prepare(); err != nil {
		out = append(out, upload.Finding{Level: upload.Failure, Text: err.Error()})
	} else {
		out = append(out, upload.Finding{Level: upload.Fine, Text: "spool directory " + cfg.SpoolDir})
	}
	if len(cfg.KeyPairs) > 0 {
		out = append(out, checkCertificates(cfg))
	}
	if cfg.Local != "" {
		return append(out, upload.Finding{Level: upload.Fine, Text: "delivery into " + cfg.Local + ", through the embedded Firehose"})
	}
	client, err := upload.NewClient(upload.AWSOptions{
		Region: cfg.Region, Profile: cfg.Profile, EndpointURL: cfg.EndpointURL, RoleARN: cfg.RoleARN, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return append(out, upload.Finding{Level: upload.Failure, Text: err.Error()})
	}
	return append(out, upload.Check(ctx, client, cfg.Stream)...)
}

func checkCertificates(cfg *config.Listen) upload.Finding {
	options := cfg.Access()
	options.Logger = slog.New(slog.DiscardHandler)
	if _, err := access.Open(options); err != nil {
		return upload.Finding{Level: upload.Failure, Text: err.Error()}
	}
	return upload.Finding{Level: upload.Fine, Text: "certificates, keys and policy of the TLS listeners"}
}
