package journal

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// queue holds closed generations, oldest first.
type queue struct {
	mu     sync.Mutex
	items  []*Generation
	closed bool
	wake   chan struct{} // closed and renewed when something changes
}

func newQueue() *queue { return &queue{wake: make(chan struct{})} }

func (q *queue) put(g *Generation) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i, _ := slices.BinarySearchFunc(q.items, g, func(a, b *Generation) int { return strings.Compare(a.Name, b.Name) })
	q.items = slices.Insert(q.items, i, g)
	q.broadcast()
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.broadcast()
}

func (q *queue) broadcast() {
	close(q.wake)
	q.wake = make(chan struct{})
}

// next waits for a generation. It returns nil when the queue is closed and
// empty, or ctx is done.
func (q *queue) next(ctx context.Context) *Generation {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			g := q.items[0]
			q.items = slices.Delete(q.items, 0, 1)
			q.mu.Unlock()
			return g
		}
		wake, closed := q.wake, q.closed
		q.mu.Unlock()
		if closed {
			return nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// Queued is how many closed generations Next has not given out.
func (j *Journal) Queued() int { return j.queue.len() }

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}
