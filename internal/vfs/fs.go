// Package vfs is the little of a file system that journal and spool need. It
// is an interface so that their tests can run them on a disk that fails: see
// package faultfs.
package vfs

import (
	"io"
	"io/fs"
)

// FS is a file system. All methods may be called at the same time. Names are
// paths as package os takes them; errors are those of package os, so that
// errors.Is works with fs.ErrNotExist, fs.ErrExist and syscall.ENOSPC.
type FS interface {
	// OpenFile opens a file with the flags of package os (os.O_RDWR|os.O_CREATE
	// and so on). A file that was made survives a power cut only after SyncDir
	// of the directory it is in.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Rename puts a file in another's place in one step. It is durable after
	// SyncDir of the directory.
	Rename(from, to string) error
	// Remove takes a file or an empty directory away, durably after SyncDir.
	Remove(name string) error
	// Mkdir makes one directory; fs.ErrExist if there is something already.
	Mkdir(name string, perm fs.FileMode) error
	// ReadDir lists a directory, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat tells a file's size and time of change.
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes what was created, renamed and removed in a directory
	// durable.
	SyncDir(name string) error
}

// File is an open file. *os.File is one. ReadAt and WriteAt may be called at
// the same time as anything else; Read and Write share one position.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	// Sync makes the file's data durable. An error is final: the kernel may
	// have dropped the data and call the next Sync a success, so the file must
	// be given up.
	Sync() error
	// Truncate sets the file's length.
	Truncate(size int64) error
	// Stat tells the open file's size.
	Stat() (fs.FileInfo, error)
}
