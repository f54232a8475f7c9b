package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
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
	if s.IPAMConfig != nil && s.IPAMConfig.IPv6Address != "" {
		if predefined {
			wrong = append(wrong, errors.New("user specified IP address is supported on user defined networks only"))
		}
		if a, err := netip.ParseAddr(s.IPAMConfig.IPv6Address); err != nil || !a.Is6() {
			wrong = append(wrong, fmt.Errorf("invalid IPv6 address: %s", s.IPAMConfig.IPv6Address))
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

// What a request to create a container may say besides what api.CreateRequest holds is told of: who believes to have bounded a
// container must hear that it is not bounded.

// use is what becomes of a key of the request.
type use struct {
	acted bool     // on; or it changes nothing that anybody could miss
	why   string   // it is not, behind a colon
	usual []string // values, as JSON, that say nothing; besides null, "", 0, false, [], {} and lists of such
}

const (
	ownFiles     = "programs see this machine's own files"
	ownResources = "programs share what this machine has"
	ownProcesses = "programs are processes of this machine, and see the others"
)

func acted() use             { return use{acted: true} }
func idle(why string) use    { return use{why: why} }
func shared() use            { return use{why: ownResources} }
func usual(value string) use { return use{usual: []string{value}} }

// configUse and hostConfigUse have every key of Docker's container.Config and container.HostConfig (API 1.51).
var (
	configUse = map[string]use{
		"Hostname": acted(), "User": acted(), "AttachStdin": acted(), "AttachStdout": acted(), "AttachStderr": acted(), "ExposedPorts": acted(),
		"Tty": acted(), "OpenStdin": acted(), "StdinOnce": acted(), "Env": acted(), "Cmd": acted(), "Image": acted(), "WorkingDir": acted(),
		"Entrypoint": acted(), "Labels": acted(), "StopSignal": acted(), "StopTimeout": acted(), "HostConfig": acted(), "NetworkingConfig": acted(),
		"ArgsEscaped": acted(), "OnBuild": acted(), "Shell": acted(), // which say something to Windows and to docker build
		"Domainname": idle(""), "Healthcheck": idle("a container is ready once it has been started"), "Volumes": idle(ownFiles),
		"NetworkDisabled": idle("want --network none"), "MacAddress": idle("want it at the network"),
	}
	hostConfigUse = map[string]use{
		"NetworkMode": acted(), "PortBindings": acted(), "AutoRemove": acted(), "Dns": acted(), "DnsOptions": acted(), "DnsSearch": acted(),
		"ExtraHosts": acted(), "Links": acted(), "PublishAllPorts": acted(), "CapAdd": acted(), "CapDrop": acted(), "GroupAdd": acted(),
		"Privileged": acted(), "ReadonlyRootfs": acted(), "SecurityOpt": acted(), "Ulimits": acted(),
		"ContainerIDFile": acted(), "ConsoleSize": acted(), "Annotations": acted(), // notes, and the size that resize tells again
		"LogConfig": {why: "uswitch docker logs has the last 1 MiB", usual: []string{`{"Type":"","Config":{}}`, `{"Type":"","Config":null}`}}, "RestartPolicy": {why: "a command that has ended stays ended", usual: []string{`{"Name":"no","MaximumRetryCount":0}`, `{"Name":"","MaximumRetryCount":0}`}},
		"Binds": idle(ownFiles), "VolumeDriver": idle(ownFiles), "VolumesFrom": idle(ownFiles), "Mounts": idle(ownFiles), "Tmpfs": idle(ownFiles),
		"StorageOpt": idle(ownFiles), "MaskedPaths": idle(ownFiles), "ReadonlyPaths": idle(ownFiles), "Devices": idle(ownFiles),
		"DeviceCgroupRules": idle(ownFiles), "DeviceRequests": idle(ownFiles),
		"PidMode": {why: ownProcesses, usual: []string{`"host"`}}, "IpcMode": {why: ownProcesses, usual: []string{`"host"`}}, "UTSMode": usual(`"private"`),
		"UsernsMode": usual(`"host"`), "CgroupnsMode": {why: ownProcesses, usual: []string{`"host"`}}, "Cgroup": shared(), "CgroupParent": shared(), "Init": idle(ownProcesses),
		"OomScoreAdj": shared(), "OomKillDisable": shared(), "PidsLimit": shared(), "ShmSize": shared(), "Sysctls": acted(),
		"Runtime": usual(`"runc"`), "Isolation": usual(`"default"`),
		"Memory": shared(), "MemoryReservation": shared(), "MemorySwap": shared(), "MemorySwappiness": {why: ownResources, usual: []string{"-1"}},
		"KernelMemory": shared(), "KernelMemoryTCP": shared(), "NanoCpus": shared(), "CpuShares": shared(), "CpuPeriod": shared(), "CpuQuota": shared(),
		"CpuRealtimePeriod": shared(), "CpuRealtimeRuntime": shared(), "CpusetCpus": shared(), "CpusetMems": shared(), "CpuCount": shared(),
		"CpuPercent": shared(), "IOMaximumIOps": shared(), "IOMaximumBandwidth": shared(), "BlkioWeight": shared(), "BlkioWeightDevice": shared(),
		"BlkioDeviceReadBps": shared(), "BlkioDeviceWriteBps": shared(), "BlkioDeviceReadIOps": shared(), "BlkioDeviceWriteIOps": shared(),
	}
)

// endpointUse and endpointIPAMUse have every key of Docker's network.EndpointSettings and network.EndpointIPAMConfig. What is
// found out, and only told, is nothing that a request could want.
var (
	endpointUse = map[string]use{
		"IPAMConfig": acted(), "Links": acted(), "Aliases": acted(), "MacAddress": acted(), "GwPriority": acted(),
		"DriverOpts": idle("want them in the lab's file"),
		"NetworkID":  acted(), "EndpointID": acted(), "Gateway": acted(), "IPAddress": acted(), "IPPrefixLen": acted(), "IPv6Gateway": acted(),
		"GlobalIPv6Address": acted(), "GlobalIPv6PrefixLen": acted(), "DNSNames": acted(),
	}
	endpointIPAMUse = map[string]use{
		"IPv4Address": acted(), "IPv6Address": acted(), "LinkLocalIPs": idle("an interface has one address"),
	}
)

// idleKeys are sentences about what a request to create a container says and nobody acts on, sorted.
func idleKeys(request []byte) (lines []string) {
	var config, host map[string]json.RawMessage
	if json.Unmarshal(request, &config) != nil {
		return nil // which who reads it in earnest says
	}
	_ = json.Unmarshal(config["HostConfig"], &host)
	lines = append(idleIn(config, configUse), idleIn(host, hostConfigUse)...)
	var networking struct{ EndpointsConfig map[string]json.RawMessage }
	_ = json.Unmarshal(config["NetworkingConfig"], &networking)
	for _, network := range slices.Sorted(maps.Keys(networking.EndpointsConfig)) {
		for _, line := range idleEndpointKeys(networking.EndpointsConfig[network]) {
			lines = append(lines, "network "+network+": "+line)
		}
	}
	var options []string
	_ = json.Unmarshal(host["SecurityOpt"], &options)
	for _, option := range options {
		if !new(plan.Rights).SecurityOption(option) {
			lines = append(lines, fmt.Sprintf("SecurityOpt %q is not acted on", option))
		}
	}
	return lines
}

// idleEndpointKeys are such sentences about an attachment to a network.
func idleEndpointKeys(settings []byte) []string {
	var endpoint, ipam map[string]json.RawMessage
	_ = json.Unmarshal(settings, &endpoint)
	_ = json.Unmarshal(endpoint["IPAMConfig"], &ipam)
	return append(idleIn(endpoint, endpointUse), idleIn(ipam, endpointIPAMUse)...)
}

func idleIn(said map[string]json.RawMessage, uses map[string]use) (lines []string) {
	for _, key := range slices.Sorted(maps.Keys(said)) {
		u, known := uses[key]
		switch value := compact(said[key]); {
		case u.acted, saysNothing(said[key]), known && slices.Contains(u.usual, value):
		case !known:
			lines = append(lines, key+" is not known here, and not acted on")
		case u.why == "":
			lines = append(lines, key+" is not acted on")
		default:
			lines = append(lines, key+" is not acted on: "+u.why)
		}
	}
	return lines
}

// compact is JSON without blanks.
func compact(value json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return string(value)
	}
	return b.String()
}

// saysNothing reports whether a value is none, or a list of such.
func saysNothing(value json.RawMessage) bool {
	var v any
	return json.Unmarshal(value, &v) == nil && isNothing(v)
}

func isNothing(v any) bool {
	switch v := v.(type) {
	case []any:
		return !slices.ContainsFunc(v, func(v any) bool { return !isNothing(v) })
	case map[string]any:
		return len(v) == 0
	}
	return v == nil || v == "" || v == 0.0 || v == false
}
