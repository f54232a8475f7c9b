package test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// Labs of many hosts, which are made and unmade many at a time.
//
//	TestCrowd            hosts, ports and addresses in the order of the lab file
//	TestCrowdCutShort    killed, or interrupted, while some hosts are there and others are being made: nothing is left

// crowd is a lab of so many hosts on one network.
func crowd(count int) string {
	var file strings.Builder
	file.WriteString("networks: {br0: {ipam: {config: [{subnet: 10.64.0.0/16}]}}}\nservices:\n")
	for i := range count {
		fmt.Fprintf(&file, "  h%03d@: {networks: {br0: {}}}\n", i)
	}
	file.WriteString("name: lab@\nx-uswitch: {uplink: none, keep_up: true}\n")
	return file.String()
}

func TestCrowd(t *testing.T) {
	t.Parallel()
	needs(t)
	const count = 48
	l := newLab(t, crowd(count))
	l.up("--trace", "off")
	var hosts []struct{ Name string }
	l.get("hosts", &hosts)
	if len(hosts) != count {
		t.Fatalf("%d hosts, want %d", len(hosts), count)
	}
	for i, h := range hosts {
		if want := fmt.Sprintf("h%03d", i); h.Name != want {
			t.Errorf("host %d is %s, want %s", i, h.Name, want)
		}
	}
	for _, i := range []int{0, 17, count - 1} {
		if text, want := l.exec(fmt.Sprintf("h%03d", i), "ip", "-br", "addr", "show", "eth0"), fmt.Sprintf("10.64.0.%d/16", i+2); !strings.Contains(text, want) || strings.Contains(text, "fe80") {
			t.Errorf("h%03d has %q, want %s and nothing of IPv6", i, text, want)
		}
	}
	if !l.pings("h000", fmt.Sprintf("10.64.0.%d", count+1)) {
		t.Error("the first does not reach the last")
	}
}

func TestCrowdCutShort(t *testing.T) {
	t.Parallel()
	needs(t)
	for name, end := range map[string]func(*lab){
		"killed": func(l *lab) {
			kills(l.t)
			l.kill()
			l.do("cleanup")
		},
		"interrupted": func(l *lab) {
			l.signal(syscall.SIGINT)
			if status := l.wait(); status != 130 {
				l.t.Errorf("status %d, want 130; stderr:\n%s", status, l.stderr)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, crowd(200))
			l.run("--trace", "off")
			eventually(t, "some hosts are there", func() bool { return l.namespaces() > 20 })
			end(l)
			if n := l.namespaces(); n > 0 {
				t.Errorf("%d namespaces are left", n)
			}
		})
	}
}

// namespaces counts the lab's namespaces that have a name.
func (l *lab) namespaces() (count int) {
	all, err := os.ReadDir("/run/netns")
	if err != nil {
		return 0
	}
	for _, entry := range all {
		if strings.HasSuffix(entry.Name(), l.suffix) {
			count++
		}
	}
	return count
}
