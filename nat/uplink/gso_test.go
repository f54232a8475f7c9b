//go:build linux

package uplink_test

import (
	"testing"

	"uswitch/nat/uplink"
)

// With GSO, TCP comes in in super-frames whose metadata is valid, also after translation.
func TestTCPInSuperFrames(t *testing.T) {
	l := newLab(t, uplink.HostConfig{GSO: true})
	serve(t, wanPID, server+":30", echo)
	exchange(t, l.mustDial(t, red, server+":30"), randomBytes(4<<20))
	if l.super.Load() == 0 {
		t.Error("there was no super-frame")
	}
	if n := l.invalid.Load(); n > 0 {
		t.Errorf("%d super-frames had metadata that cannot be true", n)
	}
}
