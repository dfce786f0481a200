// Package config makes one validated struct of the command line, the
// environment and a configuration file.
//
// Every option is one line in one table (see options.go): its name, its
// default, its help and what puts its value where it belongs. The name is at
// once the flag, the key in the file and, as KINESYSLOG_NAME, the variable in
// the environment. Flags win over the environment, the environment wins over
// the file, the file wins over the defaults.
package config

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"strconv"
	"time"

	"kinesyslog/internal/access"
	"kinesyslog/internal/privilege"
)

// Listen is the effective configuration of the verb listen: defaults are
// filled in, values are in range, and what depends on something else has been
// decided. Load makes one; a zero Listen is not valid.
type Listen struct {
	// Stream is the delivery stream's name.
	Stream string
	// Address is what listeners bind to: an IP address without brackets, or a
	// host name.
	Address string
	// TLSPorts, TCPPorts and UDPPorts hold one listener each, 1 to 65535, none
	// twice. At least one of these three, of the next three and of
	// UnixSockets is not empty.
	TLSPorts, TCPPorts, UDPPorts []int
	// RELPPorts and RELPTLSPorts hold one RELP listener each, in the same way;
	// the latter are over TLS.
	RELPPorts, RELPTLSPorts []int
	// DTLSPorts hold one DTLS listener each, in the same way.
	DTLSPorts []int
	// UnixSockets are listened on, and UnixMode is who may send.
	UnixSockets []UnixSocket
	UnixMode    fs.FileMode
	UnixOwner   *Owner // nil: whoever the relay is
	// Allow says who may send, each listener once at most; see AllowedTo.
	Allow []Allowed
	// ProxyTrust holds the networks of balancers whose PROXY protocol headers
	// are believed, and ProxyPorts the ports where everybody's are.
	ProxyTrust []netip.Prefix
	ProxyPorts []int
	// MaxConnections and MaxConnectionsPerAddress are 0 if they are to follow
	// from the limit of open files.
	MaxConnections, MaxConnectionsPerAddress int
	// MaxConnectionMemory bounds, in bytes, what is held of messages that are
	// not whole yet.
	MaxConnectionMemory int64
	// RateLimit is how many messages a second are taken of one sender; 0: all.
	RateLimit int
	// IdleTimeout is how long a connection may be silent; 0: for ever.
	IdleTimeout time.Duration
	// GELF says that all listeners take GELF instead of syslog.
	GELF bool
	// KeyPairs are the files of the certificates of all listeners with TLS. They
	// are empty if there is none or if SelfSigned is set.
	KeyPairs []access.KeyPair
	// SelfSigned asks for a certificate of our own making, kept in SpoolDir.
	SelfSigned bool
	// TLSMin is the oldest version to speak, as crypto/tls numbers them.
	TLSMin uint16
	// ClientAuth says what is asked of clients over TLS, and the others who is
	// let in: see access.Options.
	ClientAuth      access.Auth
	ClientCAs, CRLs []string
	Permit          []access.Rule
	PermitFiles     []string
	// BindHostname says what becomes of messages over TLS that name a host which
	// their client's certificate does not bear. Unless it is access.Unbound there
	// is a listener with TLS, and ClientAuth is not access.None.
	BindHostname access.Binding

	// User is who the relay becomes when it has bound its ports, and who owns
	// SpoolDir; nil if it stays who it is.
	User *privilege.User
	// SpoolDir holds journal, spool and dead letters. Prepare makes it.
	SpoolDir string
	// SpoolMaxBytes limits all that is in SpoolDir. It is 0 until Prepare has
	// looked at the file system, if the option was not given.
	SpoolMaxBytes int64
	// DropOldest asks to give up the oldest messages when SpoolMaxBytes is
	// reached, instead of taking in no more.
	DropOldest bool

	// Region, Profile, EndpointURL and RoleARN are empty if the SDK's own
	// chain is to decide.
	Region, Profile, EndpointURL, RoleARN string
	// Owner is the account id for the records' owner field, 12 digits, or
	// empty if STS is to be asked.
	Owner string
	// Local is the directory that the embedded Firehose delivers into, or
	// empty if a real one is used.
	Local string

	// GroupPrefix is the first part of the log group's name, without a slash
	// at its end.
	GroupPrefix string
	// StreamName says what log streams are named after.
	StreamName Naming
	// StreamNetworkBits is how long, with ByNetwork, an IPv4 network's prefix is.
	StreamNetworkBits int
	// AddHeader says that messages without a valid header are given one.
	AddHeader bool
	// Timezone is the zone of timestamps that name none.
	Timezone *time.Location
	// Zones are the zones of senders by network, in its place; see ZoneOf.
	Zones []Zone
	// MaxPast and MaxFuture say how far from receipt a timestamp is believed;
	// 0 is no limit.
	MaxPast, MaxFuture time.Duration
	// MaxMessageBytes is where longer messages are cut.
	MaxMessageBytes int
	// Compression is the gzip level, 1 to 9, or AutoCompression.
	Compression int
	// PricePerGB is what Firehose takes for a GB, in USD; 0: nobody asked.
	PricePerGB float64

	// FlushInterval is how long a message waits before it is made into a
	// record, at the most unless the record would be mostly padding: then
	// FlushIntervalMax, which is never less.
	FlushInterval, FlushIntervalMax time.Duration
	// SyncInterval is how long a message waits, at the most, for fsync.
	SyncInterval time.Duration
	// ShutdownTimeout is how long uploads may go on after SIGTERM.
	ShutdownTimeout time.Duration

	// PrometheusPort is the loopback port of metrics and status; 0 is off.
	PrometheusPort int
	// Debug asks for more lines in the log.
	Debug bool

	// Version is that of the program, for the status page. It is not an option:
	// whoever calls Load sets it.
	Version string

	// Warnings are sentences for the log: what was decided in a way that
	// somebody may not expect.
	Warnings []string

	certs, keys  []string // for KeyPairs
	privateSpool bool     // SpoolDir is our own choice in a directory that all share
}

