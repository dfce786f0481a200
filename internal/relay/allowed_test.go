package relay

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/config"
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
		cfg := &config.Listen{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, AllowFiles: []string{file}}
		a, err := openAllowed(cfg, prometheus.NewRegistry(), slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go a.watch(ctx)
		allow := a.function()
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
		_, err := openAllowed(&config.Listen{AllowFiles: []string{file}}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "--allow @"+file) {
			t.Errorf("%q: %v", text, err)
		}
	}
	a, err := openAllowed(&config.Listen{}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil || a.function() != nil {
		t.Errorf("without --allow: %v, %v", a, err)
	}
}
