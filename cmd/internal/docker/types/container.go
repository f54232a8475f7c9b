package types

import (
	"time"
)

// Config is the part of a container's configuration that does not depend on the machine.
type Config struct {
	Hostname     string              `json:"Hostname"`
	Domainname   string              `json:"Domainname"`
	User         string              `json:"User"` // NAME or UID, and perhaps :GROUP, of this machine
	AttachStdin  bool                `json:"AttachStdin"`
	AttachStdout bool                `json:"AttachStdout"`
	AttachStderr bool                `json:"AttachStderr"`
	ExposedPorts map[string]struct{} `json:"ExposedPorts,omitempty"` // as in 80/tcp
	Tty          bool                `json:"Tty"`
	OpenStdin    bool                `json:"OpenStdin"`
	StdinOnce    bool                `json:"StdinOnce"`
	Env          []string            `json:"Env"`
	Cmd          []string            `json:"Cmd"`
	Image        string              `json:"Image"`
	WorkingDir   string              `json:"WorkingDir"`
	Entrypoint   []string            `json:"Entrypoint"`
	Labels       map[string]string   `json:"Labels"`
	StopSignal   string              `json:"StopSignal,omitempty"`
	StopTimeout  *int                `json:"StopTimeout,omitempty"` // seconds
}

// HostConfig is the part that does.
type HostConfig struct {
	NetworkMode     string                   `json:"NetworkMode"`  // default, bridge, none, host, container:ID, or a network's name
	PortBindings    map[string][]PortBinding `json:"PortBindings"` // by the container's port: 80/tcp
	AutoRemove      bool                     `json:"AutoRemove"`
	DNS             []string                 `json:"Dns"`
	DNSOptions      []string                 `json:"DnsOptions"`
	DNSSearch       []string                 `json:"DnsSearch"`
	ExtraHosts      []string                 `json:"ExtraHosts"` // name:address
	Links           []string                 `json:"Links"`      // container:alias
	PublishAllPorts bool                     `json:"PublishAllPorts"`
	CapAdd          []string                 `json:"CapAdd"`
	CapDrop         []string                 `json:"CapDrop"`
	GroupAdd        []string                 `json:"GroupAdd"`
	Privileged      bool                     `json:"Privileged"`
	ReadonlyRootfs  bool                     `json:"ReadonlyRootfs"`
	SecurityOpt     []string                 `json:"SecurityOpt"`
	Ulimits         []Ulimit                 `json:"Ulimits"`
	Sysctls         map[string]string        `json:"Sysctls,omitempty"` // net.* alone
}

// Ulimit bounds a resource; -1: unlimited.
type Ulimit struct {
	Name string
	Hard int64
	Soft int64
}

// PortBinding is where a container's port is published.
type PortBinding struct {
	HostIP   string `json:"HostIp"`
	HostPort string `json:"HostPort"` // a number, a range, or empty for any
}

// CreateRequest is the body of POST /containers/create; the name stands in the query.
type CreateRequest struct {
	Config
	HostConfig       HostConfig
	NetworkingConfig NetworkingConfig
}

// NetworkingConfig says how a new container is attached, by network.
type NetworkingConfig struct {
	EndpointsConfig map[string]*EndpointSettings
}

// CreateResponse answers it. Warnings are sentences for the person.
type CreateResponse struct {
	ID       string `json:"Id"`
	Warnings []string
}

// State is what a container is doing.
type State struct {
	Status     string    `json:"Status"` // created, running or exited
	Running    bool      `json:"Running"`
	Pid        int       `json:"Pid"` // 0 unless it runs
	ExitCode   int       `json:"ExitCode"`
	Error      string    `json:"Error"`
	StartedAt  time.Time `json:"StartedAt"`
	FinishedAt time.Time `json:"FinishedAt"`
}

// Container is what docker inspect prints of a container.
type Container struct {
	ID              string          `json:"Id"`
	Created         time.Time       `json:"Created"`
	Path            string          `json:"Path"`
	Args            []string        `json:"Args"`
	State           State           `json:"State"`
	Image           string          `json:"Image"` // the name: there is no image
	ResolvConfPath  string          `json:"ResolvConfPath"`
	HostnamePath    string          `json:"HostnamePath"`
	HostsPath       string          `json:"HostsPath"`
	Name            string          `json:"Name"` // with a slash before it
	HostConfig      HostConfig      `json:"HostConfig"`
	Config          Config          `json:"Config"`
	NetworkSettings NetworkSettings `json:"NetworkSettings"`
}

