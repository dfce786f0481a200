package firehose

import (
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Stats counts what happened since New.
type Stats struct {
	Calls              map[string]uint64 `json:"calls"`              // answered without error, by operation
	Errors             map[string]uint64 `json:"errors"`             // calls answered with an error, by its code
	DroppedConnections uint64            `json:"droppedConnections"` // on request
	Records            uint64            `json:"records"`            // acknowledged, or taken before a dropped connection
	FailedRecords      uint64            `json:"failedRecords"`      // on request, in calls that did not fail as a whole
	Bytes              uint64            `json:"bytes"`              // of Records
	Objects            uint64            `json:"objects"`            // delivered
	ObjectBytes        uint64            `json:"objectBytes"`        // of Objects
	FailedObjects      uint64            `json:"failedObjects"`      // left to the next start
}

// counts keeps Stats. Its keys are bounded: operations and error codes are
// those of this package, never what a client sends.
type counts struct {
	mu sync.Mutex
	Stats
}

func (c *counts) init() {
	c.Calls = map[string]uint64{}
	c.Errors = map[string]uint64{}
}

// call counts an answer. code is empty if the call succeeded.
func (c *counts) call(operation, code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if code == "" {
		c.Calls[operation]++
	} else {
		c.Errors[code]++
	}
}

func (c *counts) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.DroppedConnections++
}

func (c *counts) put(taken, failed int, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Records += uint64(taken)
	c.FailedRecords += uint64(failed)
	c.Bytes += uint64(bytes)
}

func (c *counts) object(o Object, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.FailedObjects++
		return
	}
	c.Objects++
	c.ObjectBytes += uint64(o.Bytes)
}

// Stats returns what happened so far.
func (s *Server) Stats() Stats {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	st := s.counts.Stats
	st.Calls, st.Errors = maps.Clone(st.Calls), maps.Clone(st.Errors)
	return st
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("kinesyslog_embedded_firehose_"+name, help, labels, nil)
}

var (
	descCalls         = describe("calls_total", "Calls answered without an error.", "operation")
	descErrors        = describe("errors_total", "Calls answered with an error.", "code")
	descDropped       = describe("dropped_connections_total", "Connections reset on request.")
	descRecords       = describe("records_total", "Records taken.")
	descFailedRecords = describe("failed_records_total", "Records refused on request.")
	descBytes         = describe("record_bytes_total", "Bytes of records taken.")
	descObjects       = describe("objects_total", "Objects delivered.")
	descObjectBytes   = describe("object_bytes_total", "Bytes of objects delivered.")
	descFailedObjects = describe("failed_objects_total", "Objects left to the next start because they could not be delivered.")
)

// collector gives Stats to Prometheus.
type collector struct{ server *Server }

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descCalls, descErrors, descDropped, descRecords, descFailedRecords,
		descBytes, descObjects, descObjectBytes, descFailedObjects,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	st := c.server.Stats()
	for _, operation := range slices.Sorted(maps.Keys(st.Calls)) {
		counter(descCalls, st.Calls[operation], operation)
	}
	for _, code := range slices.Sorted(maps.Keys(st.Errors)) {
		counter(descErrors, st.Errors[code], code)
	}
	counter(descDropped, st.DroppedConnections)
	counter(descRecords, st.Records)
	counter(descFailedRecords, st.FailedRecords)
	counter(descBytes, st.Bytes)
	counter(descObjects, st.Objects)
	counter(descObjectBytes, st.ObjectBytes)
	counter(descFailedObjects, st.FailedObjects)
}
