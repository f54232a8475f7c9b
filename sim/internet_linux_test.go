package sim_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/sim"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// A real lab with the simulated internet as its way out:
//
//	namespace RED           this process
//	11.11.11.2 eth0 === br0 === gateway === Internet on a Loop

// skip skips a test that cannot be run here, which in CI is a failure.
func skip(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// realLab brings the lab up and returns how to run a program in RED.
func realLab(t *testing.T, offload bool) (run func(program string, args ...string) (string, error)) {
	h, err := tap.New(t.TempDir())
	if err == nil {
		err = h.Check()
	}
	if err != nil {
		skip(t, "no TAPs here: %v", err)
	}
	t.Cleanup(func() { _ = h.Close() })
	ns, err := h.Create("simtest", fmt.Sprintf("sim%d%v", os.Getpid(), offload))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Release(ns) })
	eth0, err := h.Open(ns, tap.Interface{Name: "eth0", MAC: frame.MACFromIPv4(ip("11.11.11.2")), Offload: offload,
		DisableIPv6: true, Addresses: []netip.Prefix{netip.MustParsePrefix("11.11.11.2/24")}, Gateway: ip("11.11.11.1")})
	if err != nil {
		t.Fatal(err)
	}
	connect(t, eth0)
	return func(program string, args ...string) (string, error) {
		if _, err := exec.LookPath(program); err != nil {
			skip(t, "%s is not installed", program)
		}
		cmd := exec.CommandContext(t.Context(), program, args...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		process, err := h.Start(ns, cmd)
		if err != nil {
			return "", err
		}
		if status := process.Wait(); status != 0 {
			return out.String(), fmt.Errorf("exit status %d", status)
		}
		return out.String(), nil
	}
}

// connect puts a switch, a gateway and an internet behind RED's interface.
func connect(t *testing.T, eth0 vswitch.Link) {
	var tracer trace.Tracer
	epoch := time.Now()
	random := rand.New(rand.NewPCG(1, 1))
	rules := rule.NewTables(rule.IPv4)
	if err := rules.Apply([]string{"-t nat -A POSTROUTING -s 11.11.11.0/24 ! -o br0 -j MASQUERADE"}); err != nil {
		t.Fatal(err)
	}
	br0 := vswitch.New(vswitch.Config{Name: "br0", Tracer: &tracer, Epoch: epoch})
	gateway := nat.New(nat.Config{Tracer: &tracer, Epoch: epoch, Rules: rules, Random: random})
	leg, err := gateway.Add(nat.InterfaceConfig{Name: "br0", Addr: netip.MustParsePrefix("11.11.11.1/24"),
		MAC: frame.MACFromIPv4(ip("11.11.11.1")), Segment: br0}, epoch)
	if err != nil {
		t.Fatal(err)
	}
	br0.SetLocal(leg.MAC(), leg)

	clock := sim.NewWallLoop()
	internet, err := sim.NewInternet(sim.InternetConfig{Hop: time.Millisecond}, clock, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	uplink, err := gateway.Add(nat.InterfaceConfig{Name: "uplink", Addr: internet.Addr(), Uplink: internet}, epoch)
	if err != nil {
		t.Fatal(err)
	}
	internet.Connect(gateway, uplink)
	if err := gateway.AddRoute(netip.MustParsePrefix("0.0.0.0/0"), internet.NextHop(), uplink); err != nil {
		t.Fatal(err)
	}
	port, err := br0.Attach("RED", eth0, vswitch.PortFlags{Learning: true, Flood: true, MulticastFlood: true, BroadcastFlood: true})
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { gateway.Run(ctx) })
	clock.OnFault(func(err error) { t.Error(err) })
	t.Cleanup(clock.Close)
	running.Go(func() {
		if err := port.Run(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = br0.Detach(port)
		running.Wait()
	})
}

// TestRealPrograms lets programs that we did not write talk to the simulated internet.
func TestRealPrograms(t *testing.T) {
	for _, offload := range []bool{false, true} {
		t.Run(fmt.Sprintf("offload %v", offload), func(t *testing.T) {
			run := realLab(t, offload)
			for _, tt := range []struct {
				name    string
				command string
				fails   bool
				want    []string
			}{
				{"ping", "ping -n -c 2 -i 0.2 8.8.8.8", false, []string{"ttl=61", "2 received"}},
				{"ping with fragments", "ping -n -c 1 -s 4000 1.1.1.1", false, []string{"4008 bytes from 1.1.1.1"}},
				{"ping of a machine that is off", "ping -n -c 1 198.51.100.99", true,
					[]string{"From 100.64.0.1 icmp_seq=1 Destination Host Unreachable"}},
				{"ping into silence", "ping -n -c 1 -W 1 203.0.113.1", true, []string{"100% packet loss"}},
				{"dig", "dig +noall +answer @8.8.8.8 example.com", false, []string{"example.com.", "IN", "A", "93.184.216.34"}},
				{"dig backwards", "dig +short @1.1.1.1 -x 8.8.8.8", false, []string{"dns.google."}},
				{"dig for nothing", "dig @1.1.1.1 nowhere.example", false, []string{"status: NXDOMAIN"}},
				{"curl", "curl -sS --noproxy * --resolve example.com:80:93.184.216.34 http://example.com/lesson", false,
					[]string{"This is example.com", "/lesson", "192.168.104.2:"}},
				{"curl HEAD", "curl -sSI --noproxy * http://93.184.216.34/", false, []string{"HTTP/1.1 200 OK"}},
				{"curl refused", "curl -sS --noproxy * --connect-timeout 5 http://93.184.216.34:81/", true, []string{"(7) Failed to connect to 93.184.216.34 port 81"}},
				{"traceroute", "traceroute -n -q 1 8.8.8.8", false,
					[]string{"1  11.11.11.1 ", "2  192.168.104.1 ", "3  100.64.0.1 ", "4  8.8.8.8 "}},
			} {
				t.Run(tt.name, func(t *testing.T) {
					words := strings.Fields(tt.command)
					out, err := run(words[0], words[1:]...)
					if (err != nil) != tt.fails {
						t.Errorf("%s: %v\n%s", tt.command, err, out)
					}
					for _, want := range tt.want {
						if !strings.Contains(out, want) {
							t.Errorf("%s: want %q\n%s", tt.command, want, out)
						}
					}
				})
			}
		})
	}
}
