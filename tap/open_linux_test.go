package tap_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"testing"

	"uswitch/switch/frame"
	"uswitch/tap"
)

func TestInterfaceIsSetUp(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	prefix, addr := netip.MustParsePrefix, netip.MustParseAddr
	tests := []struct {
		name string
		cfg  tap.Interface
		ask  string // what "ip -n NS" is asked
		want []string
	}{
		{"defaults", tap.Interface{Name: "eth0"}, "-d link show eth0",
			[]string{"mtu 1500", "qlen 1000", "UP,LOWER_UP", "persist off"}},
		{"loopback", tap.Interface{Name: "eth0"}, "link show lo", []string{"LOOPBACK,UP"}},
		{"link", tap.Interface{Name: "eth7", MAC: frame.MAC{2, 0x42, 1, 2, 3, 4}, MTU: 9000, QueueLength: 5000}, "link show eth7",
			[]string{"mtu 9000", "qlen 5000", "link/ether 02:42:01:02:03:04"}},
		{"largest MTU", tap.Interface{Name: "eth0", MTU: 65521}, "link", []string{"mtu 65521"}},
		{"addresses", quietly("11.11.11.2/24", "10.0.0.1/8"), "-o -4 addr show eth0",
			[]string{"inet 11.11.11.2/24 brd 11.11.11.255", "inet 10.0.0.1/8"}},
		{"no IPv6", quietly("11.11.11.2/24"), "-o addr show eth0", []string{"!inet6"}},
		{"IPv6", tap.Interface{Name: "eth0", Addresses: []netip.Prefix{prefix("fd00::2/64")}, Gateway: addr("fd00::1")}, "-6 route",
			[]string{"default via fd00::1 dev eth0"}},
		{"connected route", quietly("11.11.11.2/24"), "route",
			[]string{"11.11.11.0/24 dev eth0 proto kernel scope link src 11.11.11.2", "!default"}},
		{"routes", tap.Interface{
			Name: "eth0", Addresses: []netip.Prefix{prefix("11.11.11.2/24")}, Gateway: addr("11.11.11.1"),
			Routes: []tap.Route{{To: prefix("10.1.0.0/16"), Via: addr("11.11.11.9")}, {To: prefix("10.2.3.4/16")}},
		}, "route", []string{"default via 11.11.11.1 dev eth0", "10.1.0.0/16 via 11.11.11.9", "10.2.0.0/16 dev eth0 scope link"}},
		{"down", tap.Interface{Name: "eth0", Down: true}, "link show eth0", []string{"!UP", "state DOWN"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ns := create(t, host)
			open(t, host, ns, test.cfg)
			got := ip(t, append([]string{"-n", ns.Name}, strings.Fields(test.ask)...)...)
			for _, want := range test.want {
				unwanted, not := strings.CutPrefix(want, "!")
				if strings.Contains(got, unwanted) == not {
					t.Errorf("ip %s: want %s in\n%s", test.ask, want, got)
				}
			}
		})
	}
}

// TestOpenFails makes Open fail before, in, and after the making of the interface, and looks for what is left. It is not
// parallel, for it counts the descriptors of this process.
func TestOpenFails(t *testing.T) {
	host := newHost(t)
	ns := create(t, host)
	ip(t, "-n", ns.Name, "link", "set", "lo", "down")
	prefix, addr := netip.MustParsePrefix, netip.MustParseAddr
	own := []netip.Prefix{prefix("11.11.11.2/24")}
	tests := []struct {
		name string
		cfg  tap.Interface
		want string
	}{
		{"no name", tap.Interface{}, "1 to 15 characters"},
		{"long name", tap.Interface{Name: "eth0123456789012"}, "1 to 15 characters"},
		{"kernel's pattern", tap.Interface{Name: "eth%d"}, "1 to 15 characters"},
		{"group address", tap.Interface{Name: "eth0", MAC: frame.Broadcast}, "ff:ff:ff:ff:ff:ff is a group address"},
		{"tiny MTU", tap.Interface{Name: "eth0", MTU: 67}, "want 68 to 65521"},
		{"huge MTU", tap.Interface{Name: "eth0", MTU: 65522}, "want 68 to 65521"},
		{"gateway elsewhere", tap.Interface{Name: "eth0", Addresses: own, Gateway: addr("10.0.0.1")}, "gateway 10.0.0.1 lies in none"},
		{"IPv6 address without IPv6", tap.Interface{Name: "eth0", Addresses: []netip.Prefix{prefix("fd00::2/64")}, DisableIPv6: true},
			"fd00::2/64 on an interface without IPv6"},
		{"same address twice", tap.Interface{Name: "eth0", Addresses: append(own, own...)}, "address 11.11.11.2/24: file exists"},
		{"next hop elsewhere", tap.Interface{Name: "eth0", Addresses: own, Routes: []tap.Route{{To: prefix("10.0.0.0/8"), Via: addr("9.9.9.9")}}},
			"route to 10.0.0.0/8: network is unreachable"},
		{"loopback's name", tap.Interface{Name: "lo"}, "every namespace has one of that name"},
		{"directory of settings", tap.Interface{Name: "all"}, "not the name of an interface"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := tapsHeld(t)
			device, err := host.Open(ns, test.cfg)
			if err == nil {
				device.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q, want %q in it", err, test.want)
			}
			if links := ip(t, "-n", ns.Name, "-o", "link"); strings.Count(links, "\n") != 1 || strings.Contains(links, ",UP") {
				t.Errorf("left in the namespace:\n%s", links)
			}
			if after := tapsHeld(t); after != before {
				t.Errorf("%d TAP descriptors, were %d", after, before)
			}
		})
	}
}

// TestOpenTaken puts an interface where one of that name is.
func TestOpenTaken(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ours, orphan := create(t, host), create(t, host)
	first := open(t, host, ours, quietly("11.11.11.2/24"))
	_, err := host.Open(ours, quietly("11.11.11.3/24"))
	if want := fmt.Sprintf("owned by process %d", os.Getpid()); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), want) {
		t.Errorf("second interface: %v, want %s", err, want)
	}
	if state, err := first.State(); err != nil || !state.Up {
		t.Errorf("the first one afterwards: %+v, %v", state, err)
	}
	ip(t, "-n", orphan.Name, "tuntap", "add", "dev", "eth0", "mode", "tap")
	if _, err := host.Open(orphan, quietly()); !errors.Is(err, fs.ErrExist) || strings.Contains(err.Error(), "process") {
		t.Errorf("interface beside a persistent one: %v, want ErrExist without an owner", err)
	}
	if links := ip(t, "-n", orphan.Name, "link"); !strings.Contains(links, "eth0") {
		t.Errorf("the persistent one is gone:\n%s", links)
	}
	first.Close()
	open(t, host, ours, quietly("11.11.11.3/24"))
}

// tapsHeld counts this process's descriptors of /dev/net/tun.
func tapsHeld(t *testing.T) (held int) {
	t.Helper()
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, descriptor := range descriptors {
		if info, err := os.ReadFile("/proc/self/fdinfo/" + descriptor.Name()); err == nil && strings.Contains(string(info), "iff:") {
			held++
		}
	}
	return held
}
