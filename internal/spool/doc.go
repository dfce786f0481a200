// Package spool keeps records on disk until Firehose has taken them. It knows
// nothing of JSON, gzip or AWS: a record is bytes with a count of messages.
//
// One file holds all the records that were made from one generation of the
// journal. Invariants:
//
//   - A file has its published name only when all of it is durable. What is
//     offered to Take survives a power cut.
//   - A record that was delivered is never offered again by a process that was
//     killed and started again. After a power cut it may be: its flag is
//     written, but not synced. The bytes, and so the event ids, are the same.
//   - A dead letter is durable before its record is given up.
//   - Damage stops nothing: what is whole is offered, what is not is counted,
//     booked as dropped where it is known how many messages it held, and kept
//     in a file that ends in .bad.
//   - A file whose write or fsync failed is given up, never tried again.
//
// The lock that Take needs is never held during I/O. The format is specified
// in docs/spool-format.md.
package spool
