package deflate

// best2 is best2Go with the comparisons of SSE2, which every amd64 processor
// has: sixteen bytes in three instructions in place of ten. It reads memory
// unchecked, from pos-32768 to pos+17, so pos is at least before and at most a
// few bytes behind the window's end.
//
//go:noescape
func best2(w *window, pos int, b, b1 uint64) (k, k1 int)
