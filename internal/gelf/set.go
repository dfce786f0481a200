package gelf

// setKey tells messages apart.
type setKey[K comparable] struct {
	from K
	id   uint64
}

type state uint8

const (
	incomplete state = iota
	complete         // parts are hashes of the chunks
	lost             // given up and reported: parts are hashes, chunks that come now are passed over
)

// setOverhead is about what a set costs besides its chunks: itself, its sender,
// and its places in the maps.
const setOverhead = 512

// set is one message on its way.
type set[K comparable] struct {
	key     setKey[K]
	sender  *sender[K] // while incomplete
	state   state
	since   int64 // when the first chunk came, or when it was settled
	count   int
	have    int
	inOrder bool     // so far the chunks came one after the other
	parts   []uint64 // by number: 0, or one more than offset<<32 | length in data
	data    []byte   // the chunks as they came
	charged int      // what the accounts hold for it
	links   [2]link[K]
}

// sender holds the accounts of one sender.
type sender[K comparable] struct {
	sets  list[K] // incomplete, oldest first
	bytes int
}

func newSet[K comparable](now int64, k setKey[K], count int) *set[K] {
	return &set[K]{key: k, since: now, count: count, inOrder: true, parts: make([]uint64, count)}
}

func (s *set[K]) has(number int) bool { return s.parts[number] != 0 }

func (s *set[K]) part(number int) []byte {
	at := s.parts[number] - 1
	offset, length := at>>32, at&0xffffffff
	return s.data[offset : offset+length]
}

func (s *set[K]) put(number int, payload []byte) {
	s.inOrder = s.inOrder && number == s.have
	s.parts[number] = (uint64(len(s.data))<<32 | uint64(len(payload))) + 1
	s.data = append(s.data, payload...)
	s.have++
}

// assemble appends the chunks in their order.
func (s *set[K]) assemble(dst []byte) []byte {
	for number := range s.count {
		dst = append(dst, s.part(number)...)
	}
	return dst
}

// cost is the memory the set takes.
func (s *set[K]) cost() int { return setOverhead + 8*s.count + cap(s.data) }

// Lists a set can be in at the same time.
const (
	inAll = iota
	inSender
)

// link is a set's place in one list.
type link[K comparable] struct{ prev, next *set[K] }

// list is a queue of sets that can be left from any place.
type list[K comparable] struct {
	which      int
	n          int
	head, tail *set[K]
}

func (l *list[K]) push(s *set[K]) {
	s.links[l.which] = link[K]{prev: l.tail}
	if l.tail != nil {
		l.tail.links[l.which].next = s
	} else {
		l.head = s
	}
	l.tail = s
	l.n++
}

func (l *list[K]) remove(s *set[K]) {
	at := s.links[l.which]
	if at.prev != nil {
		at.prev.links[l.which].next = at.next
	} else {
		l.head = at.next
	}
	if at.next != nil {
		at.next.links[l.which].prev = at.prev
	} else {
		l.tail = at.prev
	}
	s.links[l.which] = link[K]{}
	l.n--
}
