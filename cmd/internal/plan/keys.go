package plan

import "slices"

// The keys that uswitch acts on, by place. What else Compose's schema allows is warned of and left alone.
var (
	topKeys        = []string{"name", "networks", "services", "x-uswitch"}
	networkKeys    = []string{"attachable", "driver_opts", "internal", "ipam", "name", "x-uswitch"}
	ipamKeys       = []string{"config"}
	poolKeys       = []string{"aux_addresses", "gateway", "ip_range", "subnet"}
	serviceKeys    = []string{"cap_add", "cap_drop", "command", "container_name", "depends_on", "dns", "dns_opt", "dns_search", "entrypoint", "environment", "extra_hosts", "group_add", "hostname", "mac_address", "network_mode", "networks", "ports", "privileged", "profiles", "read_only", "security_opt", "ulimits", "user", "working_dir", "x-uswitch"}
	attachmentKeys = []string{"aliases", "gw_priority", "interface_name", "ipv4_address", "mac_address", "priority", "x-uswitch"}
	portKeys       = []string{"host_ip", "name", "protocol", "published", "target"}
)

// allowedIn returns the keys that uswitch acts on in the mapping at a path, or nil where it does not look.
func allowedIn(at path) []string {
	places := []struct {
		pattern path
		keys    []string
	}{
		{path{}, topKeys},
		{path{"networks", "*"}, networkKeys},
		{path{"networks", "*", "ipam"}, ipamKeys},
		{path{"networks", "*", "ipam", "config", "*"}, poolKeys},
		{path{"services", "*"}, serviceKeys},
		{path{"services", "*", "networks", "*"}, attachmentKeys},
		{path{"services", "*", "ports", "*"}, portKeys},
	}
	for _, p := range places {
		matches := func(pattern, key string) bool { return pattern == "*" || pattern == key }
		if slices.EqualFunc(p.pattern, at, matches) {
			return p.keys
		}
	}
	return nil
}
