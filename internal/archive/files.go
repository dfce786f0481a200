package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// files returns the file at root, or all files below the directory at root.
// Symbolic links to files are followed, those to directories only at root.
func files(root string) ([]object, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("finding what to read: %w", err)
	}
	if !info.IsDir() {
		return []object{file(root, info)}, nil // whatever it is called
	}
	var found []object
	// The separator makes a link to a directory the directory.
	start := filepath.Clean(root) + string(filepath.Separator)
	err = filepath.WalkDir(start, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case err != nil:
			return nil // removed since its directory was read
		case path == start:
			return nil
		case ignored(entry.Name()) && entry.IsDir():
			return fs.SkipDir
		case ignored(entry.Name()) || entry.IsDir():
			return nil
		}
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if info.Mode().IsRegular() {
			found = append(found, file(path, info))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("finding what to read in %s: %w", root, err)
	}
	return found, nil
}

func file(path string, info fs.FileInfo) object {
	return object{
		path: path, at: sortTime(filepath.Base(path), info.ModTime()), modified: info.ModTime(),
		open: func(context.Context) (io.ReadCloser, error) { return os.Open(path) },
	}
}
