package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"kinesyslog/internal/config"
	"kinesyslog/internal/relay"
)

// reportListening says what listens where, how to try it, and where to look
// for what comes of it, with the program as the shell knows it. It is written
// in one piece.
func reportListening(w io.Writer, program string, cfg *config.Listen, listeners []relay.Listener) {
	var b bytes.Buffer
	b.WriteString("listening\n")
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range listeners {
		fmt.Fprintf(table, "  %s\t%s", l.Network, l.Address)
		if l.Fingerprint != "" {
			fmt.Fprintf(table, "\t%s", l.Fingerprint)
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush() // into memory
	fmt.Fprintf(&b, "delivering\n  to %s\n", destination(cfg))
	if address := cfg.AdminAddress(); address != "" {
		fmt.Fprintf(&b, "status\n  http://%s/\n", address)
	}
	if try := lineToTry(listeners); try != "" {
		fmt.Fprintf(&b, "try\n  %s\n", try)
	}
	if cfg.Local != "" {
		fmt.Fprintf(&b, "look\n  %s cat %s\n", program, shellWord(relativePath(cfg.Local)))
	}
	_, _ = w.Write(b.Bytes()) // a relay goes on when nobody reads its report
}

// invocation is how the program was started, given its first argument. What go
// run built is gone when it ends, so that is run again.
func invocation(arg0 string) string {
	if strings.Contains(arg0, "/go-build") {
		return "go run ./cmd/kinesyslog"
	}
	return shellWord(arg0)
}

func destination(cfg *config.Listen) string {
	s := "stream " + cfg.Stream
	switch {
	case cfg.Local != "":
		s += " of the embedded Firehose, in " + cfg.Local
	case cfg.EndpointURL != "":
		s += " at " + cfg.EndpointURL
	case cfg.Region != "":
		s += " in " + cfg.Region
	}
	s += fmt.Sprintf(", every %s", cfg.FlushInterval)
	if cfg.FlushIntervalMax > cfg.FlushInterval {
		s += fmt.Sprintf(" to %s", cfg.FlushIntervalMax)
	}
	return s
}

// lineToTry sends a message to the first UDP listener, or else to the first
// TCP one, or else over TLS, or else through a Unix socket.
func lineToTry(listeners []relay.Listener) string {
	best, line := 0, ""
	for _, l := range listeners {
		if l.Network == "unix" {
			if best == 0 {
				best, line = 1, "logger -u "+shellWord(l.Address)+" hello"
			}
			continue
		}
		host, port, err := net.SplitHostPort(l.Address)
		if err != nil {
			continue
		}
		host = reachable(host)
		rank, try := 0, ""
		switch {
		case l.Network == "tls":
			rank, try = 2, fmt.Sprintf("echo '<13>hello' | openssl s_client -quiet -connect %s", net.JoinHostPort(host, port))
		case l.Network == "tcp":
			rank, try = 3, fmt.Sprintf("logger -n %s -P %s -T hello", host, port)
		case l.Network == "udp":
			rank, try = 4, fmt.Sprintf("logger -n %s -P %s -d hello", host, port)
		}
		if rank > best {
			best, line = rank, try
		}
	}
	return line
}

// reachable is an address of this machine that a listener on host can be
// reached at.
func reachable(host string) string {
	switch ip := net.ParseIP(host); {
	case ip == nil || !ip.IsUnspecified():
		return host
	case ip.To4() != nil:
		return "127.0.0.1"
	}
	return "::1"
}

// relativePath makes a path that does not look like one begin with "./".
func relativePath(path string) string {
	if filepath.IsAbs(path) || strings.HasPrefix(path, ".") {
		return path
	}
	return "./" + path
}

// shellWord quotes what a shell would take apart.
func shellWord(s string) string {
	if strings.ContainsAny(s, " \t\n'\"\\$`&|;<>()*?[]#~!{}") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
