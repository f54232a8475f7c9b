package tap

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// decisive are the settings that decide what becomes of a packet, below /proc/sys/net/ipv4 (ip-sysctl.rst).
var decisive = []string{"ip_forward", "ip_default_ttl", "icmp_echo_ignore_all", "icmp_echo_ignore_broadcasts", "icmp_ratemask"}

// decisiveOfDevices are those that every device has.
var decisiveOfDevices = []string{"forwarding", "rp_filter", "arp_ignore", "arp_filter", "arp_announce", "proxy_arp", "accept_local", "route_localnet"}

// readSysctls reads the settings of the calling thread's namespace.
func (in *Inside) readSysctls() {
	names := decisive
	for _, dev := range append([]string{"all"}, linkNames(in.Links)...) {
		for _, name := range decisiveOfDevices {
			names = append(names[:len(names):len(names)], "conf/"+dev+"/"+name)
		}
		if dev != "all" {
			names = append(names, "neigh/"+dev+"/mcast_solicit", "neigh/"+dev+"/app_solicit")
		}
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("/proc/sys/net/ipv4", name))
		if n, bad := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && bad == nil {
			in.sysctls[name] = n
		}
	}
}

func linkNames(links []Link) (names []string) {
	for _, l := range links {
		names = append(names, l.Name)
	}
	return names
}
