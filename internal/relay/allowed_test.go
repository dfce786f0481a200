package relay

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/config"
	"kinesyslog/internal/upload"
)

func TestNetworksAreRereadWhenTheirFileChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		write("# senders\n192.0.2.0/24\n\n")
		var log bytes.Buffer
		cfg := &config.Listen{Allow: []config.Allowed{{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Files: []string{file}}}}
		a, err := openAllowed(cfg, prometheus.NewRegistry(), slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go a.watch(ctx)
		allow := a.function("udp", 514)
		expect := func(address string, want bool) {
			t.Helper()
			time.Sleep(2 * allowInterval)
			synctest.Wait()
			if got := allow(netip.MustParseAddr(address)); got != want {
				t.Errorf("%s: %v, want %v", address, got, want)
			}
		}
		expect("192.0.2.1", true)
		expect("10.0.0.1", true)
		expect("198.51.100.1", false)
		write("198.51.100.0/24\n")
		expect("198.51.100.1", true)
		expect("192.0.2.1", false)
		expect("10.0.0.1", true)
		for _, bad := range []string{"", "203.0.113.0/24\n198.51.100\n"} {
			write(bad)
			expect("198.51.100.1", true)
			expect("203.0.113.1", false)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		expect("198.51.100.1", true)
		write("198.51.100.0/24\n")
		expect("198.51.100.1", true)
		cancel()
		synctest.Wait()
		for text, want := range map[string]int{
			"holds no network": 1, "line 2": 1, "no such file": 1, "were not reread": 3, "were reread": 2,
		} {
			if got := strings.Count(log.String(), text); got != want {
				t.Errorf("%q is in the log %d times, want %d:\n%s", text, got, want, &log)
			}
		}
	})
}

func TestAFileOfNetworksThatIsBadAtStartIsAnError(t *testing.T) {
	for _, text := range []string{"", "# nobody\n", "192.0.2.1/24\n"} {
		file := filepath.Join(t.TempDir(), "allow")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := openAllowed(&config.Listen{Allow: []config.Allowed{{Listener: "udp/514", Files: []string{file}}}}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "--allow @"+file) {
			t.Errorf("%q: %v", text, err)
		}
	}
	a, err := openAllowed(&config.Listen{}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil || a.function("udp", 514) != nil {
		t.Errorf("without --allow: %v, %v", a, err)
	}
}

func TestABadFileOfOneListenerLeavesTheOthersTheirs(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good"), filepath.Join(dir, "bad")
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(good, "192.0.2.0/24\n")
	write(bad, "192.0.2.0/24\n")
	var log bytes.Buffer
	cfg := &config.Listen{
		UDPPorts: []int{514}, TCPPorts: []int{514, 515},
		Allow: []config.Allowed{{Listener: "udp/514", Files: []string{bad}}, {Listener: "tcp/515", Files: []string{good}}},
	}
	a, err := openAllowed(cfg, prometheus.NewRegistry(), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	write(bad, "nobody\n")
	write(good, "2001:db8::/32\n")
	a.reload()
	old, next := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	if udp, tcp := a.function("udp", 514), a.function("tcp", 515); !udp(old) || udp(next) || tcp(old) || !tcp(next) {
		t.Errorf("udp/514 has %v and %v, tcp/515 has %v and %v", udp(old), udp(next), tcp(old), tcp(next))
	}
	if a.function("tcp", 514) != nil {
		t.Error("a listener without networks is not everybody's")
	}
	for _, want := range []string{"were not reread; those read before stay in use\" listener=udp/514", "were reread\" listener=tcp/515"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, &log)
		}
	}
}

