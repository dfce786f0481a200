package gelf

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTimeIsFoundInWhateverFormItHas(t *testing.T) {
	const want = 1385053862_307200
	for _, tc := range []struct {
		name, value string
		want        int64 // 0: none
	}{
		{"seconds", `1385053862`, 1385053862_000000},
		{"fraction", `1385053862.3072`, want},
		{"fraction that binary floating point would miss", `1700000000.000001`, 1700000000_000001},
		{"more digits than microseconds", `1385053862.30720099999`, want},
		{"many digits", `1385053862.3072` + strings.Repeat("0", 60) + "1", want},
		{"exponent", `1.3850538623072e9`, want},
		{"exponent with sign", `13850538623072E-4`, want},
		{"exponent with plus and zeros", `0.13850538623072e+0010`, want},
		{"string", `"1385053862.3072"`, want},
		{"string with an exponent", `"1.3850538623072E+9"`, want},
		{"string with spaces", `" 1385053862.3072 "`, want},
		{"string with escapes", `"\u0031385053862.3072"`, want},
		{"RFC 3339 in a string", `"2013-11-21T17:11:02.3072Z"`, want},
		{"RFC 3339 with offset", `"2013-11-21T18:11:02.307200999+01:00"`, want},
		{"milliseconds", `1385053862307.2`, want},
		{"microseconds", `1385053862307200`, want},
		{"nanoseconds", `1385053862307200999`, want},
		{"nanoseconds of 20 digits", `13850538623072009990`, 13850538623072009},
		{"the latest taken as seconds", `99999999999.9999999`, 99999999999_999999},
		{"the earliest", `0.000001`, 1},

		{"null", `null`, 0},
		{"false", `false`, 0},
		{"object", `{"timestamp":1385053862}`, 0},
		{"array", `[1385053862]`, 0},
		{"empty string", `""`, 0},
		{"words", `"yesterday"`, 0},
		{"zero", `0`, 0},
		{"less than a microsecond", `0.0000009`, 0},
		{"negative", `-1385053862`, 0},
		{"too large", `1e20`, 0},
		{"absurdly large", `1e999999999999999999999`, 0},
		{"absurdly small", `1e-999999999999999999999`, 0},
		{"zero with an exponent", `0e99`, 0},
		{"before 1970 in RFC 3339", `"1969-12-31T23:59:59Z"`, 0},
		{"13th month", `"2013-13-21T17:11:02Z"`, 0},
		{"text after the number", `"1385053862 s"`, 0},
		{"point without digits", `"1385053862."`, 0},
		{"exponent without digits", `"1385053862e"`, 0},
		{"hexadecimal", `"0x528e3d26"`, 0},
		{"comma", `"1385053862,3072"`, 0},
		{"number broken off", `1385053862e+`, 0},
	} {
		f := Scan([]byte(`{"host":"h","timestamp":` + tc.value + `,"level":1}`))
		if f.Time != tc.want || f.HasTime != (tc.want != 0) || !f.Whole {
			t.Errorf("%s: %s gives %+v, want %d", tc.name, tc.value, f, tc.want)
		}
	}
}

