package api

import (
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// QueueEvents is how many steps the queue between the lab and one listener holds.
const QueueEvents = 8192

// TraceQuery says what of the trace is wanted, and how.
type TraceQuery struct {
	Format string // text, json or pcapng
	Filter trace.FilterSpec
	Width  int // of text, in columns
	Colour bool
	NoFold bool
	Snap   int // bytes of each frame in a capture; 0: all
}

// Query returns it as a query.
func (t TraceQuery) Query() url.Values {
	q := url.Values{"format": {t.Format}, "host": t.Filter.Hosts, "from": t.Filter.From, "hook": t.Filter.Hooks}
	for key, value := range map[string]string{"port": t.Filter.Port, "proto": t.Filter.Proto} {
		if value != "" {
			q.Set(key, value)
		}
	}
	for key, value := range map[string]bool{"drops": t.Filter.Drops, "colour": t.Colour, "no-fold": t.NoFold} {
		if value {
			q.Set(key, "1")
		}
	}
	for key, value := range map[string]int{"width": t.Width, "snap": t.Snap} {
		if value != 0 {
			q.Set(key, strconv.Itoa(value))
		}
	}
	return q
}

// LogLine is a line that a host's command has written.
type LogLine struct {
	Number  uint64    `json:"number"`  // from 1, in the order in which the lab's hosts have written
	Ordinal uint64    `json:"ordinal"` // from 1, among the lines of this host: where one is missing, lines were forgotten
	Time    time.Time `json:"time"`
	Host    string    `json:"host"`
	Text    string    `json:"text"`
	// Lost is how many lines of the host before this one were forgotten before they could be read.
	Lost uint64 `json:"lost,omitempty"`
}

// LogQuery says which of the lines that hosts have written are wanted.
type LogQuery struct {
	Hosts  []string
	Tail   int  // the last so many of each host; negative: all that are remembered
	Follow bool // and those that come
}

// Query returns it as a query.
func (l LogQuery) Query() url.Values {
	q := url.Values{"host": l.Hosts}
	if l.Tail >= 0 {
		q.Set("tail", strconv.Itoa(l.Tail))
	}
	if l.Follow {
		q.Set("follow", "1")
	}
	return q
}

// ConnFilter chooses connections, by what conntrack's options of these names choose by. Empty fields ask for nothing.
type ConnFilter struct {
	Proto              string // tcp, udp, icmp or a number
	OrigSrc, OrigDst   string // addresses or prefixes
	ReplySrc, ReplyDst string
	Sport, Dport       string // of the original direction
	SNAT, DNAT         bool   // only translated ones
	Family             string // ipv4 or ipv6; empty: both
}

// ParseConnFilter reads what Query has written; whether its texts mean anything is for the caller to say.
func ParseConnFilter(q url.Values) ConnFilter {
	f := ConnFilter{SNAT: q.Has("src-nat"), DNAT: q.Has("dst-nat")}
	for key, value := range f.fields() {
		*value = q.Get(key)
	}
	return f
}

// fields names the filter's texts as the query does.
func (f *ConnFilter) fields() map[string]*string {
	return map[string]*string{"proto": &f.Proto, "orig-src": &f.OrigSrc, "orig-dst": &f.OrigDst,
		"reply-src": &f.ReplySrc, "reply-dst": &f.ReplyDst, "family": &f.Family, "sport": &f.Sport, "dport": &f.Dport}
}

// Query returns the filter as a query.
func (f ConnFilter) Query() url.Values {
	q := url.Values{}
	for key, value := range f.fields() {
		if *value != "" {
			q.Set(key, *value)
		}
	}
	if f.SNAT {
		q.Set("src-nat", "1")
	}
	if f.DNAT {
		q.Set("dst-nat", "1")
	}
	return q
}

// ReachQuery says what is asked besides what the lab itself shows.
type ReachQuery struct {
	Outside netip.Addr // an address outside that hosts try to ping; invalid: none
	Send    bool       // real packets settle what can be sent
}

// Query returns it as a query.
func (r ReachQuery) Query() url.Values {
	q := url.Values{}
	if r.Outside.IsValid() {
		q.Set("outside", r.Outside.String())
	}
	if r.Send {
		q.Set("send", "1")
	}
	return q
}

// Device is a network device that the gateway would have if it were a Linux machine: a bridge for each network, one end of
// a pair for each port, the uplink, and lo.
type Device struct {
	Index      int          `json:"index"`
	Name       string       `json:"name"`
	Kind       string       `json:"kind"` // loopback, bridge, veth, ether (an uplink of frames) or none (an uplink of IP packets)
	MAC        frame.MAC    `json:"mac,omitzero"`
	Address    netip.Prefix `json:"address,omitzero"`     // the gateway's there
	Addresses6 []Address6   `json:"addresses6,omitempty"` // its addresses of IPv6, link-local ones last
	MTU        int          `json:"mtu"`
	Carrier    bool         `json:"carrier"`
	Down       bool         `json:"down,omitempty"`    // taken down, or never brought up
	Raised     bool         `json:"raised,omitempty"`  // of one that is down: it has been up
	ByHand     bool         `json:"by_hand,omitempty"` // made by ip or brctl, not as Docker makes it

	// Of a veth only.
	Master   string `json:"master,omitempty"`   // the network
	Port     string `json:"port,omitempty"`     // what the switch calls its port; for most that is the host
	PeerDev  string `json:"peer_dev,omitempty"` // the other end, where that is a device of the machine's, too
	PeerDown bool   `json:"peer_down,omitempty"`
	Number   uint32 `json:"number,omitempty"`   // of the port
	Host     string `json:"host,omitempty"`     // at the other end
	Peer     int    `json:"peer,omitempty"`     // the index of the other end, in the host's namespace
	NetnsID  int    `json:"netns_id,omitempty"` // the number of the host's namespace, from 0

	RxPackets uint64 `json:"rx_packets"`
	RxBytes   uint64 `json:"rx_bytes"`
	RxDropped uint64 `json:"rx_dropped"`
	TxPackets uint64 `json:"tx_packets"`
	TxBytes   uint64 `json:"tx_bytes"`
	TxDropped uint64 `json:"tx_dropped"`
}

// Address6 is an address of IPv6, and what `ip addr` says of it.
type Address6 struct {
	Prefix    netip.Prefix `json:"prefix"`
	Flags     []string     `json:"flags,omitempty"`     // tentative, dynamic, ...
	Valid     *int         `json:"valid,omitempty"`     // seconds until it goes; null: it stays
	Preferred *int         `json:"preferred,omitempty"` // seconds for which it is chosen as a source
}

// The kinds of devices.
const (
	KindLoopback = "loopback"
	KindBridge   = "bridge"
	KindVeth     = "veth"
	KindVXLAN    = "vxlan" // a network's port to other machines
	KindEther    = "ether"
	KindNone     = "none"
)

// Frame is a frame as somebody sees it who listens at a device. Lost, if not zero, stands for so many that were missed, and
// nothing else.
type Frame struct {
	Time      time.Time `json:"time,omitzero"`
	Device    string    `json:"device,omitempty"`
	Index     int       `json:"index,omitempty"` // of the device
	Direction string    `json:"direction,omitempty"`
	IP        bool      `json:"ip,omitempty"` // Data is an IP packet, with no Ethernet header
	Data      []byte    `json:"data,omitempty"`
	Lost      uint64    `json:"lost,omitempty"`
}

// The directions of a frame at a device, in tcpdump's words (pcap's sll.h): to the device's own address, to everyone, to a
// group, to somebody else, and out of it.
const (
	DirectionIn        = "In"
	DirectionBroadcast = "B"
	DirectionMulticast = "M"
	DirectionOther     = "P"
	DirectionOut       = "Out"
)

// AnyDevice and GatewayDevice stand for several: all of them; and what the gateway itself gets and sends, everywhere.
const (
	AnyDevice     = "any"
	GatewayDevice = "gateway"
)
