package firehose_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kinesyslog/internal/firehose"
)

// unfinished returns the two files of an object that a server left, which holds
// the calls "first", "second" and "third".
func unfinished(t *testing.T, dir string) (part, calls string) {
	t.Helper()
	b := newBubble(t, firehose.Options{})
	b.put(t, "first")
	b.put(t, "second")
	b.put(t, "third")
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{".part", ".calls"} {
		found, err := filepath.Glob(filepath.Join(b.dir, "logs", ".*"+suffix))
		if err != nil || len(found) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		text, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, "logs", filepath.Base(found[0]))
		if err := os.WriteFile(to, text, 0o600); err != nil {
			t.Fatal(err)
		}
		part, calls = calls, to // in the order of the suffixes
	}
	return part, calls
}

func TestRecoveryKeepsWhatCheckpointsBearOut(t *testing.T) {
	const entry = 20
	for _, test := range []struct {
		name      string
		change    func(part, calls []byte) (newPart, newCalls []byte)
		want      string
		bad       string // what is set aside
		noObjects bool
	}{
		{name: "all", change: func(p, c []byte) ([]byte, []byte) { return p, c }, want: "firstsecondthird"},
		{
			name:   "a call without its checkpoint was never acknowledged",
			change: func(p, c []byte) ([]byte, []byte) { return append(p, "fourth"...), c }, want: "firstsecondthird",
		},
		{
			name:   "nor was one with a torn checkpoint",
			change: func(p, c []byte) ([]byte, []byte) { return p, c[:3*entry-1] }, want: "firstsecond",
		},
		{
			name:   "nothing acknowledged, nothing delivered",
			change: func(p, _ []byte) ([]byte, []byte) { return p, nil }, noObjects: true,
		},
		{
			name:   "zeros where a power cut ate a call",
			change: func(p, c []byte) ([]byte, []byte) { return append(p[:5], 0, 0, 0, 0, 0, 0, 't', 'h', 'i', 'r', 'd'), c }, want: "first", bad: "\x00\x00\x00\x00\x00\x00third",
		},
		{
			name:   "a part file that a power cut made short",
			change: func(p, c []byte) ([]byte, []byte) { return p[:8], c }, want: "first", bad: "sec",
		},
		{
			name:   "a damaged checkpoint puts the rest in doubt",
			change: func(p, c []byte) ([]byte, []byte) { c[entry+3] ^= 1; return p, c }, want: "first", bad: "secondthird",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			part, calls := unfinished(t, dir)
			p, err := os.ReadFile(part)
			if err != nil {
				t.Fatal(err)
			}
			c, err := os.ReadFile(calls)
			if err != nil {
				t.Fatal(err)
			}
			p, c = test.change(p, c)
			if err := os.WriteFile(part, p, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(calls, c, 0o600); err != nil {
				t.Fatal(err)
			}
			r := newRig(t, firehose.Options{Dir: dir})
			bad := strings.TrimSuffix(part, ".part") + ".bad"
			text, err := os.ReadFile(bad)
			if test.bad != "" && err != nil {
				t.Error(err)
			}
			if string(text) != test.bad {
				t.Errorf("set aside %q, want %q", text, test.bad)
			}
			_ = os.Remove(bad)
			if got := contents(t, dir, "logs"); got != test.want {
				t.Errorf("objects hold %q, want %q", got, test.want)
			}
			if none := len(r.delivered()) == 0; none != test.noObjects {
				t.Errorf("delivered %+v", r.delivered())
			}
		})
	}
}

func TestFilesThatMakeNoSenseDoNotStopTheStartAndStrangersAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	part, calls := unfinished(t, dir)
	if err := os.Remove(calls); err != nil {
		t.Fatal(err)
	}
	logs := filepath.Join(dir, "logs")
	if err := os.Mkdir(filepath.Join(dir, "foreign"), 0o700); err != nil {
		t.Fatal(err)
	}
	const alone = "logs/.logs-1-2018-02-21-21-59-50-00000000-0000-4000-8000-000000000000.calls"
	for name, text := range map[string]string{
		"logs/.strange.part": "x", "logs/.strange.calls": "y", "logs/.alone.calls": "z", alone: "z", "foreign/.x.part": "x",
		"logs/.stream.json": "{", "file": "", "logs/.other": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	newRig(t, firehose.Options{Dir: dir, Streams: []string{"logs"}})
	for name, want := range map[string]bool{
		strings.TrimSuffix(part, ".part") + ".bad": true, part: false,
		filepath.Join(logs, ".strange.part"): true, filepath.Join(logs, ".alone.calls"): true, filepath.Join(logs, ".other"): true,
		filepath.Join(dir, alone): false, filepath.Join(dir, "foreign/.x.part"): true,
	} {
		if _, err := os.Stat(name); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRecovery(f *testing.F) {
	f.Add([]byte("firstsecond"), make([]byte, 40))
	f.Add([]byte{}, []byte{1})
	f.Fuzz(func(t *testing.T, part, calls []byte) {
		dir := t.TempDir()
		stem := filepath.Join(dir, "logs", ".logs-1-2018-02-21-21-59-50-00000000-0000-4000-8000-000000000000")
		if err := os.Mkdir(filepath.Dir(stem), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(stem+".part", part, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(stem+".calls", calls, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := firehose.New(firehose.Options{Dir: dir, OnObject: func(o firehose.Object) {
			text, err := os.ReadFile(o.Path)
			if err != nil || !strings.HasPrefix(string(part), string(text)) || int64(len(text)) != o.Bytes || o.Bytes == 0 {
				t.Errorf("delivered %q of %q: %v", text, part, err)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
