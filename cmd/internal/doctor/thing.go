package doctor

import (
	"errors"
	"strings"
	"syscall"

	"uswitch/tap"
)

// Names of what is tried besides what package tap tries.
const (
	TrialUser     = "user namespace"
	TrialIDs      = "id map"
	TrialPing     = "ping socket"
	TrialRaw      = "raw socket"
	TrialLowPorts = "ports below 1024"
)

// thing is something that is tried.
type thing struct {
	name      string
	namespace bool   // about the user namespace itself
	optional  bool   // labs do without
	without   string // how
	remedy    func(Place, error) string
}

// rows are the things in the order in which a lab meets them.
var rows = []thing{
	{name: tap.TrialTUN, remedy: func(p Place, err error) string { return p.remedy(err, true) }},
	{name: tap.TrialCapabilities, remedy: func(p Place, _ error) string {
		switch {
		case p.Container != "":
			return p.command()
		case p.Root:
			return "a root that has them; without, a user namespace gives them"
		}
		return "run as root, or rootless: in a user namespace"
	}},
	{name: TrialUser, namespace: true, remedy: func(p Place, _ error) string { return p.namespaceWall() }},
	{name: TrialIDs, namespace: true, remedy: func(p Place, _ error) string { return p.namespaceWall() }},
	{name: tap.TrialNetworks, remedy: Place.rightsRemedy},
	{name: tap.TrialMountNamespace, remedy: Place.rightsRemedy},
	{name: tap.TrialMounts, remedy: Place.rightsRemedy},
	{name: tap.TrialNames, remedy: func(p Place, err error) string { return p.remedy(err, true) }},
	{name: tap.TrialNIC, remedy: Place.rightsRemedy},
	{name: tap.TrialMove, remedy: Place.rightsRemedy},
	{name: tap.TrialIPv6, remedy: Place.rightsRemedy},
	{name: tap.TrialUp, remedy: Place.rightsRemedy},
	{name: tap.TrialHeaders, optional: true, without: withoutOffload, remedy: newer("2.6.27")},
	{name: tap.TrialCSUM, optional: true, without: withoutOffload, remedy: newer("2.6.27")},
	{name: tap.TrialTSO, optional: true, without: withoutOffload, remedy: newer("2.6.27")},
	{name: tap.TrialUSO, optional: true, without: "super-frames of UDP are cut up before they are handed over", remedy: newer("6.2")},
	{name: tap.TrialMonitor, optional: true, without: "labs look at their interfaces twice a second instead", remedy: func(p Place, _ error) string {
		return p.capability("NET_BROADCAST")
	}},
	{name: TrialPing, optional: true, without: "the host uplink sends pings by a raw socket, if it may", remedy: func(Place, error) string {
		return "`sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"`"
	}},
	{name: TrialRaw, optional: true, without: "with the host uplink, errors of hosts (ICMP unreachable and the like) stay inside", remedy: func(p Place, _ error) string {
		return p.capability("NET_RAW")
	}},
	{name: TrialLowPorts, optional: true, without: "published ports begin at 1024", remedy: func(Place, error) string {
		return "`sudo sysctl -w net.ipv4.ip_unprivileged_port_start=0`"
	}},
}

const withoutOffload = "frames go as on a wire, which is slower"

// newer names the Linux that has it, for whoever has an older one.
func newer(version string) func(Place, error) string {
	return func(_ Place, err error) string {
		if errors.Is(err, syscall.EINVAL) {
			return "Linux has it from " + version + " on"
		}
		return ""
	}
}

// rightsRemedy is what helps where root of the place, or of a user namespace, is refused something.
func (p Place) rightsRemedy(err error) string {
	switch {
	case strings.Contains(err.Error(), "chroot"), strings.Contains(err.Error(), "there are no more than"), p.Container != "":
		return p.remedy(err, true)
	case p.Seccomp:
		return "a seccomp filter is on this process: outside of it this can be had"
	case !p.Root:
		return "run as root, or rootless: in a user namespace"
	}
	return ""
}

// capability is what helps where one is missing that is no more than useful.
func (p Place) capability(name string) string {
	if p.Container != "" {
		return "add --cap-add " + name
	}
	return "CAP_" + name + ", which root has"
}
