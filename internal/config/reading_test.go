package config

import (
	"testing"
	"time"
)

func TestHowMessagesAreReadIsTakenFromARelaysConfiguration(t *testing.T) {
	inEmptyDir(t)
	write(t, "relay.yaml", "stream: s\nudp-port: not even a number\ntimezone: Asia/Tokyo\ntimezone-for:\n  - 10.0.0.0/8=Europe/Oslo\n")
	c, err := LoadReading(Input{Flags: flags("--config=relay.yaml", "--max-skew=0"), LookupEnv: env("KINESYSLOG_PROMETHEUS_PORT", "9100")})
	if err != nil {
		t.Fatal(err)
	}
	if c.ZoneOf("10.1.2.3").String() != "Europe/Oslo" || c.ZoneOf("").String() != "Asia/Tokyo" || c.MaxPast != 0 ||
		c.AdminAddress() != "127.0.0.1:9100" || !c.AddHeader || c.GroupPrefix != "/kinesyslog" {
		t.Errorf("got %+v", c)
	}
}

func TestHowMessagesAreReadNeedsNoConfiguration(t *testing.T) {
	inEmptyDir(t)
	c, err := LoadReading(Input{LookupEnv: env()})
	if err != nil || c.Timezone != time.Local || c.MaxPast != 30*24*time.Hour || c.AdminAddress() != "" {
		t.Errorf("got %+v, %v", c, err)
	}
	if _, err := LoadReading(Input{Flags: flags("--timezone=Nowhere"), LookupEnv: env()}); err == nil {
		t.Error("a zone that there is not is taken")
	}
}

func TestOptionsOfReadingAreThoseOfTheTable(t *testing.T) {
	if got := len(ReadingOptions()); got != len(readingOptions) {
		t.Errorf("%d options of %d are in the table", got, len(readingOptions))
	}
}
