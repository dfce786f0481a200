package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPrepareMakesAPrivateDirectory(t *testing.T) {
	inEmptyDir(t)
	for _, in := range []Input{
		{Flags: flags("--local=d"), LookupEnv: env()},
		{Flags: flags("--local=d", "--spool-dir=a/b"), LookupEnv: env()},
	} {
		c := mustLoad(t, in)
		for range 2 { // the second time it is there already
			if err := c.Prepare(); err != nil {
				t.Fatal(err)
			}
		}
		info, err := os.Stat(c.SpoolDir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: mode %v, error %v", c.SpoolDir, info.Mode(), err)
		}
		if entries, err := os.ReadDir(c.SpoolDir); err != nil || len(entries) != 0 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
		if c.SpoolMaxBytes < minSpoolBytes {
			t.Errorf("limit is %d bytes", c.SpoolMaxBytes)
		}
	}
}

func TestPrepareKeepsALimitThatWasAskedFor(t *testing.T) {
	inEmptyDir(t)
	c := mustLoad(t, Input{Flags: flags("--local=d", "--spool-max-bytes=64M"), LookupEnv: env()})
	if err := c.Prepare(); err != nil || c.SpoolMaxBytes != 64<<20 {
		t.Errorf("limit %d, error %v", c.SpoolMaxBytes, err)
	}
}

func TestAPrivateSpoolDirectoryMustBeOursAlone(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"is open to others": func(dir string) error {
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			return os.Chmod(dir, 0o755)
		},
		"is not a directory": func(dir string) error {
			return os.Symlink(filepath.Dir(dir), dir)
		},
		"not a directory": func(dir string) error {
			return os.WriteFile(dir, nil, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inEmptyDir(t)
			c := mustLoad(t, Input{Flags: flags("--local=d"), LookupEnv: env()})
			if err := spoil(c.SpoolDir); err != nil {
				t.Fatal(err)
			}
			err := c.Prepare()
			if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "--spool-dir") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestASpoolDirectoryOfSomebodyElseIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	inEmptyDir(t)
	c := mustLoad(t, Input{Flags: flags("--local=d"), LookupEnv: env()})
	if err := os.Mkdir(c.SpoolDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(c.SpoolDir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if err := c.Prepare(); err == nil || !strings.Contains(err.Error(), "belongs to somebody else") {
		t.Errorf("got %v", err)
	}
}

func TestTheSpoolMayHaveFourFifthsOrOneGiB(t *testing.T) {
	const gib = 1 << 30
	for free, want := range map[int64]int64{
		100 * gib: 80 * gib,
		gib + 10:  gib,
		gib / 2:   gib / 2,
		0:         minSpoolBytes,
	} {
		if got := shareOf(free); got/1000 != want/1000 {
			t.Errorf("free %d: got %d, want %d", free, got, want)
		}
	}
}

func TestWhatTheSpoolHoldsCountsAsFree(t *testing.T) {
	dir := inEmptyDir(t)
	if err := os.Mkdir("dead", 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, "1.spool", "12345")
	write(t, "dead/1", "123")
	if n, err := bytesIn(dir); err != nil || n != 8 {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "65536": 65536, "64K": 65536, "64k": 65536, "64Ki": 65536, "64KiB": 65536, "64 kib": 65536, "64KB": 64000,
		"512M": 512 << 20, "1.5G": 3 << 29, "2TB": 2e12,
	} {
		if got, err := ParseSize(in); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "M", "-1", "1e3", "1.", ".5", "10B", "10 M B", "10Gb/s", "0x10", "9999999999T", "9999999999999999999"} {
		if got, err := ParseSize(in); err == nil {
			t.Errorf("%q: got %v", in, got)
		}
	}
}

func TestTheLimitIsNoMoreThanTheFileSystemHas(t *testing.T) {
	inEmptyDir(t)
	c := mustLoad(t, Input{Flags: flags("--local=d", "--spool-max-bytes=512T"), LookupEnv: env()})
	if err := c.Prepare(); err != nil || c.SpoolMaxBytes >= 512<<40 || len(c.Warnings) != 1 {
		t.Errorf("limit %d, error %v, warnings %q", c.SpoolMaxBytes, err, c.Warnings)
	}
}

func TestWhatGivesWayWhenItIsFull(t *testing.T) {
	inEmptyDir(t)
	for value, want := range map[string]bool{"block": false, "drop-oldest": true} {
		if c := mustLoad(t, Input{Flags: flags("--local=d", "--when-full="+value), LookupEnv: env()}); c.DropOldest != want {
			t.Errorf("%s: %v", value, c.DropOldest)
		}
	}
	if _, err := Load(Input{Flags: flags("--local=d", "--when-full=panic"), LookupEnv: env()}); err == nil || !strings.Contains(err.Error(), "drop-oldest") {
		t.Errorf("got %v", err)
	}
}