// NetworkSettings is a container's place in its networks. The fields behind Ports repeat the endpoint on the default
// bridge, as they have done since there was nothing else.
type NetworkSettings struct {
	Bridge      string                       `json:"Bridge"`
	SandboxID   string                       `json:"SandboxID"`
	SandboxKey  string                       `json:"SandboxKey"` // the path of its network namespace
	Ports       map[string][]PortBinding     `json:"Ports"`
	EndpointID  string                       `json:"EndpointID"`
	Gateway     string                       `json:"Gateway"`
	IPAddress   string                       `json:"IPAddress"`
	IPPrefixLen int                          `json:"IPPrefixLen"`
	MacAddress  string                       `json:"MacAddress"`
	Networks    map[string]*EndpointSettings `json:"Networks"`
}

// EndpointSettings is one attachment of a container to a network. The first half is what was asked for, the second what
// became of it.
type EndpointSettings struct {
	IPAMConfig          *EndpointIPAMConfig `json:"IPAMConfig"`
	Links               []string            `json:"Links"`
	Aliases             []string            `json:"Aliases"`
	MacAddress          string              `json:"MacAddress"`
	DriverOpts          map[string]string   `json:"DriverOpts"`
	GwPriority          int                 `json:"GwPriority"`
	NetworkID           string              `json:"NetworkID"`
	EndpointID          string              `json:"EndpointID"`
	Gateway             string              `json:"Gateway"`
	IPAddress           string              `json:"IPAddress"`
	IPPrefixLen         int                 `json:"IPPrefixLen"`
	IPv6Gateway         string              `json:"IPv6Gateway"` // these three are empty on a network without IPv6
	GlobalIPv6Address   string              `json:"GlobalIPv6Address"`
	GlobalIPv6PrefixLen int                 `json:"GlobalIPv6PrefixLen"`
	DNSNames            []string            `json:"DNSNames"`
}

// EndpointIPAMConfig is an address that was asked for.
type EndpointIPAMConfig struct {
	IPv4Address string `json:",omitempty"`
	IPv6Address string `json:",omitempty"`
}

// Summary is a row of docker ps.
type Summary struct {
	ID              string   `json:"Id"`
	Names           []string // with slashes before them
	Image           string
	Command         string
	Created         int64 // seconds since 1970
	Ports           []Port
	Labels          map[string]string
	State           string
	Status          string // as in Up 5 minutes
	HostConfig      SummaryHostConfig
	NetworkSettings SummaryNetworks
}

// SummaryHostConfig is what a Summary has of the HostConfig.
type SummaryHostConfig struct{ NetworkMode string }

// SummaryNetworks is what a Summary has of the NetworkSettings.
type SummaryNetworks struct {
	Networks map[string]*EndpointSettings
}

// Port is a port of a container that is exposed or, with a public number, published.
type Port struct {
	IP          string `json:",omitempty"`
	PrivatePort uint16
	PublicPort  uint16 `json:",omitempty"`
	Type        string // tcp or udp
}

// WaitResponse tells how a container's command has ended.
type WaitResponse struct {
	StatusCode int
}

// ExecConfig is the body of POST /containers/NAME/exec: a program that is to run beside a container's own.
type ExecConfig struct {
	User        string // empty: the container's
	Privileged  bool   // with all capabilities
	AttachStdin bool
	Tty         bool
	Cmd         []string
	Env         []string
	WorkingDir  string
}

// ExecCreateResponse answers it.
type ExecCreateResponse struct {
	ID string `json:"Id"`
}

// ExecStartRequest is the body of POST /exec/ID/start.
type ExecStartRequest struct {
	Detach bool
	Tty    bool
}

// ExecInspect is what GET /exec/ID/json says.
type ExecInspect struct {
	ID          string
	ContainerID string
	Running     bool
	ExitCode    *int // once it has ended
	Pid         int
}
