package api_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
)

func TestLock(t *testing.T) {
	dir := t.TempDir()
	lock, err := api.TakeLock(dir, "w")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.TakeLock(dir, "w"); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d runs it", os.Getpid())) {
		t.Errorf("taken twice: %v", err)
	}
	other, err := api.TakeLock(dir, "v")
	if err != nil {
		t.Errorf("another lab's lock: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	if err := other.Release(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestCleaningIsWaitedFor: who cleans up runs no lab, and whoever brings it up waits for the end of that.
func TestCleaningIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	cleaning, err := api.TakeLockToClean(dir, "w")
	if err != nil {
		t.Fatal(err)
	}
	if pid, held := api.LockHolder(dir + "/w" + api.LockSuffix); held {
		t.Errorf("process %d runs what is cleaned up", pid)
	}
	time.AfterFunc(30*time.Millisecond, func() { _ = cleaning.Release() })
	lock, err := api.TakeLock(dir, "w")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.TakeLockToClean(dir, "w"); err == nil {
		t.Error("what is up is cleaned up")
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

// TestOneHolds lets many take the lock, one after the other, each of which removes the file.
func TestOneHolds(t *testing.T) {
	dir := t.TempDir()
	var inside sync.Mutex
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				lock, err := api.TakeLock(dir, "w")
				if err != nil {
					continue
				}
				if inside.TryLock() {
					runtime.Gosched()
					inside.Unlock()
				} else {
					t.Error("two hold the lock")
				}
				if err := lock.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}
