//go:build !amd64

package deflate

func best2(w *window, pos int, b, b1 uint64) (k, k1 int) { return best2Go(w, pos, b, b1) }
