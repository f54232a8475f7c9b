package tap

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// record is the owner's mark on a namespace: whose it is, and which process answers for it.
type record struct {
	Lab       string `json:"lab"`
	Namespace string `json:"namespace"`
	process
	ID
}

// records is the directory of records: one small JSON file a namespace, DIR/LAB.d/NAME.json. A file appears whole, under
// its final name, or not at all. Whoever changes something holds the lock of the names.
type records struct {
	dir string
	etc *etcParent
}

// unfinished is the pattern of the names under which records are written.
const unfinished = ".new-*"

func (r records) path(lab, name string) string { return filepath.Join(r.dir, lab+".d", name+".json") }

// write enters a namespace on behalf of this process.
func (r records) write(ns Namespace) error {
	self, err := thisProcess()
	if err != nil {
		return err
	}
	text, err := json.Marshal(record{Lab: ns.Lab, Namespace: ns.Name, process: self, ID: ns.ID})
	if err != nil {
		return err
	}
	return writeWhole(r.path(ns.Lab, ns.Name), text)
}

// writeWhole writes a line into a file that appears whole or not at all, and makes its directory if need be.
func writeWhole(path string, text []byte) error {
	temporary, err := createIn(filepath.Dir(path))
	if err != nil {
		return err
	}
	_, err = temporary.Write(append(text, '\n'))
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		os.Remove(temporary.Name())
	}
	return err
}

// createIn makes a file in a directory, and the directory if need be; more than once if somebody else finds that it is
// empty and removes it, which nobody does for long.
func createIn(dir string) (file *os.File, err error) {
	for range 100 {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		if file, err = os.CreateTemp(dir, unfinished); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return file, err
}

// sweep removes what writers that were killed left unfinished, files that nobody answers for, and the lab's directory if
// nothing else is in it.
func (r records) sweep(lab string) error {
	dir := filepath.Dir(r.path(lab, "any"))
	litter, err := filepath.Glob(filepath.Join(dir, unfinished))
	err = errors.Join(err, r.sweepFiles(lab))
	for _, path := range litter {
		err = errors.Join(err, os.Remove(path))
	}
	os.Remove(dir) // fails while there are records, as it should
	return err
}

// remove forgets a namespace, and the lab with its last one. What is not there is no error.
func (r records) remove(lab, name string) error {
	path := r.path(lab, name)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	os.Remove(filepath.Dir(path)) // fails while there are others, as it should
	return nil
}

// read returns what is on record. A file that is damaged, or that says something else than its name, is an error.
func (r records) read(lab, name string) (record, error) {
	path := r.path(lab, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return record{}, err
	}
	var found record
	if err := json.Unmarshal(text, &found); err != nil {
		return record{}, fmt.Errorf("%s: %w", path, err)
	}
	if found.Lab != lab || found.Namespace != name || found.PID <= 0 || found.Inode == 0 {
		return record{}, fmt.Errorf("%s: not the record of namespace %s of lab %s", path, name, lab)
	}
	return found, nil
}

// labs returns the labs that have records, sorted.
func (r records) labs() ([]string, error) { return r.list(r.dir, ".d") }

// names returns the namespaces of a lab that are on record, sorted.
func (r records) names(lab string) ([]string, error) {
	return r.list(filepath.Dir(r.path(lab, "any")), ".json")
}

// list returns the entries of a directory that end in suffix, without it. A directory that is not there has none.
func (r records) list(dir, suffix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), suffix); ok && name != "" {
			names = append(names, name)
		}
	}
	return names, err
}

// owner finds the record of a namespace by its identity.
func (r records) owner(id ID) (record, bool) {
	labs, _ := r.labs()
	for _, lab := range labs {
		names, _ := r.names(lab)
		for _, name := range names {
			if found, err := r.read(lab, name); err == nil && found.ID == id {
				return found, true
			}
		}
	}
	return record{}, false
}
