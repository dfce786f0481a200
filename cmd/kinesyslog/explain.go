package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kinesyslog/internal/admin"
	"kinesyslog/internal/batch"
	"kinesyslog/internal/config"
	"kinesyslog/internal/explain"
)

func newExplain(t *terminal) *cobra.Command {
	v := &explainVerb{t: t}
	cmd := &cobra.Command{
		Use:   "explain [MESSAGE]...",
		Short: "Tell what is made of a message, and why",
		Long: `Tell what is made of messages: which bytes are taken as PRI, time, host and so
on, and why; what is delivered of it; and what was not understood. Messages are
the arguments, or, if there are none, what comes on standard input. They are read
by the same code as in kinesyslog listen, and by the same options, which may also
be in the environment and in the file that --config names.

With --json each message becomes an object on a line of its own. Its keys are
pri, facility, severity, timestamp, timestamp_source (header, body or received),
timestamp_zone_known, hostname, appname, procid, msgid, structured_data, message,
frame (rfc5424, rfc5424-malformed, rfc3164 or none), format, payload and notes.

With --recent it is the last few messages that a running relay did not
understand.`,
		Example: `  # one message
  kinesyslog explain '<34>Feb 11 22:14:15 bastion sshd[4711]: Accepted publickey'

  # from a capture, as received at another time, by a sender in Oslo
  kinesyslog explain --now 2026-01-01T00:00:05Z --timezone Europe/Oslo < messages.log

  # what senders have no time that is understood
  kinesyslog explain --json < messages.log | jq -r 'select(.timestamp == null) | .hostname'

  # messages that hold line feeds
  printf '9 <13>a\nb\nc' | kinesyslog explain --framing octet

  # what the relay of this machine did not understand
  kinesyslog explain --recent --prometheus-port 9100`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&v.asJSON, "json", false, "print one JSON object a line for each message")
	flags.StringVar(&v.framing, "framing", string(explain.Newline), "`FRAMING` of the messages on standard input: newline, octet (\"LEN MSG\") or nul")
	flags.StringVar(&v.now, "now", "", "`TIME` of receipt, like 2026-01-01T00:00:05Z (default: now)")
	flags.StringVar(&v.from, "from", "", "`ADDRESS` of the sender")
	flags.BoolVar(&v.recent, "recent", false, "explain what a running relay did not understand of late")
	flags.StringVar(&v.admin, "admin", "", "`URL` of that relay's status page (default: http://127.0.0.1 and --prometheus-port, else port 9100)")
	v.given = bindOptions(cmd, config.ReadingOptions())
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), cmd.InOrStdin(), args) }
	return cmd
}

// explainVerb is what was asked for.
type explainVerb struct {
	t          *terminal
	asJSON     bool
	framing    string
	now, from  string
	recent     bool
	admin      string
	given      givenFlags
	cfg        *config.Listen
	out        *bufio.Writer
	print      *explain.Printer
	line       []byte
	receivedAt func() time.Time
}

func (v *explainVerb) run(ctx context.Context, in io.Reader, args []string) (err error) {
	if v.cfg, err = config.LoadReading(config.Input{Flags: v.given, LookupEnv: os.LookupEnv}); err != nil {
		return &usageError{err}
	}
	if err := v.check(args); err != nil {
		return &usageError{err}
	}
	columns := v.t.columns()
	v.print = &explain.Printer{Color: columns > 0 && os.Getenv("NO_COLOR") == "", Width: cmp.Or(columns, 100)}
	v.out = bufio.NewWriterSize(v.t.out, 64<<10)
	switch {
	case v.recent:
		err = v.explainRecent(ctx)
	case len(args) > 0:
		err = v.explainArguments(args)
	default:
		err = v.explainStream(bufio.NewReaderSize(in, 64<<10))
	}
	return errors.Join(err, v.flush())
}