func TestEachListenerHasItsOwnNetworks(t *testing.T) {
	dir, options, ports := t.TempDir(), map[string]string{}, map[string]string{}
	file := filepath.Join(dir, "own")
	if err := os.WriteFile(file, []byte("127.0.0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	allow := []string{"allow: [127.0.0.2"}
	for kind, option := range map[string]string{
		"udp": "udp-port", "tcp": "tcp-port", "relp": "relp-port", "tls": "port", "relps": "relp-tls-port", "dtls": "dtls-port",
	} {
		ports[kind] = freePort(t)
		options[option] = ports[kind]
		allow = append(allow, kind+"/"+ports[kind]+"=@"+file)
	}
	pair, _ := selfSigned(t)
	options["cert"], options["key"], options["local"] = filepath.Join(dir, "crt"), filepath.Join(dir, "key"), filepath.Join(dir, "delivered")
	if err := pair.Write(options["cert"], options["key"], false); err != nil {
		t.Fatal(err)
	}
	options["config"] = filepath.Join(dir, "relay.yaml")
	if err := os.WriteFile(options["config"], []byte(strings.Join(allow, ", ")+"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, filepath.Join(dir, "spool"), options)
	speak := func(kind, from string) {
		t.Helper()
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		network := "tcp"
		if kind == "udp" || kind == "dtls" {
			network, dialer.LocalAddr = "udp", &net.UDPAddr{IP: net.ParseIP(from)}
		}
		conn, err := dialer.Dial(network, "127.0.0.1:"+ports[kind])
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = conn.Write([]byte("<13>of " + from + "\n")) // who is refused may be disconnected by now
	}
	refused := func(kind string) (n float64) {
		families, err := r.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				labels := map[string]string{}
				for _, l := range m.GetLabel() {
					labels[l.GetName()] = l.GetValue()
				}
				if f.GetName() == "kinesyslog_refused_total" && labels["listener"] == kind+"/"+ports[kind] && labels["reason"] == "sender" {
					n += m.GetCounter().GetValue()
				}
			}
		}
		return n
	}
	for kind := range ports {
		speak(kind, "127.0.0.1")
		speak(kind, "127.0.0.2") // of --allow for all, which is not for these
		speak(kind, "127.0.0.3")
	}
	for kind := range ports {
		waitFor(t, func() bool { return refused(kind) == 2 })
	}
	received := func(kind string) (n uint64) {
		for _, b := range r.ledger.Snapshot() {
			if b.Listener == kind+"/"+ports[kind] {
				n = b.Received
			}
		}
		return n
	}
	waitFor(t, func() bool { return received("udp") == 1 && received("tcp") == 1 })
	if err := os.WriteFile(file, []byte("127.0.0.3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Reload()
	for kind := range ports {
		speak(kind, "127.0.0.1")
		speak(kind, "127.0.0.3")
	}
	for kind := range ports {
		waitFor(t, func() bool { return refused(kind) == 3 })
	}
	waitFor(t, func() bool { return received("udp") == 2 && received("tcp") == 2 })
	r.shutdown()
	for kind := range ports {
		if n := refused(kind); n != 3 {
			t.Errorf("%s: %v were refused, want 3", kind, n)
		}
	}
	if reloads := strings.Count(r.log.String(), "networks of --allow were reread"); reloads != len(ports) {
		t.Errorf("%d times networks were reread, want %d:\n%s", reloads, len(ports), r.log)
	}
}

func TestCheckTellsWhoMaySendToEachListener(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow")
	if err := os.WriteFile(file, []byte("10.0.0.1\n10.0.0.2\n10.0.0.3\n10.0.0.4\n10.0.0.5\n10.0.0.6\n10.0.0.7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(t.TempDir(), "none")
	var got []string
	checkAllowed(&config.Listen{
		UDPPorts: []int{514}, TCPPorts: []int{514, 515, 516}, RELPPorts: []int{2514},
		Allow: []config.Allowed{
			{Listener: "udp/514", Networks: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}},
			{Listener: "tcp/515", Files: []string{none}},
			{Listener: "tcp/516", Files: []string{none}},
			{Files: []string{file}},
		},
	}, func(level upload.Level, text string) { got = append(got, string(level)+" "+text) })
	want := []string{
		"ok udp/514 takes messages of 2001:db8::/32",
		"ok tcp/514 takes messages of 10.0.0.1/32, 10.0.0.2/32, 10.0.0.3/32, 10.0.0.4/32, 10.0.0.5/32, and 2 more",
		"failure read the networks of --allow: open " + none + ": no such file or directory",
		"ok relp/2514 takes messages of 10.0.0.1/32, 10.0.0.2/32, 10.0.0.3/32, 10.0.0.4/32, 10.0.0.5/32, and 2 more",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
}
