package ping_test

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/tools/ping"
)

func TestParse(t *testing.T) {
	o, err := ping.Parse(strings.Fields("-c 2 -i 0.5 -W 3 -s 100 -t 9 11.11.11.3 11.11.11.1"), nil)
	want := ping.Options{Count: 2, Interval: 500 * time.Millisecond, Wait: 3 * time.Second, Size: 100, TTL: 9}
	if err != nil || len(o.Addresses) != 2 || o.Addresses[0] != netip.MustParseAddr("11.11.11.3") {
		t.Fatalf("%v: %+v", err, o)
	}
	if o.Addresses = nil; o.Count != want.Count || o.Interval != want.Interval || o.Wait != want.Wait || o.Size != want.Size || o.TTL != want.TTL {
		t.Errorf("got %+v, want %+v", o, want)
	}
	for line, want := range map[string]string{
		"":                      "want at least one address",
		"example.com":           "want an address",
		"-c 1 11.11.11":         "want an address",
		"-c 1 fd00::1::2":       "want an address",
		"-c -1 1.1.1.1":         "want 1 or more",
		"-s 70000 1.1.1.1":      "want 0 to 65507 bytes",
		"-t 256 1.1.1.1":        "want 1 to 255",
		"-i 0 1.1.1.1":          "want 0.002 to 3600 seconds",
		"-W 0 1.1.1.1":          "want more than 0",
		"1.1.1.1 1.1.1.2":       "several addresses need -c",
		"-z 1.1.1.1":            "unknown shorthand",
		"-c 1 -W 1e300 1.1.1.1": "want more than 0 and at most 3600",
		"-c 1 -i 1e300 1.1.1.1": "want 0.002 to 3600 seconds",
		"-c 1 -i NaN 127.0.0.1": "want 0.002 to 3600 seconds",
	} {
		if _, err := ping.Parse(strings.Fields(line), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ping %s: %v, want %q", line, err, want)
		}
	}
}

// needRoot skips a test that needs a raw socket, which in CI is a failure.
func needRoot(t *testing.T) {
	t.Helper()
	switch {
	case os.Geteuid() == 0:
	case os.Getenv("CI") == "true":
		t.Fatal("needs root")
	default:
		t.Skip("needs root")
	}
}

func TestLoopback(t *testing.T) {
	needRoot(t)
	o, err := ping.Parse(strings.Fields("-c 2 -i 0.01 -s 20 127.0.0.1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if status := ping.Run(context.Background(), o, ping.OpenHere, &out); status != ping.Answered {
		t.Errorf("status %d\n%s", status, out.String())
	}
	want := regexp.MustCompile(`^PING 127\.0\.0\.1 \(127\.0\.0\.1\) 20\(48\) bytes of data\.
28 bytes from 127\.0\.0\.1: icmp_seq=1 ttl=64 time=[0-9.]+ ms
28 bytes from 127\.0\.0\.1: icmp_seq=2 ttl=64 time=[0-9.]+ ms

--- 127\.0\.0\.1 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time \d+ms
rtt min/avg/max/mdev = [0-9.]+/[0-9.]+/[0-9.]+/[0-9.]+ ms
$`)
	if !want.MatchString(out.String()) {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestInterrupted(t *testing.T) {
	needRoot(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o, _ := ping.Parse([]string{"127.0.0.1"}, nil)
	var out bytes.Buffer
	if status := ping.Run(ctx, o, ping.OpenHere, &out); status != ping.Unanswered || !strings.Contains(out.String(), "0 packets transmitted") {
		t.Errorf("status %d\n%s", status, out.String())
	}
}
