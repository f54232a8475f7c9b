package api

import (
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// Device is a network device that the gateway would have if it were a Linux machine: a bridge for each network, one end of
// a pair for each port, the uplink, and lo.
type Device struct {
	Index   int          `json:"index"`
	Name    string       `json:"name"`
	Kind    string       `json:"kind"` // loopback, bridge, veth, ether (an uplink of frames) or none (an uplink of IP packets)
	MAC     frame.MAC    `json:"mac,omitzero"`
	Address netip.Prefix `json:"address,omitzero"` // the gateway's there
	MTU     int          `json:"mtu"`
	Carrier bool         `json:"carrier"`
	Down    bool         `json:"down,omitempty"` // taken down, as only the interfaces of hosts can be

	// Of a veth only.
	Master  string `json:"master,omitempty"`   // the network
	Number  uint32 `json:"number,omitempty"`   // of the port
	Host    string `json:"host,omitempty"`     // at the other end
	Peer    int    `json:"peer,omitempty"`     // the index of the other end, in the host's namespace
	NetnsID int    `json:"netns_id,omitempty"` // the number of the host's namespace, from 0

	RxPackets uint64 `json:"rx_packets"`
	RxBytes   uint64 `json:"rx_bytes"`
	RxDropped uint64 `json:"rx_dropped"`
	TxPackets uint64 `json:"tx_packets"`
	TxBytes   uint64 `json:"tx_bytes"`
	TxDropped uint64 `json:"tx_dropped"`
}

// The kinds of devices.
const (
	KindLoopback = "loopback"
	KindBridge   = "bridge"
	KindVeth     = "veth"
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
