package relp

import (
	"bytes"
	"strconv"
)

// maxVersion is the newest protocol version. 0, "experimental" in the
// specification, is what librelp speaks to this day; they do not differ in
// anything that is used here.
const maxVersion = 1

// offers is what one side can do, as far as it matters to the other.
type offers struct {
	version int // the highest offered that is known here
	syslog  bool
}

// parseOffers reads lines of NAME[=VALUE[,VALUE]...]. Names that are not known
// are passed over, as the specification wants.
func parseOffers(data []byte) (offers, error) {
	var o offers
	for line := range bytes.SplitSeq(data, []byte{'\n'}) {
		name, values, _ := bytes.Cut(line, []byte{'='})
		switch string(name) {
		case "relp_version":
			v, err := parseVersion(values)
			if err != nil {
				return o, err
			}
			o.version = v
		case "commands":
			for v := range bytes.SplitSeq(values, []byte{','}) {
				o.syslog = o.syslog || string(v) == "syslog"
			}
		}
	}
	if !o.syslog {
		return o, protocolErrorf(BadOffer, "required command syslog not supported by client")
	}
	return o, nil
}

// parseVersion returns the highest of the offered versions, but no higher than
// what is spoken here.
func parseVersion(values []byte) (int, error) {
	best := 0
	for v := range bytes.SplitSeq(values, []byte{','}) {
		n, digits := parseNumber(v)
		if digits == 0 || digits != len(v) {
			return 0, protocolErrorf(BadOffer, "relp_version %.20q is not a number", v)
		}
		best = max(best, min(n, maxVersion))
	}
	return best, nil
}

// offerText is the data of an open frame and of the answer to it, in librelp's
// order.
func offerText(version int, software string) string {
	return "relp_version=" + strconv.Itoa(version) + "\nrelp_software=" + software + "\ncommands=syslog"
}
