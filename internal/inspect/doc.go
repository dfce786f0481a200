// Package inspect is for working on a relay's spool directory by hand: it lists,
// checks, reads and exports what is there, and puts back what was set aside.
//
// Invariants:
//
//   - What reads never changes the directory, and may do so beside a running
//     relay. A file that goes away meanwhile is left out.
//   - What writes needs the directory's lock, which a running relay holds.
//   - What is put back is durable in its new file before its old one is renamed
//     or removed. A crash in between leaves both: its messages may then be
//     delivered twice, with the same event ids, but never not at all.
//   - What cannot be read in one place stops nothing: all the rest is read.
//
// It knows the names in the directory, as docs/spool-format.md specifies them;
// what is in the files is known to the stages that write them.
package inspect
