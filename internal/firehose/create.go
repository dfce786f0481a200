package firehose

type bufferingHints struct {
	SizeInMBs         *int `json:",omitempty"`
	IntervalInSeconds *int `json:",omitempty"`
}

// s3Configuration is what is kept of an S3 destination.
type s3Configuration struct {
	RoleARN, BucketARN *string
	BufferingHints     bufferingHints
}

func (c *s3Configuration) validate(v *validation, member string) {
	v.text(member+".roleARN", c.RoleARN, 512, rolePattern)
	v.text(member+".bucketARN", c.BucketARN, 2048, bucketPattern)
	v.number(member+".bufferingHints.sizeInMBs", c.BufferingHints.SizeInMBs, 1, 128)
	v.number(member+".bufferingHints.intervalInSeconds", c.BufferingHints.IntervalInSeconds, 0, 900)
}

type createRequest struct {
	DeliveryStreamName                                 *string
	DeliveryStreamType                                 *string
	S3DestinationConfiguration                         *s3Configuration
	ExtendedS3DestinationConfiguration                 *s3Configuration
	RedshiftDestinationConfiguration                   *struct{}
	ElasticsearchDestinationConfiguration              *struct{}
	AmazonopensearchserviceDestinationConfiguration    *struct{}
	AmazonOpenSearchServerlessDestinationConfiguration *struct{}
	SplunkDestinationConfiguration                     *struct{}
	HTTPEndpointDestinationConfiguration               *struct{} `json:"HttpEndpointDestinationConfiguration"`
	SnowflakeDestinationConfiguration                  *struct{}
	IcebergDestinationConfiguration                    *struct{}
}

// elsewhere counts the destinations that are not S3.
func (r *createRequest) elsewhere() (n int) {
	for _, d := range []*struct{}{
		r.RedshiftDestinationConfiguration, r.ElasticsearchDestinationConfiguration,
		r.AmazonopensearchserviceDestinationConfiguration, r.AmazonOpenSearchServerlessDestinationConfiguration,
		r.SplunkDestinationConfiguration, r.HTTPEndpointDestinationConfiguration,
		r.SnowflakeDestinationConfiguration, r.IcebergDestinationConfiguration,
	} {
		if d != nil {
			n++
		}
	}
	return n
}

type createResponse struct{ DeliveryStreamARN string }

func (s *Server) createDeliveryStream(body []byte) (any, error) {
	request, err := parse[createRequest](body)
	if err != nil {
		return nil, err
	}
	var v validation
	v.streamName("deliveryStreamName", request.DeliveryStreamName)
	v.oneOf("deliveryStreamType", request.DeliveryStreamType, streamTypes)
	destination, extended := request.S3DestinationConfiguration, request.ExtendedS3DestinationConfiguration
	if destination != nil {
		destination.validate(&v, "s3DestinationConfiguration")
	}
	if extended != nil {
		extended.validate(&v, "extendedS3DestinationConfiguration")
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	n := request.elsewhere()
	switch {
	case destination != nil && extended != nil, n > 1, n == 1 && (destination != nil || extended != nil):
		return nil, errDestinations
	case n == 1:
		return nil, invalidArgument("The embedded Firehose delivers to a directory as if it were S3. Use ExtendedS3DestinationConfiguration.")
	case request.DeliveryStreamType != nil && *request.DeliveryStreamType != streamTypes[0]:
		return nil, invalidArgument("The embedded Firehose takes records by PutRecord and PutRecordBatch only. Use the type DirectPut.")
	case extended != nil:
		destination = extended
	}
	st, err := s.create(*request.DeliveryStreamName, definition{Destination: destination})
	if err != nil {
		return nil, err
	}
	return createResponse{s.arn(st.name)}, nil
}

func (s *Server) arn(name string) string {
	return "arn:aws:firehose:" + s.opts.Region + ":" + s.opts.Account + ":deliverystream/" + name
}