// Input is where configuration comes from, apart from the file that it names.
type Input struct {
	// Flags holds the values of those options that were given on the command
	// line, by the option's name or alias, in the order given.
	Flags map[string][]string
	// LookupEnv is os.LookupEnv, or a test's.
	LookupEnv func(name string) (string, bool)
}

// Load returns the effective configuration. It reads the file that --config
// names and looks whether certificates are there, but makes and opens nothing
// else. Its error holds all that is wrong, one line each, and every line says
// where (flag, variable, or file and line) and what to do.
func Load(in Input) (*Listen, error) {
	c := &Listen{}
	given, err := gather(c.options(), in)
	if err != nil {
		return nil, err
	}
	errs := apply(c.options(), given)
	if len(errs) == 0 {
		errs = c.decide(given, in)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// apply puts all values of a table where they belong, and returns what is wrong
// with them.
func apply(table []Option, given settings) (errs []error) {
	for _, o := range table {
		g, ok := given[o.Name]
		if !ok {
			if o.Default == "" {
				continue
			}
			g = setting{values: []string{o.Default}, origin: "default of " + o.Name}
		}
		if err := o.set(g.values); err != nil {
			errs = append(errs, &Error{Origin: g.origin, Err: err})
		}
	}
	return errs
}

// AdminAddress is where the admin server listens, always on loopback, or empty
// if it is switched off.
func (c *Listen) AdminAddress() string {
	if c.PrometheusPort == 0 {
		return ""
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.PrometheusPort))
}

// Error is one thing that is wrong with a setting.
type Error struct {
	Origin string // "--udp-port", "KINESYSLOG_UDP_PORT" or "relay.yaml:7: udp-port"
	Err    error
}

func (e *Error) Error() string { return e.Origin + ": " + e.Err.Error() }

// Unwrap returns what is wrong, without where.
func (e *Error) Unwrap() error { return e.Err }
