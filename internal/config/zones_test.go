package config

import (
	"testing"
	"time"
)

func TestTheSmallestNetworkTellsTheZone(t *testing.T) {
	inEmptyDir(t)
	write(t, "localhost.crt", "")
	write(t, "localhost.key", "")
	c := mustLoad(t, Input{Flags: flags("--stream=s", "--timezone=Asia/Tokyo", "--timezone-for=10.0.0.0/8=Europe/Oslo",
		"--timezone-for=10.1.2.0/24=America/New_York", "--timezone-for=10.1.0.0/16=UTC", "--timezone-for=2001:db8::/32=Asia/Kolkata",
		"--timezone-for=::ffff:192.0.2.0/120=Asia/Dubai", "--timezone-for=198.51.100.7=Asia/Seoul"), LookupEnv: env()})
	for address, want := range map[string]string{
		"10.200.0.1":        "Europe/Oslo",
		"10.1.200.1":        "UTC",
		"10.1.2.3":          "America/New_York",
		"::ffff:10.1.2.3":   "America/New_York",
		"2001:db8:5::1":     "Asia/Kolkata",
		"2001:db8:5::1%eth": "Asia/Kolkata",
		"192.0.2.1":         "Asia/Dubai",
		"198.51.100.7":      "Asia/Seoul",
		"198.51.100.8":      "Asia/Tokyo",
		"2001:db9::1":       "Asia/Tokyo",
		"localhost":         "Asia/Tokyo",
	} {
		if got := c.ZoneOf(address).String(); got != want {
			t.Errorf("%s is in %s, want %s", address, got, want)
		}
	}
}

func TestANetworkWithTwoZonesIsAnError(t *testing.T) {
	inEmptyDir(t)
	_, err := Load(Input{Flags: flags("--stream=s", "--udp-port=9", "--timezone-for=10.0.0.1/32=UTC", "--timezone-for=10.0.0.1=Europe/Oslo"), LookupEnv: env()})
	const want = "--timezone-for: network 10.0.0.1/32 is given twice: take one away"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSkewIsTakenInDaysAndForBothWays(t *testing.T) {
	const day = 24 * time.Hour
	for v, want := range map[string][2]time.Duration{
		"30d,1d":    {30 * day, day},
		"0":         {0, 0},
		"0,0":       {0, 0},
		"2d":        {2 * day, 2 * day},
		"1d12h, 5m": {36 * time.Hour, 5 * time.Minute},
		"36500d,0":  {36500 * day, 0},
	} {
		var past, future time.Duration
		if err := skew(&past, &future)([]string{v}); err != nil || past != want[0] || future != want[1] {
			t.Errorf("%s: %s, %s, %v", v, past, future, err)
		}
	}
}
