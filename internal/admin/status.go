package admin

import (
	"time"

	"kinesyslog/internal/ledger"
)

// Status is what the relay says of itself, beside the ledger.
type Status struct {
	Stream    string
	Region    string // empty if it is not known
	Listeners []Listener
	Spool     Spool
	Upload    Upload
	Bill      Bill
	// Compression is how records are made now.
	Compression Compression
}

// Compression is the gzip level of the records that are made now.
type Compression struct {
	Level int  `json:"level"`
	Auto  bool `json:"auto"` // it follows the load of the processors
}

// Listener is one socket that messages come in by.
type Listener struct {
	Name        string // as in the ledger: "tls/6514"
	Network     string // "udp", "tcp" or "tls"
	Address     string // what it is bound to
	Fingerprint string // of its certificate; empty without TLS
}

// Spool is what is on disk: journal, records and dead letters.
type Spool struct {
	Dir         string    `json:"directory"`
	Bytes       int64     `json:"bytes"`
	MaxBytes    int64     `json:"max_bytes"` // 0: no limit
	Records     int       `json:"records"`   // waiting to be delivered
	DeadLetters int       `json:"dead_letters"`
	Oldest      time.Time `json:"oldest,omitzero"` // when the oldest record was made; zero if none waits
}

// Upload is how delivery goes.
type Upload struct {
	State        string    `json:"state"`            // a word: "delivering", "retrying", "idle"
	Reason       string    `json:"reason,omitempty"` // why it does not go well
	InFlight     int       `json:"in_flight"`        // calls under way
	LastDelivery time.Time `json:"last_delivery,omitzero"`
}

// report is /status.json, and what the page is made of.
type report struct {
	readiness
	Version       string    `json:"version"`
	Started       time.Time `json:"started"`
	UptimeSeconds int64     `json:"uptime_seconds"`
	Stream        string    `json:"stream"`
	Region        string    `json:"region,omitempty"`
	Listeners     []Account `json:"listeners"`
	Spool         Spool     `json:"spool"`
	Upload        Upload    `json:"upload"`
	Bill          Bill      `json:"bill"`

	Compression Compression `json:"compression"`

	now time.Time
}

// Account is a listener with its books.
type Account struct {
	Name          string            `json:"name"`
	Network       string            `json:"network,omitempty"`
	Address       string            `json:"address,omitempty"` // empty: left over from an earlier configuration
	Fingerprint   string            `json:"fingerprint,omitempty"`
	Received      uint64            `json:"received"`
	ReceivedBytes uint64            `json:"received_bytes"`
	Recovered     uint64            `json:"recovered"`
	Delivered     uint64            `json:"delivered"`
	Held          map[string]uint64 `json:"held"`
	Dropped       map[string]uint64 `json:"dropped"`
	Difference    int64             `json:"difference"`
}

// report joins listeners with their books: first those that listen, in their
// order, then those that only the ledger knows.
func (s *Server) report(now time.Time) report {
	st := s.opts.Status()
	r := report{
		readiness:     s.readiness(),
		Version:       s.opts.Version,
		Started:       s.started,
		UptimeSeconds: int64(now.Sub(s.started) / time.Second),
		Stream:        st.Stream,
		Region:        st.Region,
		Listeners:     make([]Account, 0, len(st.Listeners)),
		Spool:         st.Spool,
		Upload:        st.Upload,
		Bill:          st.Bill,
		Compression:   st.Compression,
		now:           now,
	}
	r.Bill.CostPerRawGB = r.Bill.Cost()
	balances := map[string]ledger.Balance{}
	snapshot := s.opts.Ledger.Snapshot()
	for _, b := range snapshot {
		balances[b.Listener] = b
	}
	for _, l := range st.Listeners {
		r.Listeners = append(r.Listeners, newAccount(l, balances[l.Name]))
		delete(balances, l.Name)
	}
	for _, b := range snapshot {
		if _, left := balances[b.Listener]; left {
			r.Listeners = append(r.Listeners, newAccount(Listener{Name: b.Listener}, b))
		}
	}
	return r
}

func newAccount(l Listener, b ledger.Balance) Account {
	a := Account{
		Name: l.Name, Network: l.Network, Address: l.Address, Fingerprint: l.Fingerprint,
		Received: b.Received, ReceivedBytes: b.ReceivedBytes, Recovered: b.Recovered, Delivered: b.Delivered,
		Held: map[string]uint64{}, Dropped: map[string]uint64{}, Difference: b.Difference(),
	}
	for place, n := range b.Held {
		a.Held[ledger.Place(place).String()] = n
	}
	for reason, n := range b.Dropped {
		a.Dropped[reason] = n
	}
	return a
}
