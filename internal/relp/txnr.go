package relp

// Txnr is a transaction number. A session starts with 1 and counts up; 0 is
// kept for hints, which nobody answers.
type Txnr uint32

// MaxTxnr is the highest transaction number: numbers have at most nine digits.
const MaxTxnr Txnr = 999_999_999

// Next returns the number that follows t. 1 follows MaxTxnr, as the RELP
// specification says. (librelp's own client reaches MaxTxnr, fails, and starts
// over with 1 in a new session, so it never disagrees.)
func (t Txnr) Next() Txnr {
	if t >= MaxTxnr {
		return 1
	}
	return t + 1
}

// since returns how many numbers t is after from, counting over the wrap.
func (t Txnr) since(from Txnr) int {
	return int((uint64(MaxTxnr) + uint64(t) - uint64(from)) % uint64(MaxTxnr))
}
