// Package relay joins the stages: it binds and wires them in New, runs them in
// Run, and stops them one after another: sockets, connections, the journal,
// batches, uploads. It is the only package that imports all stages.
package relay
