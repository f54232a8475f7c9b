package session

import (
	"cmp"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// InsideHost reports whether this process is inside a host of a lab, by `uswitch exec`, by "ip netns exec" or otherwise: then
// what it sends is the host's to send, and not the gateway's.
func InsideHost(ctx context.Context) bool {
	if os.Getenv("USWITCH_HOST") != "" {
		return true
	}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return false // no Linux, no namespaces
	}
	for _, answer := range api.AskAll(ctx, func(ctx context.Context, lab *api.Client) (hosts []api.Host, err error) {
		err = lab.Get(ctx, "/v1/hosts", nil, &hosts)
		return hosts, err
	}) {
		for _, h := range answer.Said { // none of one that is gone meanwhile
			if h.Mode != "host" && tap.ID(h.Namespace.ID).String() == own {
				return true
			}
		}
	}
	return false
}

// routes returns the networks that this machine has routes to, so that a lab chooses no subnet among them.
func routes() []netip.Prefix {
	text, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return nil // not Linux: labs are simulated there, and disturb nobody
	}
	return parseRoutes(string(text))
}

// parseRoutes reads the kernel's table: a line for each route, with numbers in hexadecimal in the machine's byte order.
//
//	Iface  Destination  Gateway   Flags  RefCnt  Use  Metric  Mask      MTU  Window  IRTT
//	eth0   0002000A     00000000  0001   0       0    0       00FFFFFF  0    0       0
func parseRoutes(text string) (prefixes []netip.Prefix) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 8 {
			continue
		}
		destination, err := strconv.ParseUint(fields[1], 16, 32)
		mask, err2 := strconv.ParseUint(fields[7], 16, 32)
		if err != nil || err2 != nil || mask == 0 { // the heading, or the default route
			continue
		}
		var a, m [4]byte
		binary.NativeEndian.PutUint32(a[:], uint32(destination))
		binary.NativeEndian.PutUint32(m[:], uint32(mask))
		ones, _ := net.IPMask(m[:]).Size()
		prefixes = append(prefixes, netip.PrefixFrom(netip.AddrFrom4(a), ones).Masked())
	}
	return prefixes
}

// outerMTU returns the MTU of the interface from which other machines are reached: the one with the address local or, if that is zero,
// the one that leads to the first of the peers. Where it cannot be found it is Ethernet's.
func outerMTU(local netip.Addr, peers []string) int {
	const ethernet = 1500
	if !local.IsValid() && len(peers) > 0 {
		local, _ = world.SourceFor(peers[0])
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return ethernet
	}
	for _, i := range interfaces {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && local.IsValid() && n.IP.Equal(local.AsSlice()) {
				return min(i.MTU, maxOuterMTU)
			}
		}
	}
	return ethernet
}

// maxOuterMTU is what an IPv4 packet can hold at most, which the loopback's MTU of 65,536 is above.
const maxOuterMTU = 65535

// release and commit are what the Makefile builds in (-ldflags -X), from git's words; a plain go build has neither.
var release, commit string

// Version returns the version in one line: the release, or the module's version; the commit that it was built from, where
// that is known; Go's, and the machine's kind.
func Version() string {
	version, from := release, commit
	if info, ok := debug.ReadBuildInfo(); ok {
		version, from = cmp.Or(version, info.Main.Version), cmp.Or(from, revision(info))
	}
	words := []string{"uswitch", cmp.Or(version, "(devel)")}
	if from != "" {
		words = append(words, "commit "+from)
	}
	return strings.Join(append(words, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH), " ")
}

// revision returns the commit that Go itself noted, shortened as git shortens it.
func revision(info *debug.BuildInfo) string {
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return ""
}
