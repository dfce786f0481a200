package firehose

import (
	"fmt"
	"time"
)

// Limits of PutRecord and PutRecordBatch, in bytes before base64. AWS says
// "1,000 KB" and "4 MB" and means these.
const (
	maxRecordBytes  = 1_024_000
	maxBatchBytes   = 4 << 20
	maxBatchRecords = 500
)

type record struct {
	Data []byte // nil if the member is missing
}

type putRecordRequest struct {
	DeliveryStreamName *string
	Record             *record
}

type putRecordResponse struct {
	Encrypted bool
	RecordID  string `json:"RecordId"`
}

type putRecordBatchRequest struct {
	DeliveryStreamName *string
	Records            []*record
}

type putRecordBatchResponse struct {
	Encrypted        bool
	FailedPutCount   int
	RequestResponses []putRecordBatchEntry
}

// putRecordBatchEntry has either a RecordID, or the two others.
type putRecordBatchEntry struct {
	RecordID     string `json:"RecordId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

func (s *Server) putRecord(body []byte) (any, error) {
	request, err := parse[putRecordRequest](body)
	if err != nil {
		return nil, err
	}
	var v validation
	v.streamName("deliveryStreamName", request.DeliveryStreamName)
	if request.Record == nil {
		v.missing("record")
	} else {
		v.data("record.data", request.Record.Data)
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	entries, err := s.put(*request.DeliveryStreamName, [][]byte{request.Record.Data})
	if err != nil {
		return nil, err
	}
	if entries[0].ErrorCode != "" {
		return nil, errSlowDown
	}
	return putRecordResponse{RecordID: entries[0].RecordID}, nil
}

func (s *Server) putRecordBatch(body []byte) (any, error) {
	request, err := parse[putRecordBatchRequest](body)
	if err != nil {
		return nil, err
	}
	var v validation
	v.streamName("deliveryStreamName", request.DeliveryStreamName)
	switch n := len(request.Records); {
	case request.Records == nil:
		v.missing("records")
	case n == 0:
		v.violated("records", "[]", "have length greater than or equal to 1")
	case n > maxBatchRecords:
		v.violated("records", fmt.Sprintf("[%d records]", n), "have length less than or equal to %d", maxBatchRecords)
		return nil, v.err()
	}
	size := 0
	datas := make([][]byte, len(request.Records))
	for i, r := range request.Records {
		if r == nil {
			v.missing(fmt.Sprintf("records.%d.member", i+1))
			continue
		}
		if r.Data == nil || len(r.Data) > maxRecordBytes {
			v.data(fmt.Sprintf("records.%d.member.data", i+1), r.Data)
		}
		datas[i] = r.Data
		size += len(r.Data)
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	if size > maxBatchBytes {
		return nil, errRecordsSize
	}
	entries, err := s.put(*request.DeliveryStreamName, datas)
	if err != nil {
		return nil, err
	}
	response := putRecordBatchResponse{RequestResponses: entries}
	for _, e := range entries {
		if e.ErrorCode != "" {
			response.FailedPutCount++
		}
	}
	return response, nil
}

// put takes the records of one call, apart from those that are to fail on
// request. What it answers with a RecordID survives a kill of the process.
func (s *Server) put(name string, datas [][]byte) ([]putRecordBatchEntry, error) {
	st, err := s.lookup(name)
	if err != nil {
		return nil, err
	}
	fate := s.faults.call()
	if fate == failCall {
		return nil, errSlowDown
	}
	if fate == dropUntaken {
		return nil, errDropConnection
	}
	now := time.Now()
	entries := make([]putRecordBatchEntry, len(datas))
	taken := make([][]byte, 0, len(datas))
	var bytes int64
	for i, data := range datas {
		if !s.faults.record(len(data), now) {
			entries[i] = putRecordBatchEntry{ErrorCode: errSlowDown.code, ErrorMessage: errSlowDown.message}
			continue
		}
		entries[i].RecordID = newUUID()
		taken = append(taken, data)
		bytes += int64(len(data))
	}
	if err := s.take(st, taken, bytes, now); err != nil {
		return nil, err
	}
	s.counts.put(len(taken), len(datas)-len(taken), bytes)
	if fate == dropTaken {
		return nil, errDropConnection
	}
	return entries, nil
}
