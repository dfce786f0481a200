package firehose

import (
	"maps"
	"slices"
	"time"
)

type describeRequest struct {
	DeliveryStreamName          *string
	Limit                       *int
	ExclusiveStartDestinationID *string `json:"ExclusiveStartDestinationId"`
}

type describeResponse struct{ DeliveryStreamDescription streamDescription }

type streamDescription struct {
	DeliveryStreamName   string
	DeliveryStreamARN    string
	DeliveryStreamStatus string
	DeliveryStreamType   string
	VersionID            string `json:"VersionId"`
	CreateTimestamp      epoch
	LastUpdateTimestamp  epoch
	Destinations         []destinationDescription
	HasMoreDestinations  bool
}

type destinationDescription struct {
	DestinationID                    string `json:"DestinationId"`
	S3DestinationDescription         s3Description
	ExtendedS3DestinationDescription extendedDescription
}

type s3Description struct {
	RoleARN, BucketARN       string
	BufferingHints           bufferingHints
	CompressionFormat        string
	EncryptionConfiguration  struct{ NoEncryptionConfig string }
	CloudWatchLoggingOptions struct{ Enabled bool }
}

type extendedDescription struct {
	s3Description
	S3BackupMode string
}

const destinationID = "destinationId-000000000001"

func (s *Server) describeDeliveryStream(body []byte) (any, error) {
	request, err := parse[describeRequest](body)
	if err != nil {
		return nil, err
	}
	var v validation
	v.streamName("deliveryStreamName", request.DeliveryStreamName)
	v.number("limit", request.Limit, 1, 10000)
	if err := v.err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	st := s.streams[*request.DeliveryStreamName]
	s.mu.RUnlock()
	if st == nil {
		return nil, s.errNotFound(*request.DeliveryStreamName)
	}
	d := streamDescription{
		DeliveryStreamName:   st.name,
		DeliveryStreamARN:    s.arn(st.name),
		DeliveryStreamStatus: "ACTIVE",
		DeliveryStreamType:   streamTypes[0],
		VersionID:            "1",
		CreateTimestamp:      epoch(st.Created),
		LastUpdateTimestamp:  epoch(st.Created),
		Destinations:         []destinationDescription{},
	}
	// There is one destination: after it there is none.
	if start := request.ExclusiveStartDestinationID; start == nil || *start < destinationID {
		d.Destinations = append(d.Destinations, s.destination(st))
	}
	return describeResponse{d}, nil
}

// destination describes where a stream delivers to, in terms of S3.
func (s *Server) destination(st *stream) destinationDescription {
	// The API counts in whole MiB and seconds; fractions are rounded up.
	size := int((st.bufferBytes + 1<<20 - 1) >> 20)
	interval := int((st.bufferInterval + time.Second - 1) / time.Second)
	d := s3Description{
		RoleARN:           "arn:aws:iam::" + s.opts.Account + ":role/kinesyslog",
		BucketARN:         "arn:aws:s3:::kinesyslog",
		BufferingHints:    bufferingHints{SizeInMBs: &size, IntervalInSeconds: &interval},
		CompressionFormat: "UNCOMPRESSED",
	}
	d.EncryptionConfiguration.NoEncryptionConfig = "NoEncryption"
	if st.Destination != nil {
		d.RoleARN, d.BucketARN = *st.Destination.RoleARN, *st.Destination.BucketARN
	}
	return destinationDescription{
		DestinationID:                    destinationID,
		S3DestinationDescription:         d,
		ExtendedS3DestinationDescription: extendedDescription{s3Description: d, S3BackupMode: "Disabled"},
	}
}

type listRequest struct {
	Limit                            *int
	DeliveryStreamType               *string
	ExclusiveStartDeliveryStreamName *string
}

type listResponse struct {
	DeliveryStreamNames    []string
	HasMoreDeliveryStreams bool
}

func (s *Server) listDeliveryStreams(body []byte) (any, error) {
	request, err := parse[listRequest](body)
	if err != nil {
		return nil, err
	}
	var v validation
	v.number("limit", request.Limit, 1, 10000)
	v.oneOf("deliveryStreamType", request.DeliveryStreamType, streamTypes)
	if request.ExclusiveStartDeliveryStreamName != nil {
		v.streamName("exclusiveStartDeliveryStreamName", request.ExclusiveStartDeliveryStreamName)
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	response := listResponse{DeliveryStreamNames: []string{}}
	if t := request.DeliveryStreamType; t != nil && *t != streamTypes[0] {
		return response, nil
	}
	limit := 10 // the service's default
	if request.Limit != nil {
		limit = *request.Limit
	}
	s.mu.RLock()
	names := slices.Sorted(maps.Keys(s.streams))
	s.mu.RUnlock()
	if start := request.ExclusiveStartDeliveryStreamName; start != nil {
		at, found := slices.BinarySearch(names, *start)
		if found {
			at++
		}
		names = names[at:]
	}
	response.DeliveryStreamNames = append(response.DeliveryStreamNames, names[:min(limit, len(names))]...)
	response.HasMoreDeliveryStreams = len(names) > limit
	return response, nil
}

type deleteRequest struct{ DeliveryStreamName *string }

func (s *Server) deleteDeliveryStream(body []byte) (any, error) {
	request, err := parse[deleteRequest](body)
	if err != nil {
		return nil, err
	}
	var v validation
	v.streamName("deliveryStreamName", request.DeliveryStreamName)
	if err := v.err(); err != nil {
		return nil, err
	}
	return struct{}{}, s.remove(*request.DeliveryStreamName)
}
