package gelf

import (
	"encoding/json"
	"testing"
)

func TestStringsMeanWhatEncodingJSONSays(t *testing.T) {
	for _, raw := range []string{
		``, `plain`, `größe 測試 😀`,
		`\"\\\/\b\f\n\r\t`,
		`\u0041\u00e9\u6E2C\u0000`,
		`\ud83d\ude00`, `\ud83d`, `\ude00`, `\ud83dx`, `\ud83d\u0041`, `\ud83d\ud83d\ude00`,
		"\xff", "a\xc3", "\xed\xa0\x80",
	} {
		var want string
		if err := json.Unmarshal([]byte(`"`+raw+`"`), &want); err != nil {
			t.Fatal(raw, err)
		}
		if got := string(AppendUnquoted(nil, []byte(raw))); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}

func TestEscapesThatJSONDoesNotKnowStay(t *testing.T) {
	for _, raw := range []string{`\x41`, `\`, `\u12`, `\u12g4`, `\u+123`, `\'`} {
		if got := string(AppendUnquoted(nil, []byte(raw))); got != raw {
			t.Errorf("%q became %q", raw, got)
		}
	}
}