// check looks at the options that are this verb's own.
func (v *explainVerb) check(args []string) error {
	v.receivedAt = time.Now
	if v.now != "" {
		now, err := time.Parse(time.RFC3339Nano, v.now)
		if err != nil {
			return fmt.Errorf("--now: %q is not a time: give it like 2026-01-01T00:00:05Z", v.now)
		}
		v.receivedAt = func() time.Time { return now }
	}
	if v.from != "" {
		if _, err := netip.ParseAddr(v.from); err != nil {
			return fmt.Errorf("--from: %q is not an IP address", v.from)
		}
	}
	switch explain.Framing(v.framing) {
	case explain.Newline, explain.NUL, explain.Octet:
	default:
		return fmt.Errorf("--framing: %q will not do: give newline, octet or nul", v.framing)
	}
	if v.recent && len(args) > 0 {
		return errors.New("--recent asks a relay for messages, and some are given as arguments: leave one of them out")
	}
	return nil
}

func (v *explainVerb) rules() batch.Rules {
	return batch.Rules{
		ZoneOf: v.cfg.ZoneOf, MaxPast: v.cfg.MaxPast, MaxFuture: v.cfg.MaxFuture, Bare: !v.cfg.AddHeader,
		ByHost: v.cfg.StreamName == config.ByHost, StreamOf: v.cfg.SharedStream(),
	}
}

// sender is who messages are taken to be from; what is not known is said by its
// name.
func (v *explainVerb) sender() explain.Sender {
	return explain.Sender{Address: cmp.Or(v.from, "ADDRESS"), Listener: "LISTENER", Port: "PORT"}
}

func (v *explainVerb) explainArguments(args []string) error {
	e := explain.New(v.rules(), v.cfg.GroupPrefix)
	for _, message := range args {
		if err := v.show(e.Explain([]byte(message), v.sender(), v.receivedAt())); err != nil {
			return err
		}
	}
	return nil
}

func (v *explainVerb) explainStream(in *bufio.Reader) error {
	e := explain.New(v.rules(), v.cfg.GroupPrefix)
	for message, err := range explain.Frames(in, explain.Framing(v.framing)) {
		if err != nil {
			return err
		}
		if err := v.show(e.Explain(message, v.sender(), v.receivedAt())); err != nil {
			return err
		}
		if in.Buffered() == 0 { // somebody may be waiting for it
			if err := v.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// explainRecent reads each sample as the relay did.
func (v *explainVerb) explainRecent(ctx context.Context) error {
	url := v.admin
	if url == "" {
		url = "http://" + cmp.Or(v.cfg.AdminAddress(), "127.0.0.1:9100")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	all, err := admin.FetchSamples(ctx, url)
	if err != nil {
		return err
	}
	for _, s := range all.Samples {
		rules := v.rules()
		rules.MaxPast, rules.MaxFuture = time.Duration(all.MaxPastSeconds)*time.Second, time.Duration(all.MaxFutureSeconds)*time.Second
		if zone, err := time.LoadLocation(s.Zone); err == nil {
			rules.Location, rules.ZoneOf = zone, nil
		}
		if !v.asJSON {
			cut := ""
			if s.Bytes > len(s.Raw) {
				cut = fmt.Sprintf(", the first %d of %d bytes", len(s.Raw), s.Bytes)
			}
			fmt.Fprintf(v.out, "%s: from %s over %s at %s%s\n", s.Reason, s.Address, s.Listener, s.Received.Format(time.RFC3339), cut)
		}
		x := explain.New(rules, v.cfg.GroupPrefix).Explain(s.Raw, explain.Sender{Address: s.Address, Listener: s.Listener, Port: s.Port, Format: s.Format}, s.Received)
		if err := v.show(x); err != nil {
			return err
		}
	}
	if len(all.Samples) == 0 {
		fmt.Fprintf(v.t.err, "kinesyslog: the relay at %s has understood all it took since it was started\n", url)
	}
	return nil
}

func (v *explainVerb) show(x *explain.Explanation) error {
	if v.asJSON {
		v.line = append(x.AppendJSON(v.line[:0]), '\n')
	} else {
		v.line = v.print.Append(v.line[:0], x)
	}
	_, err := v.out.Write(v.line)
	return wrapWrite(err)
}

func (v *explainVerb) flush() error { return wrapWrite(v.out.Flush()) }

func wrapWrite(err error) error {
	if err != nil {
		return fmt.Errorf("writing what was made of messages: %w", err)
	}
	return nil
}
