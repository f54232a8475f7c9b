package client

import (
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/docker/types"
)

// networks reads --network and what goes with the first of them.
func (o *Options) networks(r *types.CreateRequest) error {
	r.HostConfig.NetworkMode = "default"
	r.NetworkingConfig.EndpointsConfig = map[string]*types.EndpointSettings{}
	endpoints := r.NetworkingConfig.EndpointsConfig
	for i, text := range o.Networks {
		name, settings, err := parseNetwork(text)
		if err != nil {
			return err
		}
		if len(o.Networks) > 1 && slices.Contains([]string{"default", "bridge", "host", "none"}, name) || len(o.Networks) > 1 && strings.HasPrefix(name, "container:") {
			return errors.New("conflicting options: cannot attach both user-defined and non-user-defined network-modes")
		}
		if endpoints[name] != nil {
			return fmt.Errorf("network %q is specified multiple times", name)
		}
		if i == 0 {
			r.HostConfig.NetworkMode = name
		}
		endpoints[name] = settings
	}
	mode := r.HostConfig.NetworkMode
	if len(o.Aliases) == 0 && o.IP == "" && o.MAC == "" {
		maps.DeleteFunc(endpoints, func(name string, _ *types.EndpointSettings) bool {
			return name == "host" || name == "none" || strings.HasPrefix(name, "container:")
		})
		return nil
	}
	if o.MAC != "" {
		if _, err := net.ParseMAC(o.MAC); err != nil {
			return fmt.Errorf("%s is not a valid mac address", o.MAC)
		}
		if strings.HasPrefix(mode, "container:") {
			return errors.New("conflicting options: mac-address and the network mode")
		}
	}
	first := endpoints[mode]
	if first == nil {
		first = &types.EndpointSettings{}
		endpoints[mode] = first
	}
	first.Aliases = append(first.Aliases, o.Aliases...)
	if o.IP != "" {
		first.IPAMConfig = &types.EndpointIPAMConfig{IPv4Address: o.IP}
	}
	if o.MAC != "" {
		first.MacAddress = o.MAC
	}
	return nil
}

// parseNetwork reads a network's name, or its long form: name=front,alias=web,ip=10.1.0.7,mac-address=...,gw-priority=1.
func parseNetwork(text string) (name string, s *types.EndpointSettings, err error) {
	s = &types.EndpointSettings{}
	if !strings.Contains(text, "=") {
		return text, s, nil
	}
	fields, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return "", nil, fmt.Errorf("invalid argument %q for \"--network\" flag: %w", text, err)
	}
	for _, field := range fields {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "name":
			name = value
		case "alias":
			s.Aliases = append(s.Aliases, value)
		case "ip":
			s.IPAMConfig = &types.EndpointIPAMConfig{IPv4Address: value}
		case "mac-address":
			s.MacAddress = value
		case "gw-priority":
			if s.GwPriority, err = strconv.Atoi(value); err != nil {
				return "", nil, fmt.Errorf("invalid gw-priority (%s): want a whole number", value)
			}
		default:
			return "", nil, fmt.Errorf("invalid argument %q for \"--network\" flag: unknown key %s; there are name, alias, ip, mac-address and gw-priority", text, key)
		}
	}
	if name == "" {
		return "", nil, fmt.Errorf("invalid argument %q for \"--network\" flag: network name/id is not specified", text)
	}
	return name, s, nil
}
