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
		results, err := l.reclaimLab(lab)
		done = append(done, results...)
		if err != nil {
			failed = append(failed, fmt.Errorf("lab %s: %w", lab, err))
		}
	}
	return done, errors.Join(failed...)
}

func (l *local) reclaimLab(lab string) (done []Reclaimed, err error) {
	names, err := l.records.names(lab)
	if err != nil {
		return nil, err
	}
	err = withNetnsDir(func() error {
		var failed []error
		for _, name := range names {
			result, err := l.reclaim(lab, name)
			switch {
			case errors.Is(err, fs.ErrNotExist): // another process was faster
			case err != nil:
				failed = append(failed, fmt.Errorf("namespace %s: %w", name, err))
			default:
				done = append(done, result)
			}
		}
		return errors.Join(append(failed, l.records.sweep(lab))...)
	})
	return done, err
}

// reclaim judges one record.
func (l *local) reclaim(lab, name string) (Reclaimed, error) {
	result := Reclaimed{Lab: lab, Namespace: name}
	entry, err := l.records.read(lab, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return result, err
	case err != nil:
		result.Outcome = Unreadable
		return result, l.records.remove(lab, name)
	}
	result.PID = entry.PID
	if entry.alive() {
		result.Outcome = InUse
		return result, nil
	}
	if result.Outcome, err = removeName(filepath.Join(netnsDir, name), entry.ID); err != nil {
		return result, err
	}
	return result, l.records.remove(lab, name)
}
