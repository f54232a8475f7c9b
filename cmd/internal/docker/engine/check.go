package engine

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
	"uswitch/switch/frame"
)

// checkModes refuses what does not go together (moby daemon/container/container_unix.go, validateNetMode).
func checkModes(c *container) error {
	mode := c.mode()
	if (mode == hostNetwork || strings.HasPrefix(mode, "container:")) && len(c.hostConfig.Links) > 0 {
		kind := map[bool]string{true: "host type networking", false: "container type network"}[mode == hostNetwork]
		return invalid("conflicting options: %s can't be used with links. This would result in undefined behavior", kind)
	}
	if !strings.HasPrefix(mode, "container:") {
		return nil
	}
	h := c.hostConfig
	for what, there := range map[string]bool{
		"hostname and the network mode":                       c.config.Hostname != "",
		"dns and the network mode":                            len(h.DNS) > 0,
		"custom host-to-IP mapping and the network mode":      len(h.ExtraHosts) > 0,
		"port publishing and the container type network mode": len(h.PortBindings) > 0 || h.PublishAllPorts,
	} {
		if there {
			return invalid("conflicting options: %s", what)
		}
	}
	return nil
}

// warnings are Docker's about what has no effect.
func warnings(c *container) (lines []string) {
	if c.mode() == hostNetwork && (len(c.hostConfig.PortBindings) > 0 || c.hostConfig.PublishAllPorts) {
		lines = append(lines, "Published ports are discarded when using host network mode")
	}
	return lines
}

// checkEndpoint accepts what is asked for on a network, in Docker's words (moby daemon/container_operations.go).
func checkEndpoint(network string, s *types.EndpointSettings) error {
	predefined := predefined(network) || strings.HasPrefix(network, "container:")
	var wrong []error
	if s.IPAMConfig != nil && s.IPAMConfig.IPv4Address != "" {
		if predefined {
			wrong = append(wrong, errors.New("user specified IP address is supported on user defined networks only"))
		}
		if a, err := netip.ParseAddr(s.IPAMConfig.IPv4Address); err != nil || !a.Is4() {
			wrong = append(wrong, fmt.Errorf("invalid IPv4 address: %s", s.IPAMConfig.IPv4Address))
		}
	}
	if predefined && len(s.Aliases) > 0 {
		wrong = append(wrong, errors.New("network-scoped alias is supported only for containers in user defined networks"))
	}
	for _, alias := range s.Aliases {
		if err := plan.ValidateName("alias", alias); err != nil {
			wrong = append(wrong, err)
		}
	}
	for _, text := range s.Links {
		link, err := parseLink(text)
		if err == nil {
			err = plan.ValidateName("link", link.Alias)
		}
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	if s.MacAddress != "" {
		if mac, err := frame.ParseMAC(s.MacAddress); err != nil || !mac.IsStation() {
			wrong = append(wrong, fmt.Errorf("invalid MAC address: %s", s.MacAddress))
		}
	}
	if len(wrong) > 0 {
		return invalid("invalid config for network %s: invalid endpoint settings:\n%v", network, errors.Join(wrong...))
	}
	return nil
}
