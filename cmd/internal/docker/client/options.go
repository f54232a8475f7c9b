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

	"github.com/docker/go-connections/nat"
	"github.com/docker/go-units"

	"uswitch/cmd/internal/docker/types"
)

// Options are the flags of docker run and docker create, as they were written.
type Options struct {
	Name           string
	Detach, Remove bool
	Interactive    bool
	TTY            bool
	Networks       []string // names, or name=...,alias=...,ip=...
	Aliases        []string
	IP, IP6, MAC   string
	Publish        []string
	PublishAll     bool
	Expose         []string
	Hostname       string
	AddHosts       []string // name:address
	DNS            []string
	DNSOptions     []string
	DNSSearch      []string
	Links          []string
	Env            []string
	WorkingDir     string
	Entrypoint     string
	Labels         []string
	StopSignal     string
	StopTimeout    int // negative: the usual
	User           string
	Groups         []string
	CapAdd         []string
	CapDrop        []string
	SecurityOpt    []string
	Privileged     bool
	ReadOnly       bool
	Ulimits        []string // NAME=SOFT[:HARD]
	Sysctls        []string // NAME=VALUE
}

// Request says it in the words of the API. environment looks up a variable that is named without a value. The errors have
// docker's words.
func (o *Options) Request(image string, argv []string, environment func(string) (string, bool)) (types.CreateRequest, error) {
	r := types.CreateRequest{
		Config: types.Config{Image: image, Cmd: argv, Hostname: o.Hostname, Tty: o.TTY, WorkingDir: o.WorkingDir,
			StopSignal: o.StopSignal, OpenStdin: o.Interactive, User: o.User, StdinOnce: o.Interactive && !o.Detach, AttachStdin: o.Interactive && !o.Detach,
			AttachStdout: !o.Detach, AttachStderr: !o.Detach, Labels: map[string]string{}},
		HostConfig: types.HostConfig{AutoRemove: o.Remove, PublishAllPorts: o.PublishAll, DNS: o.DNS, DNSOptions: o.DNSOptions,
			DNSSearch: o.DNSSearch, Links: o.Links, GroupAdd: o.Groups, CapAdd: o.CapAdd, CapDrop: o.CapDrop, SecurityOpt: o.SecurityOpt,
			Privileged: o.Privileged, ReadonlyRootfs: o.ReadOnly},
	}
	if o.Entrypoint != "" {
		r.Entrypoint = []string{o.Entrypoint}
	}
	if o.StopTimeout >= 0 {
		r.StopTimeout = &o.StopTimeout
	}
	for _, label := range o.Labels {
		key, value, _ := strings.Cut(label, "=")
		r.Labels[key] = value
	}
	for _, line := range o.Env {
		if name, _, ok := strings.Cut(line, "="); !ok {
			value, set := environment(name)
			if !set {
				continue
			}
			line = name + "=" + value
		}
		r.Env = append(r.Env, line)
	}
	return r, errors.Join(o.names(&r), o.ports(&r), o.networks(&r), o.limits(&r))
}

// names checks what is given for looking up names.
func (o *Options) names(r *types.CreateRequest) error {
	for _, address := range o.DNS {
		if net.ParseIP(address) == nil {
			return fmt.Errorf("invalid argument %q for \"--dns\" flag: IP address is not correctly formatted: %s", address, address)
		}
	}
	for _, line := range o.AddHosts {
		name, address, ok := strings.Cut(line, ":")
		if before, after, equals := strings.Cut(line, "="); equals {
			name, address, ok = before, after, true
		}
		if !ok || name == "" {
			return fmt.Errorf("invalid argument %q for \"--add-host\" flag: bad format for add-host: %q", line, line)
		}
		if address != "host-gateway" && net.ParseIP(address) == nil {
			return fmt.Errorf("invalid argument %q for \"--add-host\" flag: invalid IP address in add-host: %q", line, address)
		}
		r.HostConfig.ExtraHosts = append(r.HostConfig.ExtraHosts, name+":"+address)
	}
	for _, link := range o.Links {
		if strings.Count(link, ":") > 1 || link == "" || strings.HasPrefix(link, ":") {
			return fmt.Errorf("invalid argument %q for \"--link\" flag: bad format for links: %s", link, link)
		}
	}
	return nil
}

// ports reads -p and --expose.
func (o *Options) ports(r *types.CreateRequest) error {
	exposed, bindings, err := nat.ParsePortSpecs(o.Publish)
	if err != nil {
		return lowerFirst(err)
	}
	r.ExposedPorts = map[string]struct{}{}
	for port := range exposed {
		r.ExposedPorts[string(port)] = struct{}{}
	}
	r.HostConfig.PortBindings = map[string][]types.PortBinding{}
	for port, all := range bindings {
		for _, b := range all {
			r.HostConfig.PortBindings[string(port)] = append(r.HostConfig.PortBindings[string(port)], types.PortBinding(b))
		}
	}
	for _, text := range o.Expose {
		proto, ports := nat.SplitProtoPort(text)
		first, last, err := nat.ParsePortRange(ports)
		if err != nil {
			return fmt.Errorf("invalid range format for --expose: %s, error: %w", text, err)
		}
		for n := first; n <= last; n++ {
			r.ExposedPorts[fmt.Sprintf("%d/%s", n, proto)] = struct{}{}
		}
	}
	return nil
}

// limits reads --ulimit.
func (o *Options) limits(r *types.CreateRequest) error {
	for _, text := range o.Ulimits {
		l, err := units.ParseUlimit(text)
		if err != nil {
			return fmt.Errorf("invalid argument %q for \"--ulimit\" flag: %w", text, err)
		}
		r.HostConfig.Ulimits = append(r.HostConfig.Ulimits, types.Ulimit{Name: l.Name, Hard: l.Hard, Soft: l.Soft})
	}
	for _, text := range o.Sysctls {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("invalid argument %q for \"--sysctl\" flag: want NAME=VALUE", text)
		}
		if r.HostConfig.Sysctls == nil {
			r.HostConfig.Sysctls = map[string]string{}
		}
		r.HostConfig.Sysctls[name] = value
	}
	return nil
}

// lowerFirst writes an error as docker does since its sentences begin with small letters.
func lowerFirst(err error) error {
	text := err.Error()
	return errors.New(strings.ToLower(text[:1]) + text[1:])
}

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
	if len(o.Aliases) == 0 && o.IP == "" && o.IP6 == "" && o.MAC == "" {
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
	if o.IP != "" || o.IP6 != "" {
		first.IPAMConfig = &types.EndpointIPAMConfig{IPv4Address: o.IP, IPv6Address: o.IP6}
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
