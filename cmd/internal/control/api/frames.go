package api

import "time"

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
