package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kinesyslog/internal/cert"
)

func newCert(t *terminal) *cobra.Command {
	const day = 24 * time.Hour
	var (
		certFile, keyFile string
		hosts             []string
		days              int
		force             bool
	)
	cmd := &cobra.Command{
		Use:   "cert",
		Short: "Make a TLS key pair and a self-signed certificate",
		Long: `Make an ECDSA P-256 key pair and a certificate that is signed with it, as RFC
5425 section 5 asks for, and print the certificate's fingerprints, which senders
may be told in place of a certification authority. The certificate is for this
machine's name, localhost, 127.0.0.1 and ::1, and for what --host adds.`,
		Example: `  # localhost.crt and localhost.key, which kinesyslog listen looks for
  kinesyslog cert

  # for a relay that senders know under other names
  kinesyslog cert --host logs.example.com --host 192.0.2.10 --cert relay.crt --key relay.key`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if days < 1 || days > 36500 {
				return &usageError{fmt.Errorf("--days: %d will not do: give a number from 1 to 36500", days)}
			}
			pair, err := cert.Generate(cert.Request{Hosts: hosts, Validity: time.Duration(days) * day})
			if err != nil {
				return &usageError{fmt.Errorf("--host: %w", err)}
			}
			if err := pair.Write(certFile, keyFile, force); errors.Is(err, cert.ErrExists) {
				return fmt.Errorf("%w: give --force to replace certificate and key, or other names with --cert and --key", err)
			} else if err != nil {
				return err
			}
			return printCert(t, pair, certFile, keyFile)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&certFile, "cert", "localhost.crt", "`FILE` for the certificate")
	flags.StringVar(&keyFile, "key", "localhost.key", "`FILE` for the key, which nobody else must read")
	flags.StringArrayVar(&hosts, "host", nil, "`NAME` or IP address that the certificate is for, too; may be repeated")
	flags.IntVar(&days, "days", int(cert.DefaultValidity/day), "for how many `DAYS` the certificate is good")
	flags.BoolVar(&force, "force", false, "replace files that are there already")
	return cmd
}

func printCert(t *terminal, pair *cert.Pair, certFile, keyFile string) error {
	names := pair.Leaf.DNSNames
	for _, ip := range pair.Leaf.IPAddresses {
		names = append(names, ip.String())
	}
	_, err := fmt.Fprintf(t.out, "certificate %s\nkey %s\nfor %s\nuntil %s\n%s\n%s\n",
		certFile, keyFile, strings.Join(names, ", "), pair.Leaf.NotAfter.Format(time.DateOnly),
		cert.Fingerprint(pair.Leaf.Raw), cert.FingerprintSHA1(pair.Leaf.Raw))
	return err
}
