package inspect

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"kinesyslog/internal/vfs"
)

// Dir is a spool directory, of a relay that runs or of one that does not. Its
// methods change nothing.
type Dir struct {
	path string // empty: files are given by their paths only
	fs   vfs.FS
}

// Open returns the spool directory at a path. It is an error if there is none,
// or if it has nothing that a relay puts there.
func Open(fsys vfs.FS, path string) (*Dir, error) {
	entries, err := fsys.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no spool directory %s: give the relay's (/var/lib/kinesyslog for the systemd unit): %w", path, fs.ErrNotExist)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("cannot read the spool directory: %w: be root, or the user that the relay runs as", err)
	case err != nil:
		return nil, fmt.Errorf("cannot read the spool directory: %w", err)
	}
	ours := slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		_, ok := named(e.Name())
		return ok || e.Name() == lockName || e.Name() == "relay.id" || e.Name() == deadDir
	})
	if !ours {
		return nil, fmt.Errorf("%s is no spool directory: nothing in it is a relay's", path)
	}
	return &Dir{path: path, fs: fsys}, nil
}

// Loose is for files that are in no spool directory.
func Loose(fsys vfs.FS) *Dir { return &Dir{fs: fsys} }

// Path is the directory's, as it was given.
func (d *Dir) Path() string { return d.path }

// Files tells of all files of journal and spool, oldest first; or of those that
// are named, in the order given: by their names in the directory, or by a path.
// What they hold is counted, which reads journal files as a whole and the
// headers of all records. What cannot be read is in the files' Damage. The error
// says that the directory cannot be read, or that a file that was named is not
// there.
func (d *Dir) Files(names ...string) ([]File, error) {
	files, err := d.find(names)
	if err != nil {
		return nil, err
	}
	letters, err := d.letters()
	if err != nil {
		return nil, err
	}
	var out []File
	for _, f := range files {
		err := d.survey(&f, letters)
		if errors.Is(err, fs.ErrNotExist) {
			if len(names) == 0 {
				continue // it was delivered meanwhile
			}
			return nil, err
		}
		if err != nil {
			f.State = Unreadable
			f.Damage = append(f.Damage, Damage{Bytes: f.Bytes, What: err.Error()})
		}
		out = append(out, f)
	}
	return out, nil
}

// Holding is Files, but without names only of those whose messages are in no
// other file.
func (d *Dir) Holding(names ...string) ([]File, error) {
	files, err := d.Files(names...)
	if err != nil || len(names) > 0 {
		return files, err
	}
	return slices.DeleteFunc(files, func(f File) bool {
		return f.Kind == Unfinished || f.State == Converted || f.State == Replayed
	}), nil
}

// Letters returns all dead letters.
func (d *Dir) Letters() ([]File, error) {
	files, err := d.Files()
	return slices.DeleteFunc(files, func(f File) bool { return f.Kind != DeadLetter || f.SetAside }), err
}

// SetAside returns all files that were set aside and can be replayed.
func (d *Dir) SetAside() ([]File, error) {
	files, err := d.Files()
	return slices.DeleteFunc(files, func(f File) bool { return !f.SetAside || f.State == Replayed || f.Kind == Unfinished }), err
}

// find looks up names, or lists everything.
func (d *Dir) find(names []string) ([]File, error) {
	if len(names) == 0 {
		return d.list()
	}
	var out []File
	for _, name := range names {
		f, err := d.locate(name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(other File) bool { return other.Path == f.Path }) {
			out = append(out, f)
		}
	}
	return out, nil
}

// locate finds a file by its name in the directory, or else by its path.
func (d *Dir) locate(name string) (File, error) {
	path, where := name, ""
	if d.path != "" {
		where = " in " + d.path
		if p := filepath.Join(d.path, name); d.exists(p) {
			path = p
		}
	}
	if !d.exists(path) {
		return File{}, fmt.Errorf("there is no file %s%s: kinesyslog spool ls tells which there are: %w", name, where, fs.ErrNotExist)
	}
	f, ok := named(path)
	if !ok {
		return f, fmt.Errorf("%s is not named like a file of journal or spool, 16 digits, - and 3 digits first", name)
	}
	if inside, ok := d.within(path); ok {
		f.Name, f.Path = inside, filepath.Join(d.path, inside)
		return f, nil
	}
	f.Name, f.foreign = name, true
	return f, nil
}

func (d *Dir) exists(path string) bool {
	_, err := d.fs.Stat(path)
	return err == nil
}

// within returns the name in the directory of a path that is in it.
func (d *Dir) within(path string) (name string, ok bool) {
	if d.path == "" {
		return "", false
	}
	name, err := filepath.Rel(resolved(d.path), resolved(path))
	if err != nil {
		return "", false
	}
	parent := filepath.Dir(name)
	return name, parent == "." || parent == deadDir
}

// resolved is a path without symbolic links, as far as that can be found out:
// systemd makes /var/lib/kinesyslog one.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}

// list returns what is in the directory, oldest first.
func (d *Dir) list() ([]File, error) {
	var out []File
	for _, place := range []string{"", deadDir} {
		entries, err := d.fs.ReadDir(filepath.Join(d.path, place))
		if errors.Is(err, fs.ErrNotExist) && place != "" {
			break // there was no dead letter yet
		} else if err != nil {
			return nil, fmt.Errorf("cannot read the spool directory: %w", err)
		}
		for _, e := range entries {
			f, ok := named(filepath.Join(place, e.Name()))
			if !ok || e.IsDir() || strings.Contains(f.Name, ".dead") != (place == deadDir) {
				continue
			}
			f.Path = filepath.Join(d.path, f.Name)
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b File) int {
		return cmp.Or(a.Begun.Compare(b.Begun), cmp.Compare(filepath.Base(a.Name), filepath.Base(b.Name)))
	})
	return out, nil
}

// letters are the dead letters, by their names without suffix.
func (d *Dir) letters() (map[string]bool, error) {
	if d.path == "" {
		return nil, nil
	}
	files, err := d.list()
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, f := range files {
		if f.Kind == DeadLetter && !f.SetAside {
			out[f.stem] = true
		}
	}
	return out, nil
}
