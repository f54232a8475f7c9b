package world_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"uswitch/cmd/internal/simhost"
	"uswitch/cmd/internal/world"
)

// TestSimulatedFault: the panic of what happens in a simulated host is told of, and the lab goes on.
func TestSimulatedFault(t *testing.T) {
	host := simhost.NewVirtual()
	told := make(chan string, 1)
	w, err := world.New(parsed(t, "services: {RED: {x-uswitch: {passive: true}}}\nx-uswitch: {uplink: none}\n"),
		world.Options{Host: host, Report: func(line string) { told <- line }})
	if err == nil {
		err = w.Up(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(w.Down(), host.Close()); err != nil {
			t.Error(err)
		}
	}()
	w.Loop().After(0, func() { panic("a fault") })
	if line := <-told; !strings.Contains(line, "a simulated host failed: a fault") {
		t.Errorf("told of %q", line)
	}
	if err := w.Loop().Do(func() {}); err != nil {
		t.Errorf("the lab has ended: %v", err)
	}
}
