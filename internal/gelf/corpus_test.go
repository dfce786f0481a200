package gelf

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// corpusCase is one line of gelf_dev.jsonl; the README beside it explains it.
type corpusCase struct {
	ID        string `json:"id"`
	Class     string `json:"class"`
	Transport string `json:"transport"`
	Datagrams []struct {
		Data []byte `json:"b64"`
		From string `json:"from"`
	} `json:"datagrams"`
	Segments [][]byte `json:"segments_b64"`
	Expect   struct {
		Messages []map[string]any `json:"messages"`
	} `json:"expect"`
}

func corpus(t *testing.T) []corpusCase {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	name := filepath.Join(dir, "..", "shared", "corpus", "gelf_dev.jsonl")
	file, err := os.Open(name)
	if err != nil {
		t.Skipf("the corpus is not beside the repository: %v", err)
	}
	defer file.Close()
	var cases []corpusCase
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c corpusCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

// texts runs a case and returns all texts that came out without an error.
func (c corpusCase) texts() (texts [][]byte, losses []Reason, errs []error) {
	if c.Transport == "tcp" {
		f := NewNULFramer(1 << 20)
		var buf []byte
		for i, s := range c.Segments {
			buf = append(buf, s...)
			for {
				msg, used, _, ok := f.Next(buf, i == len(c.Segments)-1)
				buf = buf[used:]
				if !ok {
					break
				}
				texts = append(texts, msg)
			}
		}
		return texts, nil, nil
	}
	d := NewDecoder(Limits{}, 1<<20, func(_ string, l Loss) { losses = append(losses, l.Reason) })
	for i, g := range c.Datagrams {
		text, err := d.Decode(int64(i), g.From, g.Data)
		if err != nil {
			errs = append(errs, err)
		} else if len(text) > 0 {
			texts = append(texts, append([]byte(nil), text...))
		}
	}
	d.Expire(60 * second)
	return texts, losses, errs
}

func TestCorpus(t *testing.T) {
	cases := corpus(t)
	if len(cases) < 40 {
		t.Fatalf("%d cases only", len(cases))
	}
	for _, c := range cases {
		t.Run(c.ID+"-"+c.Class, func(t *testing.T) {
			texts, losses, errs := c.texts()
			var got []map[string]any
			for _, text := range texts {
				var object map[string]any
				if err := json.Unmarshal(text, &object); err != nil {
					if c.Class != "invalid-json" || Scan(text).Whole {
						t.Errorf("%q: %v", text, err)
					}
					continue // handed on as it came, which nobody is to take for GELF
				}
				got = append(got, object)
				checkFields(t, text, object)
			}
			if len(c.Expect.Messages) == 0 {
				if got != nil {
					t.Errorf("messages %v", got)
				}
				if len(losses)+len(errs)+len(texts) == 0 && c.Class != "empty-datagram" {
					t.Error("nothing came out and nothing was reported")
				}
				return
			}
			if diff := cmp.Diff(c.Expect.Messages, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, r := range losses {
				if r != Duplicate {
					t.Errorf("reported %s", r)
				}
			}
		})
	}
}

// checkFields compares Scan with what encoding/json found.
func checkFields(t *testing.T, text []byte, object map[string]any) {
	t.Helper()
	if Looks(text) != JSON {
		t.Errorf("not recognised: %.60q", text)
	}
	f := Scan(text)
	_, hasTime := object["timestamp"]
	if f.HasTime != hasTime || !f.Whole || !f.ShortMessage || !f.Version {
		t.Errorf("fields %+v of %.60q", f, text)
	}
	if seconds, ok := object["timestamp"].(float64); ok && f.Time != int64(seconds*1e6+0.5) {
		t.Errorf("time %d, want %f", f.Time, seconds)
	}
	if host := string(AppendUnquoted(nil, f.Host)); host != object["host"] {
		t.Errorf("host %q, want %q", host, object["host"])
	}
}
