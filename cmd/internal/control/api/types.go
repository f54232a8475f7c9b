package api

import (
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// Version is the version of what this package speaks. It changes when a client would misunderstand an answer.
const Version = 1

// VersionHeader carries the version in every request and answer.
const VersionHeader = "Uswitch-Api"

// Lab is the answer of /v1/lab.
type Lab struct {
	API      int       `json:"api"`
	Version  string    `json:"version"`
	Name     string    `json:"name"`
	Source   string    `json:"source"` // the file it was made from, as it was named
	PID      int       `json:"pid"`    // of the process that runs it
	Config   string    `json:"config"` // the file's absolute path, or source if it is none
	Started  time.Time `json:"started"`
	Now      time.Time `json:"now"` // by the lab's own clock, which is this machine's unless the lab is simulated
	Hosts    int       `json:"hosts"`
	Networks int       `json:"networks"`
	Uplink   string    `json:"uplink"`
	Forward  bool      `json:"ip_forward"`
	// Simulated: hosts are in the memory of that process, and nobody else can get into them.
	Simulated bool `json:"simulated,omitempty"`
	// Predictions are those of explain, check and reach that were tried with a real packet.
	Predictions Predictions `json:"predictions"`
	// Memory is what the process may have, and what its tables hold for that.
	Memory Memory `json:"memory"`
	// Rights are what may be done to this machine; nil if hosts are in memory.
	Rights *Rights `json:"rights,omitempty"`
}

// Rights are what a lab on real network interfaces may do to its machine, as capabilities (capabilities(7)) by their names.
type Rights struct {
	Kept     []string `json:"kept"`            // by the process that runs the lab
	Programs []string `json:"programs"`        // the only ones that programs of hosts have, but for those of hosts in Other
	Other    []string `json:"other,omitempty"` // hosts that have others, by cap_add, cap_drop, privileged or another user
	// UserNamespace: all of it holds in a user namespace alone, and over nothing of the machine's.
	UserNamespace bool `json:"user_namespace"`
}

// Memory is what a lab's process may have, by its control group, and the bounds that follow from it.
type Memory struct {
	Limit        int64  `json:"limit,omitempty"` // bytes; absent: there is none
	From         string `json:"from,omitempty"`  // the file that says so
	Heap         int64  `json:"gomemlimit,omitempty"`
	Conns        int    `json:"connections"`       // that there are
	MaxConns     int    `json:"max_connections"`   // in the table
	Evicted      uint64 `json:"evicted,omitempty"` // connections that had to make room for others
	MaxFragments int    `json:"max_fragment_bytes"`
	MaxLearned   int    `json:"max_learned"` // addresses, of each network that says nothing else
	MaxSockets   int    `json:"max_sockets"` // of the uplink host
}

// Host is a host of the lab.
type Host struct {
	Name        string      `json:"name"`
	Hostname    string      `json:"hostname"`
	Namespace   Namespace   `json:"namespace"`
	Mode        string      `json:"mode,omitempty"`   // none, host or shared; empty: a namespace of its own, on networks
	Shares      string      `json:"shares,omitempty"` // whose namespace and interfaces are shown; only with shared
	Interfaces  []Interface `json:"interfaces"`
	Gateway     netip.Addr  `json:"gateway,omitzero"`
	Command     []string    `json:"command"`
	Environment []string    `json:"environment,omitempty"`
	// Capabilities are the only ones of the host's programs, by bits; nil: all that there are.
	Capabilities *uint64 `json:"capabilities,omitempty"`
	State        string  `json:"state"`            // of the command: none, waiting, running, ended
	PID          int     `json:"pid,omitempty"`    // while it runs
	Status       int     `json:"status,omitempty"` // when it has ended
}

// What a host's command may be doing.
const (
	CommandNone    = "none"
	CommandWaiting = "waiting"
	CommandRunning = "running"
	CommandEnded   = "ended"
)

// Namespace is a host's namespace.
type Namespace struct {
	Name string      `json:"name"`
	Path string      `json:"path"`
	Lab  string      `json:"lab"` // empty: it is not of the lab's making
	ID   NamespaceID `json:"id"`
}

// NamespaceID tells a namespace from every other since the machine was started; see tap.ID.
type NamespaceID struct {
	Dev    uint64 `json:"dev"`
	Inode  uint64 `json:"inode"`
	Cookie uint64 `json:"cookie"`
}

// Interface is a network interface of a host.
type Interface struct {
	Name      string       `json:"name"`
	Network   string       `json:"network"`
	Address   netip.Prefix `json:"address"`
	MAC       frame.MAC    `json:"mac"`
	MTU       int          `json:"mtu"`
	Unplugged string       `json:"unplugged,omitempty"` // why its cable is out of the switch
}

// Network is a switch and the gateway on it.
type Network struct {
	Name          string       `json:"name"`
	Docker        string       `json:"docker"`
	Subnet        netip.Prefix `json:"subnet"`
	Gateway       netip.Addr   `json:"gateway"`
	GatewayMAC    frame.MAC    `json:"gateway_mac"`
	MTU           int          `json:"mtu"`
	Internal      bool         `json:"internal"`
	Masquerade    bool         `json:"masquerade"`
	AgeingTime    int          `json:"ageing_time"` // seconds
	FDBMaxLearned int          `json:"fdb_max_learned"`
	FDBLearned    int          `json:"fdb_learned"`
	FDBMoves      uint64       `json:"fdb_moves"`               // how often a station was heard behind another port than before
	Conflicts     uint64       `json:"address_conflicts"`       // how often an address was claimed by a second host
	Conflict      string       `json:"last_conflict,omitempty"` // who claimed which the last time
	GroupFwdMask  uint16       `json:"group_fwd_mask"`          // which of 01:80:c2:00:00:03 to :0f go through
	Ports         int          `json:"ports"`
}

// Port is a port of a switch, or the switch's own one, where the gateway is.
type Port struct {
	Network    string `json:"network"`
	Name       string `json:"name"`
	Number     uint32 `json:"number"` // 0: the switch's own
	Learning   bool   `json:"learning"`
	Flood      bool   `json:"flood"`
	McastFlood bool   `json:"mcast_flood"`
	BcastFlood bool   `json:"bcast_flood"`
	Isolated   bool   `json:"isolated"`
	RAGuard    bool   `json:"ra_guard"`
	NDGuard    bool   `json:"nd_guard"`
	DHCPGuard  bool   `json:"dhcp_guard"`
	StormLimit int    `json:"storm_limit"`
	MTU        int    `json:"mtu"`
	RxPackets  uint64 `json:"rx_packets"` // from the host into the switch
	RxBytes    uint64 `json:"rx_bytes"`
	RxDropped  uint64 `json:"rx_dropped"`
	TxPackets  uint64 `json:"tx_packets"`
	TxBytes    uint64 `json:"tx_bytes"`
	TxDropped  uint64 `json:"tx_dropped"`
}

// FDBEntry is a row of a forwarding table, with the keys of `bridge -json fdb show`, and its age.
type FDBEntry struct {
	MAC    frame.MAC `json:"mac"`
	Ifname string    `json:"ifname"`
	Flags  []string  `json:"flags"`
	Dst    string    `json:"dst,omitempty"` // of a tunnel's own entry: the machine behind which the station is; Master is empty then
	Master string    `json:"master,omitempty"`
	State  string    `json:"state"`           // permanent: the gateway's own; static: configured; empty: learned
	Age    *float64  `json:"age,omitempty"`   // seconds since the station was last heard, of a learned entry
	Since  *float64  `json:"since,omitempty"` // seconds since the station came to this port
}

// Tunnel is a network's port to other machines.
type Tunnel struct {
	Network        string         `json:"network"`
	Name           string         `json:"name"`
	VNI            uint32         `json:"vni"`
	Local          netip.AddrPort `json:"local"`
	TTL            int            `json:"ttl"`
	MTU            int            `json:"mtu"` // of the inside
	Learning       bool           `json:"learning"`
	Peers          []TunnelPeer   `json:"peers"`
	Dropped        uint64         `json:"dropped"`                   // packets from other machines that went no further
	Overflowed     uint64         `json:"overflowed"`                // and those that the socket's queue had no room for
	ChecksumErrors *uint64        `json:"checksum_errors,omitempty"` // UDP packets of this network namespace that the kernel dropped for a wrong checksum
}

// TunnelPeer is another machine, and what was said of packets to it.
type TunnelPeer struct {
	Addr   netip.Addr `json:"addr"`
	Errors uint64     `json:"errors"` // ICMP errors
	Error  string     `json:"error,omitempty"`
	From   string     `json:"from,omitempty"`
	When   time.Time  `json:"when,omitzero"`
}

// TunnelEntry is a row of a tunnel's own table to enter or to forget. The MAC address of all zeroes makes a machine a peer.
type TunnelEntry struct {
	Dev     string     `json:"dev"`
	MAC     frame.MAC  `json:"mac"`
	Dst     netip.Addr `json:"dst"`
	Replace bool       `json:"replace,omitempty"`
}

// FDBFlush says which entries of a switch's forwarding table to forget, learned and static; the gateway's own stays.
type FDBFlush struct {
	Master string `json:"master"`
	Ifname string `json:"ifname,omitempty"` // those behind a host's port; none means all
	Static *bool  `json:"static,omitempty"` // those that are, or are not, configured
	Sticky *bool  `json:"sticky,omitempty"` // those that are, or are not, sticky
}

// Neighbor is a row of the gateway's neighbour table, with the keys of `ip -json neigh`.
type Neighbor struct {
	Dst    netip.Addr `json:"dst"`
	Dev    string     `json:"dev,omitempty"`
	Lladdr string     `json:"lladdr,omitempty"`
	Router bool       `json:"router,omitempty"`
	State  []string   `json:"state"`
}

// Route is a route of the gateway, with the keys of `ip -json route`.
type Route struct {
	Dst      string   `json:"dst"`
	Gateway  string   `json:"gateway,omitempty"`
	Dev      string   `json:"dev,omitempty"`
	Protocol string   `json:"protocol,omitempty"`
	Scope    string   `json:"scope,omitempty"`
	Prefsrc  string   `json:"prefsrc,omitempty"`
	Metric   int      `json:"metric,omitempty"`
	Expires  int      `json:"expires,omitempty"` // seconds; 0: never
	Family   string   `json:"family,omitempty"`  // inet6; empty: inet
	Pref     string   `json:"pref,omitempty"`    // of IPv6 (RFC 4191)
	Flags    []string `json:"flags"`
}

// Drop counts the packets that were dropped for one reason.
type Drop struct {
	Reason   string   `json:"reason"`
	Count    uint64   `json:"count"`
	Sentence string   `json:"sentence"`
	Last     *Dropped `json:"last,omitempty"` // with ?examples=1
}

// Dropped is a packet that was dropped.
type Dropped struct {
	Time    time.Time `json:"time"`
	Packet  uint64    `json:"packet,omitempty"` // its number in the trace, if anybody listened then
	At      string    `json:"at"`               // where, in two words: gateway forward
	Where   string    `json:"where"`
	Hook    string    `json:"hook"`
	Port    string    `json:"port,omitempty"`
	Rule    string    `json:"rule,omitempty"`
	Summary string    `json:"summary"` // RED > 8.8.8.8  ICMP echo request, id 7 seq 1, ttl 64
	Length  int       `json:"length"`
	Details string    `json:"details,omitempty"` // what else there is to say: the rule, what would fix it
}

// DropEvent is a line of /v1/drops?follow=1: a drop that is like none of the last second, or how many more of a kind there
// were since the line before. Lost, if not zero, stands for so many steps that were missed, and nothing else.
type DropEvent struct {
	Reason   string   `json:"reason,omitempty"`
	Sentence string   `json:"sentence,omitempty"`
	Count    uint64   `json:"count,omitempty"`
	More     bool     `json:"more,omitempty"` // Count others like one that has had a line; Last is the last of them
	Last     *Dropped `json:"last,omitempty"`
	Lost     uint64   `json:"lost,omitempty"`
}

// Tuple is one direction of a connection, with the numbers of its packets and their bytes.
type Tuple struct {
	Src     netip.Addr `json:"src"`
	Dst     netip.Addr `json:"dst"`
	Sport   uint16     `json:"sport,omitempty"`
	Dport   uint16     `json:"dport,omitempty"`
	ID      uint16     `json:"id,omitempty"` // of an ICMP query, in place of ports
	Packets uint64     `json:"packets"`
	Bytes   uint64     `json:"bytes"`
}

// Conn is a connection.
type Conn struct {
	ID       uint64 `json:"id"`
	Protocol string `json:"protocol"` // tcp, udp, icmp, or a number
	Protonum uint8  `json:"protonum"`
	Timeout  int    `json:"timeout"`         // seconds until it is forgotten
	State    string `json:"state,omitempty"` // of TCP
	Original Tuple  `json:"original"`
	Reply    Tuple  `json:"reply"` // what answers look like as they arrive: translated addresses show here
	Replied  bool   `json:"replied"`
	Assured  bool   `json:"assured"`
}

// ConnEvent is a change of the connection table; Lost, if not zero, stands for so many that were missed, and nothing else.
type ConnEvent struct {
	Time time.Time `json:"time,omitzero"`
	Type string    `json:"type,omitempty"` // NEW, UPDATE or DESTROY
	Conn *Conn     `json:"conn,omitempty"`
	Lost uint64    `json:"lost,omitempty"`
}

// Published is a port that is open to the outside.
type Published struct {
	Host     string         `json:"host"`
	Protocol string         `json:"protocol"`
	HostIP   netip.Addr     `json:"host_ip"` // the uplink's own where that stands for every address
	HostPort uint16         `json:"host_port"`
	To       netip.AddrPort `json:"to"`
	Reach    string         `json:"reach,omitempty"` // who reaches it, where that surprises people
}

// Error is an answer that is no success.
type Error struct {
	Code    int    `json:"-"`                // HTTP's
	Message string `json:"error"`            // one sentence
	Status  int    `json:"status,omitempty"` // the exit status that the tool with these words has, if it is a tool's
}

func (e *Error) Error() string { return e.Message }

// Predictions counts what became of predictions that were tried with a real packet.
type Predictions struct {
	Right   int `json:"right"`
	Wrong   int `json:"wrong"`
	Unknown int `json:"unknown"` // one of the two did not say yes or no
}
