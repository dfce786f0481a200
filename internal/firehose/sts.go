package firehose

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
)

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// stsOperation is the one operation of STS that is answered.
const stsOperation = "GetCallerIdentity"

type callerIdentity struct {
	XMLName   xml.Name `xml:"GetCallerIdentityResponse"`
	Namespace string   `xml:"xmlns,attr"`
	ARN       string   `xml:"GetCallerIdentityResult>Arn"`
	UserID    string   `xml:"GetCallerIdentityResult>UserId"`
	Account   string   `xml:"GetCallerIdentityResult>Account"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

type stsError struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Namespace string   `xml:"xmlns,attr"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// serveSTS answers the query API of STS: GetCallerIdentity, so that a client
// can learn the account it writes to.
func (s *Server) serveSTS(w http.ResponseWriter, r *http.Request, body []byte) {
	form, err := url.ParseQuery(strings.TrimSpace(string(body)))
	if err != nil || !form.Has("Action") {
		form = r.URL.Query()
	}
	id := w.Header().Get("X-Amzn-Requestid")
	if form.Get("Action") != stsOperation {
		const code = "InvalidAction"
		s.counts.call("unknown", code)
		answerXML(w, http.StatusBadRequest, stsError{
			Namespace: stsNamespace, Type: "Sender", Code: code, RequestID: id,
			Message: "Could not find operation " + form.Get("Action") + " for version " + form.Get("Version"),
		})
		return
	}
	s.counts.call(stsOperation, "")
	answerXML(w, http.StatusOK, callerIdentity{
		Namespace: stsNamespace,
		ARN:       "arn:aws:iam::" + s.opts.Account + ":user/kinesyslog",
		UserID:    "AIDAKINESYSLOGEMBEDDED",
		Account:   s.opts.Account,
		RequestID: id,
	})
}

func answerXML(w http.ResponseWriter, status int, answer any) {
	body, err := xml.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
