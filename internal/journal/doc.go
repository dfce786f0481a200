// Package journal keeps raw messages safe from the moment they are read from a
// socket until records made from them are in the spool.
//
// Invariants:
//
//   - What Commit has put into the journal survives the death of the process;
//     within the sync interval, or once Sync has returned, also a power cut.
//   - A message has one sequence number, given when it is written and kept in
//     its file, so that it has the same event id however often it is replayed.
//   - One shard writes one file at a time. A file is a generation: it is closed
//     by age, by size or at shutdown, then converted, then dropped as a whole.
//   - A damaged file yields every block that is whole, before and after the
//     damage, and is set aside instead of dropped.
//   - A file whose fsync failed is never written to or synced again: what it
//     holds goes on by the ordinary way into another file.
//
// The format is specified in docs/spool-format.md.
package journal
