package listen

import (
	"bytes"
	"net/netip"
	"strings"

	"kinesyslog/internal/access"
	"kinesyslog/internal/event"
	"kinesyslog/internal/gelf"
	"kinesyslog/internal/syslog"
)

// What the names of log streams end with whose messages name hosts that the
// certificate of their client does not bear. A certificate's name follows the
// first.
const (
	noteOf      = "/hostname-not-of-"
	noteWithout = "/hostname-without-certificate"
)

// The parts of such a name are cut, so that the note is whole within the 512
// characters that a log stream's name may have.
const (
	maxNotedStream = 256 // bytes
	maxNotedName   = 200
)

// maxClaimed is how much of a host name is kept. Longer ones are no certificate's
// (access.Identity.Bears).
const maxClaimed = 255

// claims are the host names that the messages of one connection bear, and what
// the client's certificate says to them. A message that names no host claims
// nothing, and passes. Nil claims let everything pass. Not for concurrent use.
type claims struct {
	hostnames *hostnames
	identity  *access.Identity // nil without a certificate
	sender    netip.Addr
	note      string

	judged  []byte // the last host name, if it was not too long to be kept
	borne   bool   // whether that is the client's
	noted   []notedSource
	claimed []byte // the last that is not borne
	found   tally  // such messages since settle
	plain   []byte // a host name of GELF without its escapes
}

// notedSource is a source, and the same with a note in its log stream's name.
type notedSource struct{ of, as *event.Source }

// judge returns the source under which a message is to be delivered, or false if
// it is to be refused. The message itself is never altered. It allocates nothing
// for names that are borne. What it finds is told by settle.
func (c *claims) judge(source *event.Source, msg []byte) (_ *event.Source, ok bool) {
	if c == nil {
		return source, true
	}
	host := c.host(msg, source.Format == formatGELF)
	if len(host) == 0 || c.bears(host) {
		return source, true
	}
	c.claimed = append(c.claimed[:0], host[:min(len(host), maxClaimed)]...)
	c.found.messages++
	c.found.bytes += uint64(len(msg))
	if c.hostnames.refuse {
		return nil, false
	}
	return c.withNote(source), true
}

// host returns the host that a message names in its header, or in GELF's host.
func (c *claims) host(msg []byte, isGELF bool) []byte {
	if !isGELF {
		return syslog.Hostname(msg)
	}
	f := gelf.Scan(msg)
	if !f.HostEscaped {
		return f.Host
	}
	c.plain = gelf.AppendUnquoted(c.plain[:0], f.Host)
	return c.plain
}

// bears looks a host up in the certificate unless it is that of the message
// before.
func (c *claims) bears(host []byte) bool {
	if len(host) > maxClaimed {
		return false
	}
	if len(c.judged) == 0 || !bytes.Equal(host, c.judged) {
		c.judged = append(c.judged[:0], host...)
		c.borne = c.identity.Bears(host)
	}
	return c.borne
}

// withNote is the source of messages that are delivered all the same. Its log
// stream bears no name that the sender chose.
func (c *claims) withNote(source *event.Source) *event.Source {
	for _, n := range c.noted {
		if n.of == source {
			return n.as
		}
	}
	as := source.Named(atMost(source.LogStream(), maxNotedStream) + c.note)
	c.noted = append(c.noted, notedSource{source, as})
	return as
}

// settle counts, books and logs what was found since the last call. It is called
// after each read.
func (c *claims) settle() {
	if c == nil || c.found.messages == 0 {
		return
	}
	c.hostnames.tell(c, c.found)
	c.found = tally{}
}

// atMost cuts a text that is longer than so many bytes.
func atMost(text string, bytes int) string {
	if len(text) > bytes {
		return strings.ToValidUTF8(text[:bytes], "")
	}
	return text
}
