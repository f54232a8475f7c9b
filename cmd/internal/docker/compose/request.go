package compose

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	compose "github.com/compose-spec/compose-go/v2/types"

	"uswitch/cmd/internal/docker/types"
)

// The labels by which Compose knows its own.
const (
	labelProject = "com.docker.compose.project"
	labelService = "com.docker.compose.service"
	labelNumber  = "com.docker.compose.container-number"
	labelNetwork = "com.docker.compose.network"
	labelHash    = "com.docker.compose.config-hash"
	labelOneOff  = "com.docker.compose.oneoff"
	labelFiles   = "com.docker.compose.project.config_files"
	labelDir     = "com.docker.compose.project.working_dir"
)

// containerName is what one container of a service is called.
func containerName(p *compose.Project, s compose.ServiceConfig, number int) string {
	if s.ContainerName != "" {
		return s.ContainerName
	}
	return fmt.Sprintf("%s-%s-%d", p.Name, s.Name, number)
}

// request is what is asked for one container of a service. Of those that it shares a namespace with or is linked to, containers
// says what they are called.
func request(p *compose.Project, s compose.ServiceConfig, number int, containers func(service string) []string) types.CreateRequest {
	r := types.CreateRequest{
		Config: types.Config{Image: image(p, s), Entrypoint: s.Entrypoint, Cmd: s.Command, Hostname: s.Hostname, User: s.User,
			WorkingDir: s.WorkingDir, Tty: s.Tty, OpenStdin: s.StdinOpen, StopSignal: s.StopSignal, Labels: map[string]string{},
			ExposedPorts: map[string]struct{}{}, Env: environment(s)},
		HostConfig: types.HostConfig{DNS: s.DNS, DNSOptions: s.DNSOpts, DNSSearch: s.DNSSearch, ExtraHosts: s.ExtraHosts.AsList(":"),
			CapAdd: s.CapAdd, CapDrop: s.CapDrop, GroupAdd: s.GroupAdd, Privileged: s.Privileged, ReadonlyRootfs: s.ReadOnly,
			SecurityOpt: s.SecurityOpt, Sysctls: s.Sysctls, PortBindings: map[string][]types.PortBinding{}},
		NetworkingConfig: types.NetworkingConfig{EndpointsConfig: map[string]*types.EndpointSettings{}},
	}
	if s.StopGracePeriod != nil {
		seconds := int(time.Duration(*s.StopGracePeriod) / time.Second)
		r.StopTimeout = &seconds
	}
	for _, name := range slices.Sorted(maps.Keys(s.Ulimits)) {
		l := s.Ulimits[name]
		soft, hard := l.Soft, l.Hard
		if l.Single != 0 {
			soft, hard = l.Single, l.Single
		}
		r.HostConfig.Ulimits = append(r.HostConfig.Ulimits, types.Ulimit{Name: name, Soft: int64(soft), Hard: int64(hard)})
	}
	ports(&r, s)
	networks(&r, p, s, containers)
	maps.Copy(r.Labels, s.Labels)
	r.Labels[labelHash] = hash(r)
	r.Labels[labelProject], r.Labels[labelService], r.Labels[labelNumber] = p.Name, s.Name, strconv.Itoa(number)
	r.Labels[labelOneOff], r.Labels[labelDir] = "False", p.WorkingDir
	r.Labels[labelFiles] = strings.Join(p.ComposeFiles, ",")
	return r
}

// image is what a service's image is called; one that is to be built has the name that it would be given.
func image(p *compose.Project, s compose.ServiceConfig) string {
	if s.Image == "" {
		return p.Name + "-" + s.Name
	}
	return s.Image
}

// hash tells one configuration from another.
func hash(r types.CreateRequest) string {
	text, _ := json.Marshal(r) // of strings, numbers and maps, which come out sorted
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func environment(s compose.ServiceConfig) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		if value := s.Environment[name]; value != nil {
			lines = append(lines, name+"="+*value)
		}
	}
	return lines
}

func ports(r *types.CreateRequest, s compose.ServiceConfig) {
	for _, port := range s.Expose {
		if !strings.Contains(port, "/") {
			port += "/tcp"
		}
		r.ExposedPorts[port] = struct{}{}
	}
	for _, port := range s.Ports {
		proto := port.Protocol
		if proto == "" {
			proto = "tcp"
		}
		inside := fmt.Sprintf("%d/%s", port.Target, proto)
		r.ExposedPorts[inside] = struct{}{}
		r.HostConfig.PortBindings[inside] = append(r.HostConfig.PortBindings[inside], types.PortBinding{HostIP: port.HostIP, HostPort: port.Published})
	}
}

