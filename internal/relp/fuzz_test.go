package relp

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// drive feeds a session in pieces, acknowledging everything every few
// messages, and returns all that was given out and all that was sent.
func drive(stream []byte, every int, ends ...int) string {
	s := NewSession(Config{MaxData: 50, Window: 3})
	var seen, out bytes.Buffer
	from, n := 0, 0
	var last Txnr
	for _, end := range append(ends, len(stream)) {
		for more := true; more; {
			m, used, st, err := s.Next(stream[from:end])
			from += used
			switch st {
			case Delivered:
				n++
				last = m.Txnr
				fmt.Fprintf(&seen, "%d %d %q\n", m.Txnr, m.Length, m.Text)
			case Closed:
				fmt.Fprintln(&seen, "closed", err)
				from, more = len(stream), false
				end = len(stream)
			case NeedMore:
				more = false
			}
			if s.Waiting() > 0 && (st == WindowFull || n%every == 0) {
				if err := s.Ack(last); err != nil {
					fmt.Fprintln(&seen, err)
				}
			}
			out.Write(s.AppendOutput(nil))
		}
		if from == len(stream) {
			break
		}
	}
	if s.Waiting() > 0 {
		if err := s.Ack(last); err != nil {
			fmt.Fprintln(&seen, err)
		}
	}
	out.Write(s.AppendOutput(nil))
	return seen.String() + out.String()
}

func FuzzSessionSegmentation(f *testing.F) {
	f.Add([]byte(libOpen+"2 syslog 5 hello\n3 syslog 1 b\n4 close 0\n"), uint16(30), uint16(120), uint8(1))
	f.Add([]byte(libOpen+"2 syslog 1 a\n3 syslog 1 b\n4 syslog 1 c\n5 syslog 1 d\n6 bad 0\n"), uint16(99), uint16(111), uint8(2))
	f.Add([]byte("1 open 30 relp_version=1\ncommands=syslog\n0 x 0\n2 syslog 60 "+strings.Repeat("z", 60)+"\n9 syslog 1 a\n"), uint16(50), uint16(90), uint8(7))
	f.Fuzz(func(t *testing.T, stream []byte, a, b uint16, every uint8) {
		whole := drive(stream, int(every)+1)
		cuts := []int{min(int(a), len(stream)), min(int(b), len(stream))}
		slices.Sort(cuts)
		if diff := cmp.Diff(whole, drive(stream, int(every)+1, cuts...)); diff != "" {
			t.Errorf("cut at %v (-whole +cut):\n%s", cuts, diff)
		}
		if strings.Contains(whole, ErrNotOutstanding.Error()) {
			t.Errorf("a message given out could not be acknowledged:\n%s", whole)
		}
	})
}
