package archive

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJSONHasTheKeysInOrderOnOneLine(t *testing.T) {
	event := Event{
		ID: "000\"7", Timestamp: 1763797000123, Message: "<13>one\ntwo\t\\ \u00fc\x00\u2028",
		LogGroup: "/kinesyslog/syslog/514", LogStream: "192.0.2.7", Owner: "123456789012",
	}
	got := string(AppendJSON([]byte("before "), event))
	want := `before {"id":"000\"7","timestamp":1763797000123,"message":"<13>one\ntwo\t\\ ` + "\u00fc" + `\u0000` + "\u2028" + `",` +
		`"logGroup":"/kinesyslog/syslog/514","logStream":"192.0.2.7","owner":"123456789012"}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var back Event
	if err := json.Unmarshal([]byte(strings.TrimPrefix(got, "before ")), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(event, back); diff != "" {
		t.Error(diff)
	}
}
