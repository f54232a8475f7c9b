package tap

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// Reclaim implements Host.
func (l *local) Reclaim(labs ...string) ([]Reclaimed, error) {
	for _, lab := range labs {
		if err := checkName("lab", lab); err != nil {
			return nil, err
		}
	}
	if len(labs) == 0 {
		var err error
		if labs, err = l.records.labs(); err != nil {
			return nil, err
		}
	}
	var done []Reclaimed
	var failed []error
	for _, lab := range slices.Compact(slices.Sorted(slices.Values(labs))) {
		names, err := l.records.names(lab)
		failed = append(failed, err)
		for _, name := range names {
			result, found, err := l.reclaim(lab, name)
			if err != nil {
				failed = append(failed, fmt.Errorf("namespace %s of lab %s: %w", name, lab, err))
			} else if found {
				done = append(done, result)
			}
		}
	}
	return done, errors.Join(failed...)
}

// reclaim judges one record; found is false if another process was faster.
func (l *local) reclaim(lab, name string) (result Reclaimed, found bool, err error) {
	result = Reclaimed{Lab: lab, Namespace: name}
	err = withNetnsDir(func() error {
		entry, err := l.records.read(lab, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		found = true
		if err != nil {
			result.Outcome = Unreadable
			return l.records.remove(lab, name)
		}
		result.PID = entry.PID
		if entry.alive() {
			result.Outcome = InUse
			return nil
		}
		if result.Outcome, err = removeName(filepath.Join(netnsDir, name), entry.ID); err != nil {
			return err
		}
		return l.records.remove(lab, name)
	})
	return result, found, err
}
