package listen

import "runtime"

// lender lends large pieces of memory to connections that have something to be
// read, for as long as it takes to put that into the journal. So a thousand
// busy connections are read in pieces as large as a single one, in the memory
// of a few. Its methods may be called at the same time.
type lender struct {
	size int
	free chan []byte // nil where a piece was never needed
}

// newLender returns a lender of pieces in which need bytes leave at least as
// much space again.
func newLender(need int) *lender {
	// Readers run on all processors, and some wait for a write to the journal.
	l := &lender{size: max(maxBuffer, powerOfTwo(2*need)), free: make(chan []byte, 4*runtime.GOMAXPROCS(0))}
	for range cap(l.free) {
		l.free <- nil
	}
	return l
}

// take returns a piece, to be given back. It waits for one while all are lent:
// those who have them wait for the journal, which has room for nobody then.
func (l *lender) take() []byte {
	if b := <-l.free; b != nil {
		return b
	}
	return make([]byte, l.size)
}

func (l *lender) giveBack(b []byte) { l.free <- b }