// networks attaches a container as its service says.
func networks(r *types.CreateRequest, p *compose.Project, s compose.ServiceConfig, containers func(service string) []string) {
	if service, ok := strings.CutPrefix(s.NetworkMode, compose.ServicePrefix); ok {
		if names := containers(service); len(names) > 0 {
			r.HostConfig.NetworkMode = compose.ContainerPrefix + names[0]
		}
		return
	}
	if s.NetworkMode != "" {
		r.HostConfig.NetworkMode = s.NetworkMode
		return
	}
	for i, key := range s.NetworksByPriority() {
		settings := &types.EndpointSettings{Aliases: []string{s.Name}}
		if a := s.Networks[key]; a != nil {
			settings.Aliases = append(settings.Aliases, a.Aliases...)
			settings.MacAddress, settings.GwPriority = a.MacAddress, a.GatewayPriority
			if a.Ipv4Address != "" {
				settings.IPAMConfig = &types.EndpointIPAMConfig{IPv4Address: a.Ipv4Address}
			}
		}
		for _, link := range s.Links {
			service, alias, renamed := strings.Cut(link, ":")
			for _, container := range containers(service) {
				if renamed {
					settings.Links = append(settings.Links, container+":"+alias)
				}
			}
		}
		name := p.Networks[key].Name
		if i == 0 {
			r.HostConfig.NetworkMode = name
			if settings.MacAddress == "" {
				settings.MacAddress = s.MacAddress
			}
		}
		r.NetworkingConfig.EndpointsConfig[name] = settings
	}
	if len(s.Networks) == 0 {
		r.HostConfig.NetworkMode = "none"
	}
}

// networkRequest is what is asked for one of a project's networks.
func networkRequest(p *compose.Project, key string) types.NetworkCreateRequest {
	n := p.Networks[key]
	r := types.NetworkCreateRequest{Name: n.Name, Driver: n.Driver, Internal: n.Internal, Attachable: n.Attachable, EnableIPv6: n.EnableIPv6,
		Options: n.DriverOpts, Labels: map[string]string{labelProject: p.Name, labelNetwork: key}}
	maps.Copy(r.Labels, n.Labels)
	if len(n.Ipam.Config) > 0 {
		r.IPAM = &types.IPAM{Driver: n.Ipam.Driver}
		for _, pool := range n.Ipam.Config {
			r.IPAM.Config = append(r.IPAM.Config, types.IPAMConfig{Subnet: pool.Subnet, IPRange: pool.IPRange, Gateway: pool.Gateway,
				AuxiliaryAddresses: pool.AuxiliaryAddresses})
		}
	}
	return r
}

// Idle returns sentences about what a project says and nobody acts on, sorted.
func Idle(p *compose.Project) (lines []string) {
	who := map[string][]string{}
	for _, name := range p.ServiceNames() {
		s := p.Services[name]
		for key, said := range map[string]bool{
			"volumes": len(s.Volumes) > 0 || len(s.VolumesFrom) > 0, "build": s.Build != nil, "healthcheck": s.HealthCheck != nil,
			"restart": s.Restart != "" && s.Restart != "no", "configs": len(s.Configs) > 0, "secrets": len(s.Secrets) > 0,
			"devices": len(s.Devices) > 0, "tmpfs": len(s.Tmpfs) > 0, "pid": s.Pid != "", "ipc": s.Ipc != "", "domainname": s.DomainName != "",
			"external_links": len(s.ExternalLinks) > 0, "mem_limit": s.MemLimit != 0, "cpus": s.CPUS != 0, "shm_size": s.ShmSize != 0,
			"logging": s.Logging != nil, "deploy": s.Deploy != nil && s.Deploy.Resources.Limits != nil, "develop": s.Develop != nil,
			"post_start": len(s.PostStart) > 0, "pre_stop": len(s.PreStop) > 0,
		} {
			if said {
				who[key] = append(who[key], name)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(who)) {
		line := fmt.Sprintf("%s: not acted on (%s)", key, strings.Join(who[key], ", "))
		if why[key] != "" {
			line += ": " + why[key]
		}
		lines = append(lines, line)
	}
	return lines
}

// why explains the keys that people are most likely to miss.
var why = map[string]string{
	"build":       "programs run on this machine's own files",
	"healthcheck": "a container is ready once it has been started",
	"restart":     "a command that has ended stays ended",
	"volumes":     "programs see this machine's own files",
	"tmpfs":       "programs see this machine's own files",
}
