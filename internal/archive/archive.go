// Package archive reads what was delivered: the objects that Firehose, real or
// embedded, wrote to a directory or to S3.
package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"kinesyslog/internal/cwl"
)

// Options say where to read from besides the paths.
type Options struct {
	// Stdin is what the path "-" stands for; nil means os.Stdin.
	Stdin io.Reader
	// Region, Profile and Endpoint are for s3:// paths. Empty ones are left
	// to the SDK's chain. With an endpoint buckets are addressed by path.
	Region, Profile, Endpoint string
}

// Archive is a set of objects in the order of time.
type Archive struct{ objects []object }

// Open finds the objects under each path: a file, a directory with everything
// below it, "-" for standard input, or s3://bucket/prefix with all keys that
// begin so. Files in directories and keys are left out if their name begins
// with a dot or ends with ".part", and so are directories that begin with a
// dot. Open reads no object; a path that does not exist, or under which S3 has
// nothing, is an error.
//
// The objects of all paths together are sorted by the time in their name,
// where that is one of Firehose's, else by the time of their last
// modification. Standard input is last.
func Open(ctx context.Context, options Options, paths ...string) (*Archive, error) {
	a := &Archive{}
	var s3 *bucketReader
	for _, path := range paths {
		var found []object
		var err error
		switch {
		case path == "-":
			found = []object{standardInput(options.Stdin)}
		case strings.HasPrefix(path, s3Scheme):
			if s3 == nil {
				if s3, err = newBucketReader(ctx, options); err != nil {
					return nil, err
				}
			}
			found, err = s3.objects(ctx, path)
		default:
			found, err = files(path)
		}
		if err != nil {
			return nil, err
		}
		a.objects = append(a.objects, found...)
	}
	slices.SortStableFunc(a.objects, object.compare)
	return a, nil
}

func standardInput(r io.Reader) object {
	if r == nil {
		r = os.Stdin
	}
	return object{
		path: "standard input", at: time.Now(), modified: time.Now(),
		open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(r), nil },
	}
}

// Objects returns how many objects there are to read.
func (a *Archive) Objects() int { return len(a.objects) }

// Events yields every event of every data message, object by object, in the
// order in which they lie there. CloudWatch's control messages are left out.
//
// An error comes with an empty Event, and the iteration goes on after it: a
// *DamageError with what follows in the same object, any other error, which
// says that an object could not be opened or read to its end, with the next
// object. The end of ctx is the last error.
func (a *Archive) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for _, o := range a.objects {
			if !o.events(ctx, yield) {
				return
			}
			if err := ctx.Err(); err != nil {
				yield(Event{}, err)
				return
			}
		}
	}
}

// events yields what is in one object; false: stop.
func (o object) events(ctx context.Context, yield func(Event, error) bool) bool {
	r, err := o.open(ctx)
	if err != nil {
		return yield(Event{}, fmt.Errorf("opening %s: %w", o.path, err))
	}
	defer r.Close()
	for documents := cwl.NewDecoder(r); ctx.Err() == nil; {
		doc, err := documents.Next()
		var damage *cwl.DamageError
		switch {
		case err == io.EOF:
			return true
		case errors.As(err, &damage):
			if !yield(Event{}, &DamageError{Path: o.path, Offset: damage.Offset, Err: damage.Err}) {
				return false
			}
			continue
		case ctx.Err() != nil:
			return true
		case err != nil:
			return yield(Event{}, fmt.Errorf("reading %s: %w", o.path, err))
		}
		if doc.MessageType == "CONTROL_MESSAGE" {
			continue
		}
		for _, e := range doc.LogEvents {
			event := Event{
				ID: e.ID, Timestamp: e.Timestamp, Message: e.Message,
				LogGroup: doc.LogGroup, LogStream: doc.LogStream, Owner: doc.Owner,
			}
			if !yield(event, nil) {
				return false
			}
		}
	}
	return true
}
