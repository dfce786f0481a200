package access

import "fmt"

// Binding says what becomes of a message whose host name the certificate of its
// client does not bear; see Identity.Bears.
type Binding int

const (
	// Unbound: nobody looks at host names.
	Unbound Binding = iota
	// NoteHostname delivers it into a log stream whose name says so.
	NoteHostname
	// RefuseHostname does not deliver it.
	RefuseHostname
)

var bindingNames = [...]string{"off", "note", "refuse"}

// ParseBinding reads "off", "note" or "refuse".
func ParseBinding(s string) (Binding, error) {
	for i, name := range bindingNames {
		if s == name {
			return Binding(i), nil
		}
	}
	return Unbound, fmt.Errorf("%q will not do: give off, note or refuse", s)
}

func (b Binding) String() string { return bindingNames[b] }
