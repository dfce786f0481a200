package cwl

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// logLines returns n messages of 256 bytes such as a few dozen hosts write
// within some seconds, the same ones for the same n. stamps are their times in
// milliseconds.
func logLines(n int) (lines [][]byte, stamps []int64) {
	r := rand.New(rand.NewPCG(1, 2))
	programs := []string{"sshd", "kernel", "postfix/smtpd", "dhcpd", "named", "haproxy", "CRON", "systemd"}
	phrases := []string{
		"Accepted publickey for deploy from", "Failed password for invalid user admin from",
		"IN=eth0 OUT= MAC=00:16:3e:5e:6c:00 SRC=10.1.2.3 DST=192.0.2.9 LEN=60 TOS=0x00 PREC=0x00 TTL=51 ID=",
		"client connected from unknown host", "DHCPACK on", "query (cache) denied:", "backend web/app3 is UP, reason: Layer7 check passed",
		"connection reset by peer while reading request", "session opened for user root by (uid=0)", "Started Daily apt download activities.",
	}
	at := time.Date(2026, 2, 21, 21, 7, 50, 0, time.UTC)
	for range n {
		at = at.Add(time.Duration(r.IntN(200)) * time.Microsecond)
		line := fmt.Appendf(nil, "<%d>1 %s host-%02d.example.net %s %d - - %s 10.%d.%d.%d port %d",
			r.IntN(192), at.Format("2006-01-02T15:04:05.000000Z"), r.IntN(40), programs[r.IntN(len(programs))],
			1000+r.IntN(30000), phrases[r.IntN(len(phrases))], r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(65536))
		for len(line) < 256 {
			line = fmt.Appendf(line, " %s=%d", []string{"len", "seq", "dur", "bytes", "status", "id"}[r.IntN(6)], r.IntN(1_000_000))
		}
		lines = append(lines, line[:256])
		stamps = append(stamps, at.UnixMilli())
	}
	return lines, stamps
}
