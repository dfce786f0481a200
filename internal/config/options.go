package config

import "strings"

// Option is one line of the table. Whoever binds it to a command line needs
// nothing but its exported fields.
type Option struct {
	// Name is the flag without dashes, and the key in the file.
	Name string
	// Alias is another name for the same, or empty.
	Alias string
	// Arg names the value in help; empty for a switch, which is true when
	// given without a value.
	Arg string
	// Default is the value if none is given; empty if it depends.
	Default string
	// Depends says what the default is where Default is empty, and what else
	// there is to say of it; it goes in brackets behind Help.
	Depends string
	// Help is what the option does.
	Help string
	// Repeat says that all values count; otherwise the last does.
	Repeat bool

	set func(values []string) error
}

// configOption names the file; it cannot be set in the file itself.
const configOption = "config"

// Env is the variable that holds the option in the environment.
func (o *Option) Env() string { return envName(o.Name) }

func envName(name string) string {
	return "KINESYSLOG_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// names returns the option's name and its alias, if it has one.
func (o *Option) names() []string {
	if o.Alias == "" {
		return []string{o.Name}
	}
	return []string{o.Name, o.Alias}
}

// Options returns the table for help and for binding flags.
func Options() []Option { return new(Listen).options() }

// options is the table. A new option is a line here and a field in Listen.
func (c *Listen) options() []Option {
	var file string // read by gather, before all others
	return []Option{
		{Name: "stream", Arg: "NAME", Depends: "required; kinesyslog with --local", Help: "delivery stream to put records into", set: streamName(&c.Stream)},
		{Name: "address", Arg: "ADDRESS", Default: "0.0.0.0", Help: "address to listen on (:: for IPv6 and IPv4)", set: address(&c.Address)},
		{Name: "port", Alias: "tls-port", Arg: "PORT", Default: "6514", Repeat: true, Help: "port for syslog over TLS; 0 for none", set: ports(&c.TLSPorts)},
		{Name: "cert", Arg: "FILE", Default: "localhost.crt", Repeat: true, Help: "TLS certificate, PEM, with its chain; several for several host names", set: files(&c.certs)},
		{Name: "key", Arg: "FILE", Default: "localhost.key", Repeat: true, Help: "TLS private key, PEM; one for each --cert", set: files(&c.keys)},
		{Name: "tls-min", Arg: "VERSION", Default: "1.2", Help: "oldest version of TLS to speak, 1.2 or 1.3", set: tlsVersion(&c.TLSMin)},
		{Name: "client-ca", Arg: "FILE", Repeat: true, Help: "authorities that vouch for clients over TLS, PEM", set: files(&c.ClientCAs)},
		{Name: "client-auth", Arg: "WHAT", Depends: "default: require with --client-ca or --permit, else none", Help: "certificates of clients over TLS: none, request or require", set: clientAuth(&c.ClientAuth)},
		{Name: "permit", Arg: "RULE", Depends: "default: all that --client-ca vouches for", Repeat: true, Help: "who may send over TLS: sha-256:AA:BB:…, a host name, *.example.com, an IP address, cn:NAME, or @FILE with one a line", set: c.permit},
		{Name: "crl", Arg: "FILE", Repeat: true, Help: "certificates that --client-ca has revoked, PEM or DER", set: files(&c.CRLs)},
		{Name: "bind-hostname", Arg: "WHAT", Default: "off", Help: "what becomes of messages over TLS that name a host which their client's certificate does not bear: note (delivered, into a log stream that says so), refuse (dropped and counted) or off (nobody looks)", set: binding(&c.BindHostname)},
		{Name: "tcp-port", Arg: "PORT", Default: "0", Repeat: true, Help: "port for syslog over TCP; 0 for none", set: ports(&c.TCPPorts)},
		{Name: "udp-port", Arg: "PORT", Default: "0", Repeat: true, Help: "port for syslog over UDP; 0 for none", set: ports(&c.UDPPorts)},
		{Name: "relp-port", Arg: "PORT", Default: "0", Repeat: true, Help: "port for syslog over RELP, which acknowledges what is on disk; 0 for none", set: ports(&c.RELPPorts)},
		{Name: "relp-tls-port", Arg: "PORT", Default: "0", Repeat: true, Help: "port for syslog over RELP and TLS, with --cert and --key; 0 for none", set: ports(&c.RELPTLSPorts)},
		{Name: "dtls-port", Arg: "PORT", Default: "0", Repeat: true, Help: "port for syslog over DTLS 1.2, with --cert and --key; 0 for none", set: ports(&c.DTLSPorts)},
		{Name: "unix", Arg: "PATH", Repeat: true, Help: "Unix socket for syslog in datagrams, like /dev/log; stream:PATH for a stream", set: unixSockets(&c.UnixSockets)},
		{Name: "unix-mode", Arg: "MODE", Default: "0666", Help: "permissions of --unix sockets: who may send", set: mode(&c.UnixMode)},
		{Name: "unix-owner", Arg: "USER[:GROUP]", Depends: "default: whoever the relay is", Help: "who owns --unix sockets; root only", set: owner(&c.UnixOwner)},
		{Name: "allow", Arg: "[LISTENER=]NETWORK", Depends: "default: everybody", Repeat: true, Help: "who may send, like 192.0.2.0/24 or 2001:db8::/32, or @FILE with one a line; udp/514=NETWORK is for that listener, in place of those for all; behind a balancer that is the client", set: c.allow},
		{Name: "proxy-trust", Arg: "NETWORK", Repeat: true, Help: "balancers whose PROXY protocol headers (1 and 2) are believed; their connections must begin with one", set: networks(&c.ProxyTrust)},
		{Name: "proxy-protocol", Arg: "PORT", Default: "0", Repeat: true, Help: "port on which the PROXY protocol headers of anybody are believed, so that anybody can name any sender; better give --proxy-trust", set: ports(&c.ProxyPorts)},
		{Name: "max-connections", Arg: "NUMBER", Depends: "default: 16384, or less if the limit of open files is low", Help: "connections that may be open at the same time, over all listeners", set: integer(&c.MaxConnections, 0, 1<<20)},
		{Name: "max-connections-per-address", Arg: "NUMBER", Depends: "default: three quarters of --max-connections", Help: "connections that one sender may have open", set: integer(&c.MaxConnectionsPerAddress, 0, 1<<20)},
		{Name: "max-connection-memory", Arg: "SIZE", Default: "256M", Help: "memory for what connections have sent of messages that are not whole yet", set: size(&c.MaxConnectionMemory, 1<<20, maxSize)},
		{Name: "rate-limit", Arg: "NUMBER", Default: "0", Help: "messages a second that are taken of one sender, 0 for all; what is more is dropped and counted on UDP and Unix datagram sockets, where a user is a sender, and waits on connections", set: integer(&c.RateLimit, 0, 100_000_000)},
		{Name: "idle-timeout", Arg: "TIME", Default: "0s", Help: "close connections on which nothing came for this long; 0s for none", set: duration(&c.IdleTimeout, 0, maxIdle)},
		{Name: "gelf", Default: "false", Help: "all listeners take GELF instead of syslog; GELF is recognised on ports for syslog, too", set: boolean(&c.GELF)},
		{Name: "user", Arg: "NAME", Help: "be this user once all ports are bound and files are read; start as root", set: runAs(&c.User)},
		{Name: "spool-dir", Arg: "DIRECTORY", Depends: "default: $STATE_DIRECTORY, else a private one among temporary files", Help: "where messages wait until Firehose has them", set: text(&c.SpoolDir)},
		{Name: "spool-max-bytes", Arg: "SIZE", Depends: "default: 80 % of what is free, at least 1 GiB if there is", Help: "limit for all in --spool-dir, like 512M or 10GiB; MB and GB count in 1000", set: size(&c.SpoolMaxBytes, minSpoolBytes, maxSpoolBytes)},
		{Name: "when-full", Arg: "WHAT", Default: "block", Help: "what gives way when --spool-max-bytes is reached: block makes TCP wait and drops UDP, drop-oldest drops what waits longest", set: choice(&c.DropOldest, "block", "drop-oldest")},
		{Name: "local", Arg: "DIRECTORY", Help: "deliver into this directory through an embedded Firehose; no AWS account is needed", set: text(&c.Local)},
		{Name: "region", Arg: "NAME", Depends: "default: what the SDK finds", Help: "AWS region", set: text(&c.Region)},
		{Name: "profile", Arg: "NAME", Depends: "default: what the SDK finds", Help: "profile in AWS's configuration files", set: text(&c.Profile)},
		{Name: "role-arn", Arg: "ARN", Help: "IAM role to assume", set: roleARN(&c.RoleARN)},
		{Name: "endpoint-url", Arg: "URL", Depends: "default: AWS's", Help: "address of the Firehose API", set: endpoint(&c.EndpointURL)},
		{Name: "owner", Arg: "ACCOUNT", Depends: "default: what STS says, 000000000000 until it does", Help: "account id for the records' owner field", set: account(&c.Owner)},
		{Name: "group-prefix", Arg: "TEXT", Default: "/kinesyslog", Help: "first part of log group names", set: groupPrefix(&c.GroupPrefix)},
		{Name: "stream-name", Arg: "WHAT", Default: "address", Help: "what log streams are named after: the sender's address, the hostname in the message, or the certificate of a client over TLS; the address where there is none. endpoint puts the id of an AWS VPC endpoint in front of the address, as a balancer of --proxy-trust tells it. network/24 (a network of senders) and listener make fewer, fuller records of many quiet senders", set: c.naming},
		{Name: "add-header", Default: "true", Help: "give messages without a valid header one (RFC 3164 section 4.3.3); =false delivers them bare", set: boolean(&c.AddHeader)},
		{Name: "timezone", Arg: "ZONE", Default: "local", Help: "zone of timestamps that name none, like Europe/Oslo", set: timezone(&c.Timezone)},
		{Name: "timezone-for", Arg: "CIDR=ZONE", Repeat: true, Help: "zone of timestamps from senders in a network, like 10.1.0.0/16=Europe/Oslo; the smallest network counts", set: zones(&c.Zones)},
		{Name: "max-skew", Arg: "PAST,FUTURE", Default: "30d,1d", Help: "how far from receipt a timestamp is believed; 0 is any distance, one value is for both", set: skew(&c.MaxPast, &c.MaxFuture)},
		{Name: "max-message-bytes", Arg: "SIZE", Default: "65536", Help: "cut messages longer than this (480 to 262144)", set: size(&c.MaxMessageBytes, 480, 262144)},
		{Name: "compression", Arg: "LEVEL", Default: "6", Help: "gzip level, 1 (fast) to 9 (small); auto spends idle processors on smaller records, and takes less trouble when there are none", set: compression(&c.Compression)},
		{Name: "price-per-gb", Arg: "USD", Default: "0.029", Help: "what Firehose takes for a GB, for the bill in status, check and the log (0.029 is us-east-1's up to 500 TB a month; yours may differ); 0 for none", set: price(&c.PricePerGB)},
		{Name: "flush-interval", Arg: "TIME", Default: defaultFlush, Depends: "3s with --local", Help: "make records of what came in this time", set: duration(&c.FlushInterval, minFlush, maxFlush)},
		{Name: "flush-interval-max", Arg: "TIME", Depends: "default: --flush-interval", Help: "wait up to this long where records would be mostly padding, which Firehose bills: for quiet senders", set: duration(&c.FlushIntervalMax, minFlush, maxFlushMax)},
		{Name: "sync-interval", Arg: "TIME", Default: "1s", Help: "what came in this time may be lost with power", set: duration(&c.SyncInterval, minSync, maxSync)},
		{Name: "shutdown-timeout", Arg: "TIME", Default: "30s", Help: "go on delivering this long after SIGTERM; the rest stays in the spool", set: duration(&c.ShutdownTimeout, 0, maxShutdown)},
		{Name: "prometheus-port", Arg: "PORT", Default: "0", Help: "loopback port for /metrics, /healthz, /readyz and a status page; 0 for none", set: integer(&c.PrometheusPort, 0, 65535)},
		{Name: configOption, Arg: "FILE", Help: "read options from a YAML file; keys are the options' names", set: text(&file)},
		{Name: "debug", Default: "false", Help: "log more", set: boolean(&c.Debug)},
	}
}
