package admin

import (
	"bytes"
	"fmt"
	"html"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pageHead is before the title, pageStyle behind it. The page loads itself
// again without a script.
const (
	pageHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
`
	pageStyle = `<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 1.5rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .3rem .8rem; text-align: left; vertical-align: top; border-bottom: 1px solid #8886; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.good, .bad { font-weight: bold; padding: .1rem .5rem; border-radius: .2rem; color: #fff; }
.good { background: #176b2c; }
.bad { background: #b3261e; }
small { opacity: .75; overflow-wrap: anywhere; }
</style>
</head>
<body>
`
	pageFoot = `<p><small>Received + recovered = delivered + held + dropped. Also:
<a href="/status.json">status.json</a>, <a href="/samples.json">samples.json</a>, <a href="/metrics">metrics</a>, <a href="/readyz">readyz</a>.</small></p>
</body>
</html>
`
)

// page is written by hand: html/template looks methods up by name, which makes
// the linker keep every method of the AWS SDK, 8 MB of them.
type page struct{ bytes.Buffer }

// add writes HTML. Arguments are text and are escaped.
func (p *page) add(format string, texts ...string) {
	escaped := make([]any, len(texts))
	for i, t := range texts {
		escaped[i] = html.EscapeString(t)
	}
	fmt.Fprintf(p, format, escaped...)
}

func (s *Server) servePage(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write(render(s.report(time.Now()), s.samples().Samples)) // a client that went away needs no answer
}

func render(r report, notUnderstood []Sample) []byte {
	p := new(page)
	p.readiness(r)
	p.overview(r)
	p.accounts(r)
	p.samples(notUnderstood, r.now)
	p.WriteString(pageFoot)
	return p.Bytes()
}

func (p *page) readiness(r report) {
	word, class := "READY", "good"
	if !r.Ready {
		word, class = "NOT READY", "bad"
	}
	p.WriteString(pageHead)
	p.add("<title>%s - kinesyslog %s</title>\n", word, r.Stream)
	p.WriteString(pageStyle)
	p.add("<h1>kinesyslog <small>%s</small></h1>\n<p><span class=\"%s\">%s</span></p>\n<ul>", r.Version, class, word)
	for _, reason := range r.Reasons {
		p.add("<li>%s</li>\n", reason)
	}
	p.WriteString("</ul>\n")
}

func (p *page) overview(r report) {
	row := func(name, value string) { p.add("<tr><th>%s</th><td>%s</td></tr>\n", name, value) }
	unless := func(empty bool, s string) string {
		if empty {
			return ""
		}
		return s
	}
	p.WriteString("<table>\n")
	row("Delivery stream", r.Stream+unless(r.Region == "", " in "+r.Region))
	row("Delivery", r.Upload.State+unless(r.Upload.Reason == "", ": "+r.Upload.Reason)+
		unless(r.Upload.InFlight == 0, ", calls under way: "+formatCount(r.Upload.InFlight)))
	if r.Upload.LastDelivery.IsZero() {
		row("Last delivery", "none yet")
	} else {
		row("Last delivery", formatSince(r.Upload.LastDelivery, r.now)+" ago")
	}
	row("On disk", formatBytes(uint64(max(r.Spool.Bytes, 0)))+
		unless(r.Spool.MaxBytes <= 0, " of "+formatBytes(uint64(max(r.Spool.MaxBytes, 0))))+" in "+r.Spool.Dir)
	row("Records waiting", formatCount(r.Spool.Records)+
		unless(r.Spool.Oldest.IsZero(), ", the oldest for "+formatSince(r.Spool.Oldest, r.now)))
	row("Dead letters", formatCount(r.Spool.DeadLetters))
	row("Bill", r.Bill.String()+unless(r.Bill.Hint() == "", "; "+r.Bill.Hint()))
	row("Compression", "gzip level "+strconv.Itoa(r.Compression.Level)+unless(!r.Compression.Auto, ", as the processors' load allows"))
	row("Up for", formatSince(r.Started, r.now))
	p.WriteString("</table>\n")
}

func (p *page) accounts(r report) {
	p.WriteString(`<h2>Messages</h2>
<table>
<tr><th>Listener</th><th class="n">Received</th><th class="n">Bytes</th><th class="n">Recovered</th><th class="n">Delivered</th>
<th class="n">Held: journal</th><th class="n">spool</th><th class="n">dead letters</th><th>Dropped</th><th>Balance</th></tr>
`)
	for _, a := range r.Listeners {
		from := a.Network + " " + a.Address
		if a.Address == "" {
			from = "from an earlier configuration"
		}
		p.add("<tr><td>%s<br><small>%s<br>%s</small></td>\n", a.Name, from, a.Fingerprint)
		for _, cell := range []string{
			formatCount(a.Received), formatBytes(a.ReceivedBytes), formatCount(a.Recovered), formatCount(a.Delivered),
			formatCount(a.Held["journal"]), formatCount(a.Held["spool"]), formatCount(a.Held["dead_letters"]),
		} {
			p.add("<td class=\"n\">%s</td>", cell)
		}
		p.WriteString("\n<td>")
		if len(a.Dropped) == 0 {
			p.WriteString("none")
		}
		for _, reason := range slices.Sorted(maps.Keys(a.Dropped)) {
			p.add("<span class=\"bad\">%s</span> %s<br>", formatCount(a.Dropped[reason]), reason)
		}
		if a.Difference == 0 {
			p.WriteString("</td>\n<td>balanced</td></tr>\n")
		} else {
			p.add("</td>\n<td><span class=\"bad\">off by %s</span></td></tr>\n", formatCount(a.Difference))
		}
	}
	p.WriteString("</table>\n")
}

// shownBytes is how much of a sample the page shows.
const shownBytes = 160

// samples lists what was not understood, if there is anything.
func (p *page) samples(all []Sample, now time.Time) {
	if len(all) == 0 {
		return
	}
	p.WriteString(`<h2>Not understood</h2>
<p><small>The last few messages by reason; they are delivered as they came. kinesyslog explain --recent tells more.</small></p>
<table>
<tr><th>Reason</th><th>From</th><th>Message</th></tr>
`)
	for _, s := range all {
		text := s.Message
		if len(text) > shownBytes {
			text = strings.ToValidUTF8(text[:shownBytes], "") + "\u2026"
		}
		p.add("<tr><td>%s</td><td>%s<br><small>%s, %s ago</small></td><td><small>%s</small></td></tr>\n",
			s.Reason, s.Address, s.Listener, formatSince(s.Received, now), text)
	}
	p.WriteString("</table>\n")
}

// formatCount parts the thousands: 1,234,567.
func formatCount[N int | int64 | uint64](n N) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// formatBytes writes a size for people: 1.5 GiB.
func formatBytes(n uint64) string {
	const units = "KMGTPE"
	value, unit := float64(n), 0
	for ; value >= 1023.95 && unit < len(units); unit++ {
		value /= 1024
	}
	if unit == 0 {
		return strconv.FormatUint(n, 10) + " B"
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit-1])
}

// formatSince says how long ago something was, in the two largest units.
func formatSince(then, now time.Time) string {
	const day = 24 * time.Hour
	d := max(now.Sub(then), 0).Truncate(time.Second)
	switch {
	case d >= day:
		return fmt.Sprintf("%dd %dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm %ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
