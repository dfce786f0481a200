package config

import "testing"

func TestCompressionAutoIsNoLevel(t *testing.T) {
	inEmptyDir(t)
	for in, want := range map[string]int{"auto": AutoCompression, "1": 1, "9": 9} {
		c := mustLoad(t, Input{Flags: flags("--stream=s", "--udp-port=9", "--spool-dir=spool", "--compression="+in), LookupEnv: env()})
		if c.Compression != want {
			t.Errorf("%s: %d, want %d", in, c.Compression, want)
		}
	}
}

func TestNoPriceIsAPrice(t *testing.T) {
	inEmptyDir(t)
	c := mustLoad(t, Input{Flags: flags("--stream=s", "--udp-port=9", "--spool-dir=spool", "--price-per-gb=0"), LookupEnv: env()})
	if c.PricePerGB != 0 {
		t.Errorf("price %v, want 0", c.PricePerGB)
	}
}
