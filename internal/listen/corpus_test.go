package listen

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type framingCase struct {
	ID       string   `json:"id"`
	Class    string   `json:"class"`
	Segments [][]byte `json:"segments_b64"`
	EOF      bool     `json:"eof"`
	Expect   struct {
		Match    string   `json:"match"`
		Messages [][]byte `json:"messages_b64"`
		Also     []struct {
			Messages [][]byte `json:"messages_b64"`
		} `json:"also_acceptable"`
	} `json:"expect"`
}

func (c *framingCase) fits(got []string) bool {
	want := texts(c.Expect.Messages)
	switch c.Expect.Match {
	case "one_of":
		for _, also := range c.Expect.Also {
			if slices.Equal(got, texts(also.Messages)) {
				return true
			}
		}
	case "last_message_must_arrive":
		return len(got) > 0 && got[len(got)-1] == want[len(want)-1]
	case "first_may_be_truncated_or_dropped":
		want[0] = want[0][:min(len(want[0]), DefaultMaxMessage)]
	}
	return slices.Equal(got, want)
}

func texts(b [][]byte) []string {
	var out []string
	for _, m := range b {
		out = append(out, string(m))
	}
	return out
}

// corpus returns the lines of a file of the corpus.
func corpus[Case any](t *testing.T, name string) (cases []Case) {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above this directory")
		}
		dir = filepath.Dir(dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, "..", "shared", "corpus", name))
	if err != nil {
		t.Skipf("the message corpus is not beside the repository: %v", err)
	}
	for line := range bytes.Lines(data) {
		var c Case
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

func framingCorpus(t *testing.T) []framingCase {
	t.Helper()
	return slices.DeleteFunc(corpus[framingCase](t, "framing_dev.jsonl"), func(c framingCase) bool {
		return strings.HasPrefix(c.Class, "proxy-")
	})
}

func TestFramingCorpusOverTCPAndTLS(t *testing.T) {
	certificate := testCertificate(t)
	for _, c := range framingCorpus(t) {
		t.Run(c.ID+" "+c.Class, func(t *testing.T) {
			for _, transport := range []string{"tcp", "tls"} {
				e := newEnv()
				opts := e.tcp(TCPOptions{})
				if transport == "tls" {
					opts.TLS = certificate.server()
				}
				l, _ := startTCP(t, opts)
				conn := dial(t, "tcp", l.Addr().String())
				if transport == "tls" {
					conn = dialTLS(t, l.Addr().String(), certificate.client())
				}
				send(t, conn, texts(c.Segments)...)
				var got []string
				if c.EOF {
					finish(t, conn)
					got = textsOf(e.journal.messages())
				} else {
					got = textsOf(e.journal.wait(t, len(c.Expect.Messages)))
				}
				if !c.fits(got) {
					t.Errorf("%s: got %.300q\nwant (%s) %.300q", transport, got, c.Expect.Match, c.Expect.Messages)
				}
			}
		})
	}
}
