package syslog

import (
	"os"
	"strings"
	"testing"
	"time"
)

// summary is what docs/formats.md says of a message below it.
func summary(m *Message) string {
	var parts []string
	when := "from " + m.TimestampSource.String()
	if m.Timestamp != "" {
		when = "time " + m.Timestamp + " " + when
	}
	parts = append(parts, when)
	for _, field := range [][2]string{{"host", m.Hostname}, {"app", m.AppName}, {"pid", m.ProcID}, {"msgid", m.MsgID}, {"frame", m.Frame.String()}} {
		if field[1] != "" {
			parts = append(parts, field[0]+" "+field[1])
		}
	}
	if m.Payload != "" {
		parts = append(parts, "format "+m.Format)
	}
	return strings.Join(parts, ", ")
}

func TestExamplesOfTheFormatsPageAreTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	fenced, msg, examples := false, "", 0
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSuffix(line, "\n")
		want, indented := strings.CutPrefix(line, "  ")
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced && !indented:
			msg = line
		case fenced:
			examples++
			s := Scanner{Location: time.UTC}
			m := s.Parse([]byte(msg), receipt.UnixMicro())
			if got := summary(&m); got != want {
				t.Errorf("%s\n got %s\nwant %s", msg, got, want)
			}
		}
	}
	if examples < 30 {
		t.Errorf("only %d examples found", examples)
	}
}

func TestZoneWordsOfTheFormatsPageAreThoseThatAreKnown(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(string(page), func(r rune) bool { return r < 'A' || r > 'Z' }) {
		words[w] = true
	}
	for word := range zoneWords {
		if !words[word] && word != "UCT" {
			t.Errorf("docs/formats.md does not tell of the zone word %s", word)
		}
	}
}
