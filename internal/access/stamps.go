package access

import (
	"os"
	"slices"
)

// stamps tell whether files have changed since: nil stands for one that cannot
// be looked at.
type stamps []os.FileInfo

func stampsOf(files []string) stamps {
	out := make(stamps, len(files))
	for i, file := range files {
		if info, err := os.Stat(file); err == nil {
			out[i] = info
		}
	}
	return out
}

// equal looks at which files they are, their sizes and times. It follows
// symbolic links, so that a link that points elsewhere is a change.
func (s stamps) equal(other stamps) bool {
	return slices.EqualFunc(s, other, func(a, b os.FileInfo) bool {
		if a == nil || b == nil {
			return a == nil && b == nil
		}
		return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
	})
}