func TestOnlyTheOutermostKeysCount(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     Fields
	}{
		{"all fields", plain, Fields{Time: 1385053862_307200, HasTime: true, Host: []byte("example.org"), ShortMessage: true, Version: true, Whole: true}},
		{"none", `{}`, Fields{Whole: true}},
		{"no object", `"timestamp"`, Fields{}},
		{"array of objects", `[{"timestamp":1}]`, Fields{}},
		{"empty", ``, Fields{}},
		{"white space around", " \r\n{\t\"timestamp\" : 5 } \n", Fields{Time: 5e6, HasTime: true, Whole: true}},
		{"nested", `{"a":{"timestamp":1,"host":"x"},"b":[{"timestamp":2,"host":"y"}],"c":"}"}`, Fields{Whole: true}},
		{"nested before and after", `{"a":{"timestamp":1},"timestamp":2,"b":{"timestamp":3}}`, Fields{Time: 2e6, HasTime: true, Whole: true}},
		{"within a string", `{"short_message":"\"timestamp\":1","host":"a"}`, Fields{Host: []byte("a"), ShortMessage: true, Whole: true}},
		{"as a value", `{"a":"timestamp","host":"timestamp"}`, Fields{Host: []byte("timestamp"), Whole: true}},
		{"twice, the last counts", `{"timestamp":1,"host":"a","timestamp":2,"host":"b"}`, Fields{Time: 2e6, HasTime: true, Host: []byte("b"), Whole: true}},
		{"twice, the last is none", `{"timestamp":1,"host":"a","timestamp":null,"host":7}`, Fields{Whole: true}},
		{"keys with escapes", `{"time\u0073tamp":1,"\u0068ost":"a"}`, Fields{Time: 1e6, HasTime: true, Host: []byte("a"), Whole: true}},
		{"keys in other cases", `{"Timestamp":1,"HOST":"a","timestamps":2,"_timestamp":3}`, Fields{Whole: true}},
		{"host with escapes", `{"host":"a\"b\\"}`, Fields{Host: []byte(`a\"b\\`), HostEscaped: true, Whole: true}},
		{"empty host", `{"host":""}`, Fields{Host: []byte{}, Whole: true}},
		{"backslash before the end of a string", `{"a":"\\","timestamp":1}`, Fields{Time: 1e6, HasTime: true, Whole: true}},
		{"cut off in a string", `{"timestamp":1,"host":"a","x":"\`, Fields{Time: 1e6, HasTime: true, Host: []byte("a")}},
		{"cut off after a key", `{"timestamp":1,"host"`, Fields{Time: 1e6, HasTime: true}},
		{"cut off in an array", `{"timestamp":1,"a":[[{}]`, Fields{Time: 1e6, HasTime: true}},
		{"text after the object", `{"timestamp":1}{"timestamp":2}`, Fields{Time: 1e6, HasTime: true}},
		{"cut off in a nested string", `{"timestamp":1,"a":["b`, Fields{Time: 1e6, HasTime: true}},
		{"a long key full of escapes", `{"` + strings.Repeat(`\u0061`, 20) + `":1,"timestamp":1}`, Fields{Time: 1e6, HasTime: true, Whole: true}},
		{"key without quotes", `{timestamp:1}`, Fields{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Scan([]byte(tc.in))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestScanningAPlainMessageAllocatesNothing(t *testing.T) {
	in := []byte(plain)
	if n := testing.AllocsPerRun(1000, func() { Scan(in) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDepthAndEscapesCostNoMoreThanTheirLength(t *testing.T) {
	const n = 1 << 19 // were it squared, this would take half a minute
	for name, in := range map[string]string{
		"depth":   `{"a":` + strings.Repeat("[", n),
		"escapes": `{"a":"` + strings.Repeat(`\"`, n) + `"}`,
		"objects": `{"a":` + strings.Repeat(`{"a":`, n),
		"less":    strings.Repeat("<", n),
	} {
		start := time.Now()
		Scan([]byte(in))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: %v for %d bytes", name, took, len(in))
		}
	}
}

// expected is what encoding/json and math/big make of a timestamp.
func expected(v any) (micros int64, ok bool) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = strings.Trim(v, " \t\r\n")
		if at, err := time.Parse(time.RFC3339, text); err == nil && len(text) >= 20 && len(text) <= 38 && text[4] == '-' {
			return max(at.UnixMicro(), 0), at.UnixMicro() > 0
		}
	}
	m := regexp.MustCompile(`^[0-9]+(\.[0-9]+)?([eE][+-]?([0-9]+))?$`).FindStringSubmatch(text)
	if m == nil || len(m[3]) > 3 {
		return 0, false
	}
	r, valid := new(big.Rat).SetString(text)
	if !valid {
		return 0, false
	}
	unit := int64(1e9) // thousandths of a microsecond: seconds first, then milliseconds, and so on
	for _, below := range []int64{1e11, 1e14, 1e17} {
		if r.Cmp(new(big.Rat).SetInt64(below)) < 0 {
			break
		}
		unit /= 1000
	}
	if r.Cmp(new(big.Rat).SetFrac(new(big.Int).Exp(big.NewInt(10), big.NewInt(20), nil), big.NewInt(1))) >= 0 {
		return 0, false
	}
	r.Mul(r, new(big.Rat).SetFrac64(unit, 1000))
	q := new(big.Int).Quo(r.Num(), r.Denom())
	return q.Int64(), q.Sign() > 0
}

func FuzzScanAgreesWithEncodingJSON(f *testing.F) {
	for _, s := range []string{
		plain,
		`{"timestamp":"1.5e9","host":"\ud83d\ude00\ud800x","a":[{"timestamp":1}]}`,
		`{"timestamp":1385053862307.25,"timest\u0061mp":17e8,"host":"` + "\xff" + `"}`,
		`{"timestamp":"2013-11-21T18:11:02.3+01:00","host":null}`,
		` {"timestamp" : 100000000000 , "host":"a" , "short_message":{}, "version":1} `,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got := Scan(in)
		d := json.NewDecoder(bytes.NewReader(in))
		d.UseNumber()
		var object map[string]any
		if !json.Valid(in) || d.Decode(&object) != nil || object == nil {
			return
		}
		if len(regexp.MustCompile(`[eE][+-]?[0-9]{4}`).Find(in)) > 0 {
			return // exponents that would keep math/big busy
		}
		var want Fields
		want.Whole = true
		want.Time, want.HasTime = expected(object["timestamp"])
		_, want.ShortMessage = object["short_message"]
		_, want.Version = object["version"]
		if host, ok := object["host"].(string); ok {
			want.Host = []byte(host)
		}
		if got.Host != nil {
			got.Host = AppendUnquoted([]byte{}, got.Host)
		}
		got.HostEscaped = false
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-encoding/json +Scan):\n%s", in, diff)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	in := []byte(plain)
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		Scan(in)
	}
}

func BenchmarkEncodingJSON(b *testing.B) {
	in := []byte(plain)
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		var v struct {
			Timestamp json.Number `json:"timestamp"`
			Host      string      `json:"host"`
		}
		if err := json.Unmarshal(in, &v); err != nil {
			b.Fatal(err)
		}
	}
}
