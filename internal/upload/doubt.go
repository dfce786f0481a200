package upload

import "sync"

// doubt tells a poisoned record from a stream that refuses every record with
// the same error code: many records refused alone, with none accepted in
// between, are the stream's fault and not theirs.
type doubt struct {
	limit int

	mu  sync.Mutex
	row int
}

// accepted says that the stream took a record.
func (d *doubt) accepted() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.row = 0
}

// refused counts a record that was refused alone, and reports whether the
// record is to blame.
func (d *doubt) refused() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.row = min(d.row+1, d.limit+1)
	return d.row <= d.limit
}

// stream reports whether it is the stream that is doubted.
func (d *doubt) stream() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.row >= d.limit
}
