package tap

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLimitReached: what the kernel calls a full disk is a limit that has a name, and everything else is what it is.
func TestLimitReached(t *testing.T) {
	err := limitReached(unix.ENOSPC, "user/max_net_namespaces", "network namespaces")
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(fmt.Sprint(err), "user.max_net_namespaces=") {
		t.Error(err)
	}
	if err := limitReached(unix.EPERM, "user/max_net_namespaces", "network namespaces"); err != unix.EPERM {
		t.Error(err)
	}
	if err := limitReached(nil, "user/max_net_namespaces", "network namespaces"); err != nil {
		t.Error(err)
	}
}
