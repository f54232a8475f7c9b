// Package state keeps what uswitch remembers for a person from one call to the next: progress, what is broken.
package state

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
)

// Dir returns where this user's state is kept: $XDG_STATE_HOME/uswitch (XDG Base Directory Specification 0.8).
func Dir(getenv func(string) string) (string, error) {
	dir := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) { // the specification has those that are not ignored
		home := cmp.Or(getenv("HOME"), "/")
		if home == "/" {
			return "", errors.New("neither XDG_STATE_HOME nor HOME says where to keep what is to be remembered")
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "uswitch"), nil
}

// Write puts a file of this user's alone (0600) into a directory, which is made if need be, in one piece.
func Write(dir, name string, text []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+name+"-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // not there any more if all goes well
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}
