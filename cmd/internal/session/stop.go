package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// stopTime is how long a lab may take to go: its commands have world.Patience to end, and thousands of namespaces take the
// kernel half a minute.
const stopTime = world.Patience + time.Minute

// Stop takes a lab down and waits until it is gone: until its lock is free.
func Stop(ctx context.Context, c *api.Client) error {
	if err := c.Do(ctx, http.MethodPost, "/v1/stop", nil, nil, nil); err != nil {
		return err
	}
	return awaitGone(ctx, c.Lab())
}

// StopBegun is Stop for a lab that is still coming up, or going.
func StopBegun(ctx context.Context, b api.Begun) error {
	if err := b.Stop(); err != nil {
		return fmt.Errorf("lab %s: process %d, which is bringing it up: %w", b.Lab, b.PID, err)
	}
	return awaitGone(ctx, b.Lab)
}

// awaitGone waits until a lab that was told to stop is gone.
func awaitGone(ctx context.Context, lab string) error {
	deadline := time.Now().Add(stopTime)
	for time.Now().Before(deadline) {
		if !locked(lab) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("lab %s was told to stop, and is not gone after %v", lab, stopTime)
}

// locked reports whether the lab's lock is there: its file goes last.
func locked(lab string) bool {
	for _, dir := range api.Directories() {
		if _, err := os.Stat(filepath.Join(dir, lab+api.LockSuffix)); err == nil {
			return true
		}
	}
	return false
}

// Cleanup removes what labs have left behind whose process is gone, and says what it did.
func Cleanup() (did []string, err error) {
	dir, err := api.Directory()
	if err != nil {
		return nil, err
	}
	host, err := tap.New(dir)
	if err != nil {
		return nil, err
	}
	defer host.Close()
	found, err := host.Reclaim()
	for _, r := range found {
		if r.Outcome != tap.InUse {
			did = append(did, r.String())
		}
	}
	for _, lab := range traces(dir) {
		lock, taken := api.TakeLock(dir, lab)
		if taken != nil {
			continue // it is up
		}
		removed := os.Remove(api.Path(dir, lab))
		if removed == nil {
			did = append(did, fmt.Sprintf("socket of lab %s: removed; nobody answered", lab))
		}
		if os.Remove(logPath(dir, lab)) == nil {
			did = append(did, fmt.Sprintf("log of lab %s: removed", lab))
		}
		err = errors.Join(err, lock.Release())
	}
	return did, err
}

// traces names the labs of which there is a lock, a socket or a log, sorted.
func traces(dir string) (labs []string) {
	for _, suffix := range []string{api.LockSuffix, filepath.Ext(api.Path(dir, "any")), filepath.Ext(logPath(dir, "any"))} {
		found, _ := filepath.Glob(filepath.Join(dir, "*"+suffix))
		for _, path := range found {
			labs = append(labs, strings.TrimSuffix(filepath.Base(path), suffix))
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(labs)))
}
