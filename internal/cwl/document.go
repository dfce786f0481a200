package cwl

// Document is a CloudWatch Logs subscription document as any producer may have
// made it. Keys that are not here are passed over.
type Document struct {
	MessageType         string   `json:"messageType"` // DATA_MESSAGE or CONTROL_MESSAGE
	Owner               string   `json:"owner"`       // AWS account id
	LogGroup            string   `json:"logGroup"`
	LogStream           string   `json:"logStream"`
	SubscriptionFilters []string `json:"subscriptionFilters"`
	LogEvents           []Event  `json:"logEvents"`
}

// Event is one log event of a Document.
type Event struct {
	ID        string `json:"id"`
	Timestamp int64  `json:"timestamp"` // milliseconds since 1970, UTC
	Message   string `json:"message"`
}
