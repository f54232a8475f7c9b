package plan_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/schema"

	"uswitch/cmd/internal/plan"
)

// A key of Docker's and Compose's reference changes the plan, or it is named: in a warning, or in an error. The keys are those
// of Compose's own schema, so that one which it gets one day is met here.

// referenceLab has a place for every key: %[1]s in a service, %[2]s in its attachment to net, %[3]s in net, %[4]s in net's ipam,
// %[5]s in the pool, %[6]s in a port.
const referenceLab = `{"name": "w", "services": {
  "B": {"networks": ["net"], "x-uswitch": {"passive": true}},
  "A": {%[1]s "networks": {"other": {}, "net": {%[2]s "x-a": 1}}, "ports": [{%[6]s "target": 80}]}},
 "networks": {"other": {}, "net": {%[3]s "ipam": {%[4]s "config": [{%[5]s "subnet": "10.1.0.0/24"}]}}}}`

// values are what keys are tried with where a value of their type alone would change nothing, or mean nothing.
var values = map[string]string{
	"ipv4_address": `"10.1.0.77"`, "ipv6_address": `"fd00::1"`, "link_local_ips": `["169.254.1.1"]`, "mac_address": `"02:00:00:00:00:07"`,
	"host_ip": `"127.0.0.1"`, "protocol": `"udp"`, "ip_range": `"10.1.0.128/25"`, "gateway": `"10.1.0.9"`, "aux_addresses": `{"a": "10.1.0.2"}`,
	"depends_on": `["B"]`, "dns": `["9.9.9.9"]`, "dns_opt": `["ndots:2"]`, "environment": `{"A": "b"}`, "extra_hosts": `["a:9.9.9.9"]`,
	"extends": `"B"`, "network_mode": `"none"`, "enable_ipv4": "false", "published": "8080", "priority": "-7", "gw_priority": "7",
	"interface_name": `"net0"`, "annotations": `{"a": "b"}`, "labels": `{"a": "b"}`, "use_service_name_alias": "false",
}

func TestReference(t *testing.T) {
	var document struct {
		Defs map[string]property `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(schema.Schema), &document); err != nil {
		t.Fatal(err)
	}
	service := map[string]property{}
	for _, part := range []string{"service", "container_spec", "workload_spec"} {
		maps.Copy(service, document.Defs[part].Properties)
	}
	network := document.Defs["network"].Properties
	pool := network["ipam"].Properties["config"].Items.Properties
	port, attachment := service["ports"].mapping(), service["networks"].mapping()
	if len(service) < 60 || len(network) < 8 || len(pool) < 4 || len(port) < 6 || len(attachment) < 9 {
		t.Fatalf("the schema has another form: %d %d %d %d %d keys", len(service), len(network), len(pool), len(port), len(attachment))
	}
	for place, keys := range []map[string]property{service, attachment, network, network["ipam"].Properties, pool, port} {
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			switch key {
			case "networks", "ports", "ipam", "config", "subnet", "target": // every lab here has them
				continue
			}
			named(t, place, key, keys[key].value(key))
		}
	}
}

// TestReferenceOfOptions walks the options of Docker's bridge driver, and of its networks (moby, daemon/libnetwork/netlabel and
// drivers/bridge/bridgeutils), and a name that nobody has.
func TestReferenceOfOptions(t *testing.T) {
	for option, value := range map[string]string{
		"bridge.name": "br7", "bridge.enable_ip_masquerade": "false", "bridge.enable_icc": "false", "bridge.host_binding_ipv4": "127.0.0.1",
		"bridge.host_binding_ipv6": "::1", "bridge.gateway_mode_ipv4": "routed", "bridge.gateway_mode_ipv6": "routed", "bridge.inhibit_ipv4": "true",
		"bridge.trusted_host_interfaces": "eth9", "bridge.default_bridge": "true", "driver.mtu": "1400", "container_iface_prefix": "net",
		"host_ipv4": "10.9.9.9", "host_ipv6": "fd00::9", "enable_ipv4": "false", "enable_ipv6": "true", "internal": "true", "nobody": "x",
	} {
		option = "com.docker.network." + option
		named(t, 2, "driver_opts", fmt.Sprintf(`{%q: %q}`, option, value), option)
	}
	for _, option := range []string{"com.docker.network.endpoint.ifname", "com.docker.network.endpoint.sysctls", "nobody"} {
		named(t, 1, "driver_opts", fmt.Sprintf(`{%q: "x"}`, option))
	}
}

// named fails the test unless a key changes the plan, or is named; by its own name, or one of others.
func named(t *testing.T, place int, key, value string, others ...string) {
	t.Helper()
	parse := func(text string) (*plan.Plan, error) {
		var filled [6]any
		for i := range filled {
			filled[i] = ""
		}
		filled[place] = text
		return plan.Parse("w.yaml", []byte(fmt.Sprintf(referenceLab, filled[:]...)), plan.LoadOptions{})
	}
	without, err := parse("")
	if err != nil {
		t.Fatal(err)
	}
	with, err := parse(fmt.Sprintf("%q: %s,", key, value))
	if err != nil {
		if !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %s: refused without a word of it: %v", key, value, err)
		}
		return
	}
	said := strings.Join(with.Warnings, "\n")
	for _, name := range append(others, key) {
		if strings.Contains(said, name) {
			return
		}
	}
	before, after := *without, *with
	before.Warnings, after.Warnings = nil, nil
	a, _ := json.Marshal(before)
	b, _ := json.Marshal(after)
	if string(a) == string(b) {
		t.Errorf("%s: %s: changes nothing, in silence", key, value)
	}
}

// property is a piece of Compose's schema.
type property struct {
	Type              any                 `json:"type"`
	Ref               string              `json:"$ref"`
	Properties        map[string]property `json:"properties"`
	PatternProperties map[string]property `json:"patternProperties"`
	OneOf             []property          `json:"oneOf"`
	Items             *property           `json:"items"`
}

// mapping returns the keys of the form that is a mapping, however deep it is.
func (p property) mapping() map[string]property {
	if len(p.Properties) > 0 {
		return p.Properties
	}
	for _, one := range slices.Concat(p.OneOf, slices.Collect(maps.Values(p.PatternProperties))) {
		if m := one.mapping(); m != nil {
			return m
		}
	}
	if p.Items != nil {
		return p.Items.mapping()
	}
	return nil
}

// value returns a value for a key.
func (p property) value(key string) string {
	if value, ok := values[key]; ok {
		return value
	}
	kind := p.Type
	if several, ok := kind.([]any); ok && len(several) > 0 {
		kind = several[0]
	}
	for _, one := range p.OneOf {
		if kind == nil {
			kind = one.Type
		}
	}
	switch kind {
	case "boolean":
		return "true"
	case "integer", "number":
		return "7"
	case "array":
		return `["x"]`
	case "object":
		return `{"x": "y"}`
	}
	switch p.Ref[strings.LastIndex(p.Ref, "/")+1:] {
	case "list_of_strings":
		return `["x"]`
	case "list_or_dict":
		return `{"x": "y"}`
	}
	return `"x"`
}
