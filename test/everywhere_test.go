package test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestEnteredFromEverywhere: a lab that was started where mounts are private - under ip netns exec, under systemd's PrivateMounts - has
// names that nobody else sees; it is entered all the same, from anywhere.
func TestEnteredFromEverywhere(t *testing.T) {
	needs(t, "unshare", "ip")
	t.Parallel()
	for name, way := range map[string][]string{
		"private mounts":    {"unshare", "-m", "--propagation", "private"},
		"its own directory": {"unshare", "-m", "--propagation", "private", "sh", "-c", `mount -t tmpfs none /run/netns 2>/dev/null; exec "$@"`, "sh"},
		"ip netns exec":     {"ip", "netns", "exec", "NS@"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, threeHosts)
			for i, word := range way {
				if word == "NS@" {
					way[i] = l.ns("START")
					must(t, "ip", "netns", "add", way[i])
					t.Cleanup(func() { _, _ = output(t, "ip", "netns", "del", way[i]) })
				}
			}
			cmd := exec.Command(way[0], append(way[1:], uswitch, "up", "-d", l.file)...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			t.Cleanup(func() { l.try("down", l.name) })
			for _, look := range [][]string{
				{"exec", l.ns("RED"), "--", "ip", "-o", "addr"},
				{"nsenter", "--net=/var/run/netns/" + l.ns("RED"), "ip", "-o", "addr"},
				{"ip", "netns", "exec", l.ns("RED"), "ip", "-o", "addr"},
				{"docker", "exec", l.ns("RED"), "ip", "-o", "addr"},
			} {
				out, errs, status := l.try(look...)
				if status != 0 || !strings.Contains(out, redIP) {
					t.Errorf("%v: status %d: %s%s", look, status, out, errs)
				}
			}
			if out, errs, status := l.try("exec", l.ns("RED"), "--", "ping", "-c", "1", "-W", "5", blueIP); status != 0 {
				t.Errorf("ping: %s%s", out, errs)
			}
			l.do("down", l.name)
		})
	}
}
