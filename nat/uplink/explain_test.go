//go:build linux

package uplink

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// TestExplainListen: of a port that is everybody's nobody says that it is root's.
func TestExplainListen(t *testing.T) {
	for _, c := range []struct {
		port uint16
		err  unix.Errno
		want string
	}{
		{1, unix.EACCES, "are root's"},
		{8080, unix.EACCES, "security modules"},
		{8080, unix.EPERM, "security modules"},
		{1, unix.EPERM, "security modules"},
		{8080, unix.EMFILE, "no file descriptor is left"},
	} {
		got := explainListen(frame.ProtoTCP, netip.AddrPortFrom(netip.IPv4Unspecified(), c.port), os.NewSyscallError("bind", c.err)).Error()
		if !strings.Contains(got, c.want) || strings.Contains(got, "root's") != (c.want == "are root's") {
			t.Errorf("%d, %v: %q", c.port, c.err, got)
		}
	}
}
