package world_test

import (
	"testing"

	"uswitch/cmd/internal/world/worldtest"
)

// TestDroppedAtNICs: what the interfaces of all hosts have lost is one number.
func TestDroppedAtNICs(t *testing.T) {
	t.Parallel()
	host := &worldtest.Host{}
	w, _ := up(t, twoHosts, host)
	if n := w.DroppedAtNICs(); n != 0 {
		t.Errorf("at first %d", n)
	}
	host.Device("RED eth0").Lose(3)
	host.Device("BLUE eth0").Lose(4)
	if n := w.DroppedAtNICs(); n != 7 {
		t.Errorf("%d, want 7", n)
	}
}
