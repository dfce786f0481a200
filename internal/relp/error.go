package relp

import (
	"errors"
	"fmt"
)

// Reason says in one word why a session ended. It is fit for a metrics label.
type Reason string

// Reasons of a ProtocolError.
const (
	BadFrame   Reason = "relp_frame"   // not a RELP frame, or a damaged one
	BadTxnr    Reason = "relp_txnr"    // a transaction number out of turn
	BadCommand Reason = "relp_command" // unknown, or not allowed at this point
	BadOffer   Reason = "relp_offer"   // client and server cannot agree
	BadReply   Reason = "relp_reply"   // a response that cannot be read
)

// ProtocolError ends a session: RELP knows no way to go on after an error, the
// client connects again and sends once more what was not acknowledged.
type ProtocolError struct {
	Reason Reason
	Detail string
}

func (e *ProtocolError) Error() string { return "relp: " + e.Detail }

func protocolErrorf(reason Reason, format string, args ...any) *ProtocolError {
	return &ProtocolError{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// ErrNotOutstanding says that a number was acknowledged which no message that
// waits for its acknowledgement bears. It is a fault of the caller.
var ErrNotOutstanding = errors.New("relp: acknowledged transaction is not outstanding")
